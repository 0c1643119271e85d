"""The ``hydra`` adapter on a fake Hydra, in the ways in which installations differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient, TokenRequest
from keymanager.adapters.hydra import HydraAdapter, HydraConfig
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World, ask, reading, token_of
from tests.fakes.hydra_server import HydraHabits, HydraServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
PROXY = ("Authorization", "Bearer proxy-0123456789")


def reading_a_client(request: httpx2.Request) -> bool:
    """A read on the administration port, with a right or without."""
    return request.method == "GET" and request.url.path.startswith("/admin/clients/")


class OnHydra(AdapterConformance):
    """A proxy guards the administration port, as it should."""

    slug = "hydra"
    habits: ClassVar[HydraHabits] = HydraHabits(proxy_header=PROXY)
    guard: ClassVar[dict[str, Any]] = {"admin_header_value": PROXY[1]}
    config: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": False}

    @contextmanager
    def running(self) -> Iterator[World]:
        with HydraServer(habits=self.habits) as server:
            own = {"issuer": server.issuer, "admin_url": server.admin_url, **self.guard}
            config = parse_config(HydraConfig, {**own, **self.config})
            world = World(
                wire=Wire(PooledTransport(LOOPBACK), {reading: reading_a_client}),
                make=lambda http: HydraAdapter(config, http, SystemClock()),
                **self.expected,
            )
            try:
                yield world
            finally:
                world.wire.close()


class TestOpaqueTokensAndOneSecret(OnHydra):
    pass


class TestReleaseWithoutASecondSecret(OnHydra):
    habits = HydraHabits(proxy_header=PROXY, rotation=False, scope_strategy="wildcard", errors="herodot")


class TestJwtTokensThatAreIntrospected(OnHydra):
    habits = HydraHabits(proxy_header=PROXY, access_token_strategy="jwt", scope_claim="both")


class TestJwtTokensThatAreCheckedByKeys(OnHydra):
    habits = HydraHabits(proxy_header=PROXY)
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt", "access_token_strategy": "jwt"}
    expected: ClassVar[dict[str, Any]] = {}

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """Hydra revokes it, and whoever checks with the keys alone does not see that until it expires."""
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token_of(ask(adapter, client, world.scopes[0]))),),
        )
        assert adapter.revoke_token(request).status == 200

    def test_revoking_all_ends_every_token_of_the_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """As above: at Hydra they have ended."""
        token = token_of(ask(adapter, client, world.scopes[0]))
        adapter.revoke_all(client.handle)
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token),),
        )
        assert adapter.revoke_token(request).status == 200


class TestTwoSecretsInOverlap(OnHydra):
    config: ClassVar[dict[str, Any]] = {"secret_rotation": "overlap"}


class TestAPortWithoutAProxy(OnHydra):
    """Reads carry no right at all there."""

    habits = HydraHabits()
    guard: ClassVar[dict[str, Any]] = {}
