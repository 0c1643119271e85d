"""The ``pingfederate`` adapter on the fake: the administrative API, held against its description, and pf-ws."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, ScopeSpec
from keymanager.adapters.pingfederate import PingFederateAdapter, PingFederateConfig
from tests.conformance import world as suite
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Match, Wire, World
from tests.fakes.pingfederate_server import PingFederateServer
from tests.fakes.pingfederate_server.server import HABITS

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def registering(request: httpx2.Request) -> bool:
    """The request that creates a client."""
    return request.method == "POST" and b"grantTypes" in request.content


def updating(request: httpx2.Request) -> bool:
    """The request that updates a client."""
    return request.method == "PUT" and b"grantTypes" in request.content


MEANINGS: dict[Match, Match] = {suite.registering: registering, suite.updating: updating}


def values_for(server: PingFederateServer, **changes: Any) -> dict[str, Any]:
    """Configuration for a fake server."""
    by_service = changes.get("management") == "client_service"
    return {
        "issuer": server.issuer,
        "management_url": server.service_url if by_service else server.admin_api_url,
        "management_user": server.user[0],
        "management_password": server.user[1],
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
        **changes,
    }


def pingfederate_world(server: PingFederateServer, **changes: Any) -> World:
    """A world on a fake server that knows the suite's scopes."""
    config = parse_config(PingFederateConfig, values_for(server, **changes))
    wire = Wire(PooledTransport(LOOPBACK), MEANINGS)
    world = World(wire=wire, make=lambda http: PingFederateAdapter(config, http, SystemClock()))
    by_admin_api = {**values_for(server), "scope_kind": changes.get("scope_kind", "exclusive")}
    scopes = PingFederateAdapter(parse_config(PingFederateConfig, by_admin_api), world.adapter().http, SystemClock())
    for key in world.scopes:
        scopes.register_scope(ScopeSpec(key=key))
    world.wire.sent.clear()
    return world


def renamed(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
    """It is done, and the answer has another name."""
    answer = inner.handle_request(request)
    body = answer.read().replace(b"Museum shop", b"Another")
    return httpx2.Response(answer.status_code, headers={"Content-Type": "application/json"}, content=body)


class OnTheFake(AdapterConformance):
    """A subclass says how the adapter is configured."""

    slug = "pingfederate"
    token_format: ClassVar[Any] = "opaque"
    config: ClassVar[dict[str, Any]] = {}

    @contextmanager
    def running(self) -> Iterator[World]:
        with PingFederateServer(quirks=replace(HABITS, token_format=self.token_format)) as server:
            self.arrange(server)
            world = pingfederate_world(server, **self.config)
            try:
                yield world
            finally:
                world.wire.close()
            assert server.undescribed == []
            # What is as the RFCs say, and not in the vendor's description of its management.
            assert server.exchanges.passed_over <= {
                "service",
                "token",
                "authorize",
                "introspect",
                "revoke",
                "discovery",
                "jwks",
                "unknown",
            }

    def arrange(self, server: PingFederateServer) -> None:
        """Habits of the server that this subclass is about."""

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        world.wire.plan(suite.registering, renamed)
        assert "client_name" in adapter.create_client(world.client_metadata()).ignored


class TestPingFederateByTheAdminApi(OnTheFake):
    pass


class TestPingFederateWithJwtAndCommonScopes(OnTheFake):
    token_format = "jwt"
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt", "scope_kind": "common"}


class TestPingFederateWithRetainedSecrets(OnTheFake):
    config: ClassVar[dict[str, Any]] = {"two_secrets": True, "secret_retention_minutes": 30}


class TestPingFederateByTheClientService(OnTheFake):
    config: ClassVar[dict[str, Any]] = {"management": "client_service"}


class TestPingFederateByATerseClientService(OnTheFake):
    config: ClassVar[dict[str, Any]] = {"management": "client_service", "scope_kind": "common"}

    def arrange(self, server: PingFederateServer) -> None:
        server.service.wraps_one = True
        server.service.empty_answers = True

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """Without an answer to read, the client itself is read."""
        world.wire.plan(suite.reading, renamed)
        assert "client_name" in adapter.create_client(world.client_metadata()).ignored
