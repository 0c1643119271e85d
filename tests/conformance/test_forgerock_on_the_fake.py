"""The ``forgerock`` adapter on a fake AM 7: the calls that OpenAM does not have, or has in other words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from common.errors import KeyManagerProtocolError, KeyManagerRejected, KeyManagerUnavailable
from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Introspection,
    KeyManagerAdapter,
    RegisteredClient,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.forgerock import ForgeRockAdapter
from keymanager.adapters.rfc.adapter import RfcAdapter
from tests.conformance.forgerock_world import BY_ADMIN, BY_REGISTRATION, forgerock_world
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import ManualClock, Match, World, answer, ask, introspecting, registering
from tests.fakes.forgerock_server import ADMIN, ForgeRockServer
from tests.fakes.forgerock_server.state import ADVANCED, CORE, GATEWAY, PORTAL

NAMED = {"_id": "", CORE: {"scopes": []}, ADVANCED: {"name": ["Another"]}}


def values(server: ForgeRockServer, **more: Any) -> dict[str, Any]:
    """The configuration of a key manager."""
    return {"issuer": server.issuer, "admin_user": ADMIN[0], "admin_password": ADMIN[1], **more}


class OnAm7(AdapterConformance):
    slug = "forgerock"
    config: ClassVar[dict[str, Any]] = {}
    dialect: ClassVar[dict[Match, Match]] = BY_ADMIN

    @pytest.fixture
    def server(self) -> Iterator[ForgeRockServer]:
        with ForgeRockServer() as running:
            yield running

    @pytest.fixture
    def world(self, server: ForgeRockServer) -> Iterator[World]:
        world = forgerock_world(values(server, **self.config), self.dialect)
        yield world
        world.wire.close()


class TestByTheAdministrationApi(OnAm7):
    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer in AM's words."""
        metadata = world.client_metadata()
        world.wire.plan(registering, answer(201, json={**NAMED, "_id": f"archway-{metadata.marker}"}))
        made = adapter.create_client(metadata)
        assert {"client_name", "scope", "grant_types"} <= set(made.ignored)

    def test_an_update_leaves_what_an_administrator_set_beside_ours(
        self, adapter: KeyManagerAdapter, world: World, server: ForgeRockServer, client: RegisteredClient
    ) -> None:
        server.state.clients[client.handle.client_id].groups[CORE]["accessTokenLifetime"] = 77
        adapter.update_client(client.handle, world.client_metadata())
        adapter.rotate_secret(client.handle, world.client_metadata())
        assert server.state.clients[client.handle.client_id].groups[CORE]["accessTokenLifetime"] == 77

    def test_an_update_of_a_removed_client_never_makes_it_again(
        self, adapter: KeyManagerAdapter, world: World, server: ForgeRockServer, client: RegisteredClient
    ) -> None:
        adapter.delete_client(client.handle)
        with pytest.raises(KeyManagerRejected):
            adapter.update_client(client.handle, world.client_metadata())
        assert client.handle.client_id not in server.state.clients

    def test_the_grants_of_a_client_are_kept(self, server: ForgeRockServer, client: RegisteredClient) -> None:
        assert client.ignored == ()
        assert server.state.clients[client.handle.client_id].groups[ADVANCED]["grantTypes"] == ["client_credentials"]

    def test_a_client_of_somebody_else_under_our_id_is_left_alone(
        self, adapter: KeyManagerAdapter, world: World, server: ForgeRockServer
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        server.state.clients[made.handle.client_id].groups[ADVANCED]["descriptions"] = ["by hand"]
        with pytest.raises(KeyManagerRejected) as caught:
            adapter.create_client(metadata)
        assert caught.value.remote_status == 409
        assert adapter.find_client(metadata.marker) is None

    def test_a_session_that_ended_is_begun_again_at_the_next_try(self, server: ForgeRockServer) -> None:
        clock = ManualClock(1_000_000.0)
        world = forgerock_world(values(server), BY_ADMIN)
        made = world.adapter()
        made.clock = clock
        adapter = ForgeRockAdapter(made.config, made.http, clock)
        assert adapter.read_client(ClientHandle(client_id="none")) is None
        server.end_sessions()
        clock.time += 60
        with pytest.raises(KeyManagerUnavailable) as caught:
            adapter.read_client(ClientHandle(client_id="none"))
        assert caught.value.retry_after == 0.0
        assert adapter.read_client(ClientHandle(client_id="none")) is None
        world.wire.close()


class TestByIntrospection(TestByTheAdministrationApi):
    """A client with ``am-introspect-all-tokens`` sees every token."""

    config: ClassVar[dict[str, Any]] = {
        "token_validation": "introspection",
        "introspection_client_id": GATEWAY[0],
        "introspection_client_secret": GATEWAY[1],
    }
    dialect: ClassVar[dict[Match, Match]] = {
        match: meant for match, meant in BY_ADMIN.items() if match is not introspecting
    }


class TestByRegistration(OnAm7):
    config: ClassVar[dict[str, Any]] = {
        "management": "dcr",
        "registration_client_id": PORTAL[0],
        "registration_client_secret": PORTAL[1],
        "registration_scope": "dynamic_client_registration",
    }
    dialect: ClassVar[dict[Match, Match]] = BY_REGISTRATION

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer in AM's words."""
        kept = {"client_id": "c", "client_secret": "s", "client_name": "Another", "scopes": ["museum:read"]}
        world.wire.plan(registering, answer(201, json=kept))
        assert "client_name" in adapter.create_client(world.client_metadata()).ignored

    def test_a_client_made_with_other_scopes_than_asked_is_refused_and_removed(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        """An unreadable body is answered 201 with a client that has nothing of what was asked."""
        made = {"client_id": "c", "client_secret": "s", "client_name": "", "scopes": ["default"]}
        world.wire.plan(registering, answer(201, json=made))
        with pytest.raises(KeyManagerProtocolError, match="other scopes"):
            adapter.create_client(world.client_metadata())


class TrustsOwnIntrospection(ForgeRockAdapter):
    def introspect(self, token: str) -> Introspection:
        return self._tokens.introspect(token)


class RepeatsTheToken(ForgeRockAdapter):
    def revoke_token(self, request: TokenRequest) -> Any:
        return RfcAdapter.revoke_token(self, request)


class MakesRemovedClientsAgain(ForgeRockAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        return self._by_admin.create(metadata)


class TakesOverForeignClients(ForgeRockAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except KeyManagerRejected:
            return self._by_admin.rotate(ClientHandle(client_id=self._by_admin.id_of(metadata.marker)))


class ForgetsTheRest(ForgeRockAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        body = self._by_admin.shape().changed({}, {"client_name": [metadata.client_name]})
        self._by_admin._put(handle.client_id, body, doing="the change")
        return RegisteredClient(handle=handle)


class AcceptsAnEmptyClient(ForgeRockAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except KeyManagerProtocolError:
            return RegisteredClient(handle=ClientHandle(client_id="c"))


def revoking_repeats_no_token(adapter: KeyManagerAdapter, world: World) -> None:
    first, second = (adapter.create_client(world.client_metadata()) for _ in range(2))
    token = str(ask(adapter, first, world.scopes[0]).body["access_token"])
    handle = second.handle
    request = TokenRequest(
        client_id=handle.client_id, client_secret=handle.client_secret, parameters=(("token", token),)
    )
    given = adapter.revoke_token(request)
    assert (given.status, token in str(given.body)) == (400, False)


def a_fresh_token_is_seen(adapter: KeyManagerAdapter, world: World) -> None:
    client = adapter.create_client(world.client_metadata())
    token = str(ask(adapter, client, world.scopes[0]).body["access_token"])
    assert isinstance(adapter.introspect(token), TokenFacts)


A = TestByTheAdministrationApi
NOT_SEEING: dict[str, Any] = {"introspection_client_id": PORTAL[0], "introspection_client_secret": PORTAL[1]}
PLANTED: list[tuple[type[ForgeRockAdapter], dict[str, Any], Callable[..., None]]] = [
    (TrustsOwnIntrospection, NOT_SEEING, lambda *given: a_fresh_token_is_seen(*given[1:3])),
    (RepeatsTheToken, {}, lambda *given: revoking_repeats_no_token(*given[1:3])),
    (
        MakesRemovedClientsAgain,
        {},
        lambda s, a, w, f, c: A.test_updating_a_deleted_client_says_that_it_is_gone(s, adapter=a, world=w),
    ),
    (
        TakesOverForeignClients,
        {},
        lambda s, a, w, f, c: A.test_a_client_of_somebody_else_under_our_id_is_left_alone(s, a, w, f),
    ),
    (ForgetsTheRest, {}, A.test_an_update_leaves_what_an_administrator_set_beside_ours),
    (
        AcceptsAnEmptyClient,
        TestByRegistration.config,
        lambda s, a, w, f, c: TestByRegistration.test_a_client_made_with_other_scopes_than_asked_is_refused_and_removed(
            s, a, w
        ),
    ),
]


@pytest.mark.parametrize(("broken", "config", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_adapter_is_caught(
    broken: type[ForgeRockAdapter], config: dict[str, Any], test: Callable[..., None]
) -> None:
    for adapter_class in (ForgeRockAdapter, broken):
        with ForgeRockServer() as server:
            dialect = BY_REGISTRATION if config is TestByRegistration.config else BY_ADMIN
            world = forgerock_world(values(server, **config), dialect, adapter_class=adapter_class)
            adapter = world.adapter()
            client = adapter.create_client(replace(world.client_metadata(), marker="another"))
            given = (A(), adapter, world, server, client)
            if adapter_class is ForgeRockAdapter:
                test(*given)
            else:
                with pytest.raises((AssertionError, pytest.fail.Exception)):
                    test(*given)
            world.wire.close()
