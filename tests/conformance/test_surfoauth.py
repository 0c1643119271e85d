"""The ``surfoauth`` adapter on the fake that answers as a recorded SurfOAuth did."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, Resource, ScopeSpec
from keymanager.adapters.surfoauth import SurfOAuthAdapter, SurfOAuthConfig
from tests.conformance import world as rfc
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Behaviour, Match, Wire, World, answer, ask, token_of
from tests.fakes.surfoauth import SurfOAuthServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
ADMIN = "portal-adapter"


def registering(request: httpx2.Request) -> bool:
    """Clients are created by PUT."""
    return request.method == "PUT" and request.url.path.endswith("/client")


def updating(request: httpx2.Request) -> bool:
    """Clients are updated by POST."""
    return request.method == "POST" and "/client/" in request.url.path


def asking_for_a_token(request: httpx2.Request) -> bool:
    """A request of an application's client: ours asks for read and write."""
    return request.url.path == "/oauth2/token" and b"read%2Cwrite" not in request.content


def introspecting(request: httpx2.Request) -> bool:
    """Tokens are looked up by GET."""
    return request.url.path == "/v1/tokeninfo"


def reading(request: httpx2.Request) -> bool:
    """Reads of the administration."""
    return request.method == "GET" and request.url.path.startswith("/admin/")


_HERE: dict[Match, Match] = {
    rfc.registering: registering,
    rfc.updating: updating,
    rfc.asking_for_a_token: asking_for_a_token,
    rfc.introspecting: introspecting,
    rfc.reading: reading,
}


class SurfOAuthWire(Wire):
    """Recognises SurfOAuth's calls where the suite speaks of those of the RFCs."""

    def plan(self, match: Match, behaviour: Behaviour) -> None:
        super().plan(_HERE.get(match, match), behaviour)

    def matching(self, match: Match) -> list[httpx2.Request]:
        return super().matching(_HERE.get(match, match))


def surfoauth_world(server: SurfOAuthServer, **values: Any) -> World:
    """A world on a fake server, the portal being an ordinary admin client."""
    server.add_admin_client(ADMIN, "secret-of-the-portal")
    own = {"base_url": server.base_url, "admin_client_id": ADMIN, "admin_client_secret": "secret-of-the-portal"}
    config = parse_config(SurfOAuthConfig, {**own, **values})
    return World(
        wire=SurfOAuthWire(PooledTransport(LOOPBACK)),
        make=lambda http: SurfOAuthAdapter(config, http, SystemClock()),
        tokens_survive_client=False,
    )


class OnSurfOAuth(AdapterConformance):
    """A subclass says how the adapter is configured."""

    slug = "surfoauth"
    config: ClassVar[dict[str, Any]] = {}

    @contextmanager
    def running(self) -> Iterator[World]:
        with SurfOAuthServer() as server:
            world = surfoauth_world(server, **self.config)
            self.prepare(world)
            world.wire.sent.clear()
            try:
                yield world
            finally:
                world.wire.close()

    def prepare(self, world: World) -> None:
        """Make the scopes known."""
        adapter = world.adapter()
        for key in world.scopes:
            adapter.register_scope(ScopeSpec(key=key))

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """As in the suite, with an answer of SurfOAuth's shape."""
        metadata = world.client_metadata()
        made = {"id": 7, "clientId": metadata.marker, "secret": "s", "description": "Another", "scopes": ["other"]}
        world.wire.plan(registering, answer(201, json=made))
        assert {"client_name", "scope"} <= set(adapter.create_client(metadata).ignored)

    def test_no_secret_is_in_any_url(self, adapter: KeyManagerAdapter, world: World) -> None:
        """``tokeninfo`` takes the token in its query and nowhere else; nothing else may carry a secret there."""
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        token = token_of(ask(adapter, made, world.scopes[0]))
        adapter.introspect(token)
        adapter.delete_client(adapter.update_client(made.handle, metadata).handle)
        for request in world.wire.sent:
            assert made.handle.client_secret not in str(request.url)
            assert token not in str(request.url) or introspecting(request)


class TestWithOneResourceServer(OnSurfOAuth):
    pass


class TestWithClientsMadeAgainForANewSecret(OnSurfOAuth):
    config: ClassVar[dict[str, Any]] = {"rotation": "recreate"}


class TestWithOneResourceServerPerApi(OnSurfOAuth):
    config: ClassVar[dict[str, Any]] = {"resource_servers": "per_api"}

    def prepare(self, world: World) -> None:
        scopes = frozenset(world.scopes)
        world.adapter().register_resource(Resource(identifier="urn:api:museum", name="Museum", scopes=scopes))
