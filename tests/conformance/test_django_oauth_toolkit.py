"""The ``rfc`` adapter on a django-oauth-toolkit in a process of its own, as somebody else runs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import KeyManagerRejected
from keymanager.adapters.contract import Inactive, KeyManagerAdapter
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_rfc_on_real_servers import real_world
from tests.conformance.world import World
from tests.servers import django_oauth_toolkit


class TestDjangoOauthToolkit(AdapterConformance):
    slug = "rfc"

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[django_oauth_toolkit.ToolkitServer]:
        home: Path = tmp_path_factory.mktemp("toolkit")
        with django_oauth_toolkit.start(home=home) as started:
            yield started

    @pytest.fixture
    def world(self, server: django_oauth_toolkit.ToolkitServer) -> Iterator[World]:
        values = {
            "issuer": server.issuer,
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
        }
        world = real_world("django-oauth-toolkit", values, tokens_survive_client=False, registers_scopes=False)
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
