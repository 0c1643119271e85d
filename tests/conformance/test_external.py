"""The ``external`` adapter on a real oidc-provider and on the fake: clients are made by somebody else.

``ByHand`` is the adapter under test with one thing added that it does not have: a person who makes the clients at the
server, played by the ``rfc`` adapter. All that the suite does with a client afterwards is the external adapter's.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.errors import InputError, NotSupported
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    ClientMetadata,
    Clock,
    KeyManagerAdapter,
    RegisteredClient,
)
from keymanager.adapters.external import ExternalAdapter, ExternalConfig
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.rfc.presets import with_preset
from tests.conformance.operations import call
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World, ask, token_of
from tests.fakes.quirks import OIDC_PROVIDER, Quirks
from tests.fakes.rfc_server import RfcServer
from tests.servers import oidc_provider

C = Capability
LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
CHANGING = (
    *(C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.SUSPEND_CLIENT, C.ROTATE_SECRET),
    *(C.OVERLAPPING_SECRETS, C.FIND_CLIENT, C.LIST_CLIENTS, C.REVOKE_ALL, C.RESOURCES, C.SCOPES),
)


class ByHand(ExternalAdapter):
    """The adapter under test, and ``person``, who makes clients at the server."""

    def __init__(self, config: ExternalConfig, http: HttpClient, clock: Clock, person: KeyManagerAdapter) -> None:
        super().__init__(config, http, clock)
        self._person = person

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        return self._person.create_client(metadata)


def by_hand(external: dict[str, Any], rfc: dict[str, Any]) -> Callable[[HttpClient], KeyManagerAdapter]:
    """Makes adapters for one server."""
    config, person = parse_config(ExternalConfig, external), parse_config(RfcConfig, rfc)
    return lambda http: ByHand(config, http, SystemClock(), RfcAdapter(person, http, SystemClock()))


def introspecting_values(issuer: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """Configuration of a server that is asked about every token."""
    return {
        "issuer": issuer,
        "token_validation": "introspection",
        "introspection_client_id": client_id,
        "introspection_client_secret": client_secret,
        "absent_scope": "none",
        "resource_style": "any",
    }


class OnAServerOfOthers(AdapterConformance):
    """What changes nothing at the server, and what is proved of a client."""

    slug = "external"

    def test_what_is_not_declared_is_not_supported(self, adapter: KeyManagerAdapter) -> None:
        """Of the adapter itself, without the person."""
        bare = ExternalAdapter(adapter.config, adapter.http, adapter.clock)
        assert bare.capabilities == adapter.capabilities
        for capability in Capability:
            if capability not in bare.capabilities:
                with pytest.raises(NotSupported):
                    call(bare, capability)

    def test_no_operation_that_would_change_something_there_sends_a_request(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        bare = ExternalAdapter(adapter.config, adapter.http, adapter.clock)
        before = len(world.wire.sent)
        for capability in CHANGING:
            with pytest.raises(NotSupported):
                call(bare, capability)
        assert len(world.wire.sent) == before

    def test_a_client_of_another_server_is_not_proved(self, adapter: KeyManagerAdapter) -> None:
        found = adapter.verify_client(ClientHandle(client_id="made-elsewhere", client_secret="secret-of-elsewhere"))
        assert (found.exists, found.secret_works) == (None, False)
        assert found.notes
        assert adapter.verify_client(ClientHandle(client_id="made-elsewhere")).secret_works is None

    def test_a_client_that_was_verified_is_as_it_was(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        before = len(world.wire.sent)
        assert adapter.verify_client(replace(client.handle, registration_access_token="")).secret_works is True
        sent = world.wire.sent[before:]
        assert not [request for request in sent if request.method in ("PUT", "DELETE", "PATCH")]
        assert adapter.introspect(token) == adapter.introspect(token)
        assert ask(adapter, client, world.scopes[0]).ok


class TestOnTheFakeByIntrospection(OnAServerOfOthers):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        with RfcServer(quirks=OIDC_PROVIDER) as server:
            own = introspecting_values(server.issuer, server.gateway_client_id, server.gateway_client_secret)
            make = by_hand(own, person_at(server, "oidc-provider"))
            world = World(wire=Wire(PooledTransport(LOOPBACK)), make=make)
            yield world
            world.wire.close()


class TestOnTheFakeByKeysWithoutRevocation(OnAServerOfOthers):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        with RfcServer(quirks=Quirks(token_format="jwt", introspection=False, revocation=False)) as server:
            own = {"issuer": server.issuer, "revocation": False}
            person = {**person_at(server, ""), "revocation": False}
            world = World(wire=Wire(PooledTransport(LOOPBACK)), make=by_hand(own, person))
            yield world
            world.wire.close()


class OnARealServer(OnAServerOfOthers):
    options: ClassVar[oidc_provider.OidcProviderOptions]

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[oidc_provider.OidcProviderServer]:
        home: Path = tmp_path_factory.mktemp("oidc-provider")
        started = oidc_provider.start(options=cls.options, home=home)
        yield started
        started.stop()

    def external(self, server: oidc_provider.OidcProviderServer) -> dict[str, Any]:
        raise NotImplementedError

    @pytest.fixture
    def world(self, server: oidc_provider.OidcProviderServer) -> Iterator[World]:
        person = {
            "issuer": server.issuer,
            "initial_access_token": server.options.initial_access_token,
            "introspection_client_id": server.options.gateway_client_id,
            "introspection_client_secret": server.options.gateway_client_secret,
        }
        make = by_hand(self.external(server), with_preset("oidc-provider", person))
        world = World(wire=Wire(PooledTransport(LOOPBACK)), make=make, revokes=self.options.token_format == "opaque")
        yield world
        world.wire.close()


@pytest.mark.servers
class TestOnARealOidcProviderByIntrospection(OnARealServer):
    options = oidc_provider.OidcProviderOptions(token_format="opaque")

    def external(self, server: oidc_provider.OidcProviderServer) -> dict[str, Any]:
        options = server.options
        return introspecting_values(server.issuer, options.gateway_client_id, options.gateway_client_secret)


@pytest.mark.servers
class TestOnARealOidcProviderByKeys(OnARealServer):
    """Nothing but the issuer is needed."""

    options = oidc_provider.OidcProviderOptions(token_format="jwt")

    def external(self, server: oidc_provider.OidcProviderServer) -> dict[str, Any]:
        return {"issuer": server.issuer, "absent_scope": "none"}


def person_at(server: RfcServer, preset: str) -> dict[str, Any]:
    """How clients are made at the fake."""
    own = {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }
    return with_preset(preset, own) if preset else own


def test_introspection_without_a_client_of_ours_is_refused_with_the_field_named() -> None:
    with pytest.raises(InputError) as caught:
        parse_config(ExternalConfig, {"issuer": "https://idp.example", "token_validation": "introspection"})
    assert list(caught.value.fields) == ["config.introspection_client_id"]


def test_there_is_no_setting_that_would_give_a_right_to_change_a_client() -> None:
    with pytest.raises(InputError) as caught:
        parse_config(ExternalConfig, {"issuer": "https://idp.example", "initial_access_token": "t"})
    assert list(caught.value.fields) == ["config.initial_access_token"]
