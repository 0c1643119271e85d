"""The ``rfc`` adapter on a django-oauth-toolkit in a process of its own, as somebody else runs it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import Inactive, KeyManagerAdapter, TokenAnswer, TokenRequest
from keymanager.adapters.rfc import RfcAdapter
from tests.conformance.broken_adapters import KeepsTheOldRegistrationAccessToken
from tests.conformance.planted import must_catch
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_rfc_on_real_servers import real_world
from tests.conformance.world import World
from tests.servers import django_oauth_toolkit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[django_oauth_toolkit.ToolkitServer]:
    home: Path = tmp_path_factory.mktemp("toolkit")
    with django_oauth_toolkit.start(home=home) as started:
        yield started


def world_on(
    server: django_oauth_toolkit.ToolkitServer, adapter: type[RfcAdapter] = RfcAdapter, **changes: Any
) -> World:
    """The configuration of the documentation, with changes."""
    values = {
        "issuer": server.issuer,
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
        **changes,
    }
    return real_world("django-oauth-toolkit", values, adapter, tokens_survive_client=False, registers_scopes=False)


class TestDjangoOauthToolkit(AdapterConformance):
    slug = "rfc"

    @pytest.fixture
    def world(self, server: django_oauth_toolkit.ToolkitServer) -> Iterator[World]:
        world = world_on(server)
        yield world
        world.wire.close()

    def test_a_registration_access_token_is_no_access_token(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        assert isinstance(adapter.introspect(made.handle.registration_access_token), Inactive)

    def test_two_kinds_of_grant_in_one_client_are_refused_in_the_servers_own_words(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        both = world.client_metadata(
            grant_types=("client_credentials", "authorization_code"),
            response_types=("code",),
            redirect_uris=("https://client.example/callback",),
        )
        with pytest.raises(KeyManagerRejected, match="only supports one grant type"):
            adapter.create_client(both)


class ReadsEveryAnswerAsJson(RfcAdapter):
    """A revocation is answered 200 with nothing in it (RFC 7009 section 2.2)."""

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        answer = super().revoke_token(request)
        if not answer.body:
            raise KeyManagerProtocolError("No JSON")
        return answer


SUITE = TestDjangoOauthToolkit
PLANTED: list[tuple[type[RfcAdapter], dict[str, Any], Callable[..., None]]] = [
    (RfcAdapter, {"refused_scopes": ()}, SUITE.test_a_registration_access_token_is_no_access_token),
    (
        KeepsTheOldRegistrationAccessToken,
        {},
        AdapterConformance.test_each_update_leaves_a_client_that_can_be_managed_and_used,
    ),
    (
        ReadsEveryAnswerAsJson,
        {},
        AdapterConformance.test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on,
    ),
]


@pytest.mark.parametrize(("broken", "config", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_adapter_or_a_preset_without_its_rule_is_caught(
    server: django_oauth_toolkit.ToolkitServer,
    broken: type[RfcAdapter],
    config: dict[str, Any],
    test: Callable[..., None],
) -> None:
    must_catch(test, world_on(server, broken, **config), suite=SUITE())
