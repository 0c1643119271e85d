"""The ``entra`` adapter on the fake directory, every exchange held against Microsoft's own description of Graph."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, ScopeSpec
from keymanager.adapters.entra import EntraAdapter, EntraConfig
from tests.conformance import world as suite
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Match, Wire, World, ask
from tests.fakes.entra_server import EntraServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def registering(request: httpx2.Request) -> bool:
    """The upsert of a client."""
    return request.method == "PATCH" and "uniqueName" in request.url.path and b"archway-client" in request.content


def updating(request: httpx2.Request) -> bool:
    """The change of a client."""
    return request.method == "PATCH" and "/applications/" in request.url.path and b"isFallback" in request.content


def asking_for_a_token(request: httpx2.Request) -> bool:
    """A token request for the exposed API."""
    return request.url.path.endswith("/token") and b"archway%2F.default" in request.content


def values_for(server: EntraServer, **changes: Any) -> dict[str, Any]:
    """Configuration for a fake directory."""
    version = 1 if changes.get("access_token_version") == "v1.0" else 2
    return {
        "tenant_id": server.tenant,
        "issuer": server.login.issuer(version),
        "client_id": server.admin[0],
        "client_secret": server.admin[1],
        "authority": server.origin,
        "graph_url": server.origin,
        **changes,
    }


def entra_world(server: EntraServer, **changes: Any) -> World:
    """A world on a fake directory that knows the suite's scopes."""
    config = parse_config(EntraConfig, values_for(server, **changes))
    meanings: dict[Match, Match] = {
        suite.registering: registering,
        suite.updating: updating,
        suite.asking_for_a_token: asking_for_a_token,
    }
    wire = Wire(PooledTransport(LOOPBACK), meanings)
    world = World(
        wire=wire,
        make=lambda http: EntraAdapter(config, http, SystemClock()),
        limits_resources=True,
        secrets_have_ids=True,
    )
    adapter = world.adapter()
    for key in world.scopes:
        adapter.register_scope(ScopeSpec(key=key))
    world.wire.sent.clear()
    return world


def renamed(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
    """It is done, and the answer has another name."""
    answer = inner.handle_request(request)
    body = answer.read().replace(b"Museum shop", b"Another")
    return httpx2.Response(answer.status_code, headers={"Content-Type": "application/json"}, content=body)


class OnTheFakeDirectory(AdapterConformance):
    """A subclass says how the adapter is configured."""

    slug = "entra"
    config: ClassVar[dict[str, Any]] = {}

    @contextmanager
    def running(self) -> Iterator[World]:
        with EntraServer() as server:
            world = entra_world(server, **self.config)
            try:
                yield world
            finally:
                world.wire.close()
            assert server.undescribed == []
            # What is as the RFCs say, and not in the vendor's description of its management.
            assert server.exchanges.passed_over <= {"token", "authorize", "discovery", "jwks", "unknown"}

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        world.wire.plan(suite.registering, renamed)
        assert "client_name" in adapter.create_client(world.client_metadata()).ignored

    def test_an_unknown_client_is_an_invalid_client(
        self, adapter: KeyManagerAdapter, world: World, client: Any
    ) -> None:
        """Entra's own answer to it is another one, and is passed on as it came."""
        given = ask(adapter, client, world.scopes[0], client_id="no-such-client")
        assert (given.status, given.body["error"], given.body["error_codes"]) == (400, "unauthorized_client", [700016])


class TestEntraWithTokensOfVersion2(OnTheFakeDirectory):
    config: ClassVar[dict[str, Any]] = {"two_secrets": False}


class TestEntraWithTokensOfVersion1(OnTheFakeDirectory):
    config: ClassVar[dict[str, Any]] = {"access_token_version": "v1.0"}


class TestEntraWithTwoSecrets(OnTheFakeDirectory):
    config: ClassVar[dict[str, Any]] = {"two_secrets": True, "secret_days": 90, "trial_client": True}
