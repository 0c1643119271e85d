"""The ``rfc`` adapter on the public port of a fake Hydra, for who may not use the administration port."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Inactive,
    Introspection,
    KeyManagerAdapter,
    RegisteredClient,
    TokenFacts,
)
from keymanager.adapters.rfc import RfcAdapter
from tests.conformance.broken_adapters import KeepsTheOldRegistrationAccessToken
from tests.conformance.planted import must_catch
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_rfc_on_real_servers import real_world
from tests.conformance.world import World
from tests.fakes.hydra_server import HydraHabits, HydraServer

PROXY_TOKEN = "proxy-0123456789"
PROXY = ("Authorization", f"Bearer {PROXY_TOKEN}")


def world_on(server: HydraServer, adapter: type[RfcAdapter] = RfcAdapter, **config: Any) -> World:
    """As the guide says: with the address of introspection, which the public port does not name."""
    values = {
        "issuer": server.issuer,
        "introspection_endpoint": f"{server.admin_url}/admin/oauth2/introspect",
        "introspection_token": PROXY_TOKEN,
        **config,
    }
    return real_world("hydra-public", values, adapter, tokens_survive_client=False)


class OnTheHydraPort(AdapterConformance):
    """Introspection is on the other port, behind a proxy that knows our token."""

    slug = "rfc"
    habits: ClassVar[HydraHabits] = HydraHabits(proxy_header=PROXY, dynamic_registration=True)
    config: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def server(self) -> Iterator[HydraServer]:
        with HydraServer(habits=self.habits) as running:
            yield running

    @pytest.fixture
    def world(self, server: HydraServer) -> Iterator[World]:
        world = world_on(server, **self.config)
        yield world
        world.wire.close()


class TestOpaqueTokens(OnTheHydraPort):
    def test_a_refresh_token_is_no_access_token(
        self, adapter: KeyManagerAdapter, world: World, server: HydraServer
    ) -> None:
        """Introspection calls it active."""
        made = adapter.create_client(world.client_metadata())
        access, refresh = server.sign_in(made.handle.client_id, scope=world.scopes[0])
        facts = {name: adapter.introspect(token) for name, token in {"access": access, "refresh": refresh}.items()}
        assert {name: fact.token_use for name, fact in facts.items() if isinstance(fact, TokenFacts)} == {
            "access": "access",
            "refresh": "refresh",
        }

    def test_after_an_update_the_old_registration_access_token_is_dead(
        self, adapter: KeyManagerAdapter, world: World, server: HydraServer
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        updated = adapter.update_client(made.handle, metadata)
        assert updated.handle.registration_access_token != made.handle.registration_access_token
        assert updated.handle.client_secret == made.handle.client_secret
        assert server.clients[made.handle.client_id].registration_access_token != made.handle.registration_access_token

    def test_nothing_is_sent_that_the_public_port_refuses(
        self, adapter: KeyManagerAdapter, world: World, server: HydraServer
    ) -> None:
        metadata = world.client_metadata()
        adapter.update_client(adapter.create_client(metadata).handle, metadata)
        for request in (*server.requests_of("register"), *server.requests_of("replace_own")):
            assert isinstance(request.json, dict)
            assert not {"metadata", "owner", "client_secret", "access_token_strategy"} & request.json.keys()


class TestJwtTokens(OnTheHydraPort):
    habits = HydraHabits(proxy_header=PROXY, dynamic_registration=True, access_token_strategy="jwt", scope_claim="both")

    def test_an_id_token_is_no_access_token(self, adapter: KeyManagerAdapter, server: HydraServer) -> None:
        """It is signed by published keys too, and introspection does not know it."""
        token = server.state.sign({"iss": server.issuer, "sub": "alice", "aud": ["c"], "exp": 4102444800})
        assert isinstance(adapter.introspect(token), Inactive)


class TakesARefreshTokenForAnAccessToken(RfcAdapter):
    def introspect(self, token: str) -> Introspection:
        answer = super().introspect(token)
        return replace(answer, token_use="access") if isinstance(answer, TokenFacts) else answer


class ChoosesTheSecret(RfcAdapter):
    """As the administration port allows."""

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        return super().create_client(replace(metadata, extra={"client_secret": "of-our-own"}))


class UpdatesWithALostToken(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        super().update_client(handle, metadata)
        return RegisteredClient(handle=handle)


PLANTED: list[tuple[type[RfcAdapter], Callable[..., None]]] = [
    (
        KeepsTheOldRegistrationAccessToken,
        AdapterConformance.test_each_update_leaves_a_client_that_can_be_managed_and_used,
    ),
    (UpdatesWithALostToken, TestOpaqueTokens.test_after_an_update_the_old_registration_access_token_is_dead),
    (TakesARefreshTokenForAnAccessToken, TestOpaqueTokens.test_a_refresh_token_is_no_access_token),
    (ChoosesTheSecret, TestOpaqueTokens.test_nothing_is_sent_that_the_public_port_refuses),
]


@pytest.mark.parametrize(("broken", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_adapter_is_caught(broken: type[RfcAdapter], test: Callable[..., None]) -> None:
    with HydraServer(habits=OnTheHydraPort.habits) as server:
        must_catch(test, world_on(server, broken), suite=TestOpaqueTokens(), server=server)
