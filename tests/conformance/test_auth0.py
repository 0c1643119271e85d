"""The ``auth0`` adapter on a fake tenant that is held against Auth0's own descriptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.auth0 import Auth0Adapter, Auth0Config
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_okta import calling
from tests.conformance.vendor_wire import VendorWire
from tests.conformance.world import Match, World, answer, ask, registering, updating
from tests.fakes.auth0_server import AUDIENCE, Auth0Server

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
DIALECT: dict[Match, Match] = {
    registering: calling("POST", "/api/v2/clients"),
    updating: calling("PATCH", "/api/v2/clients/[^/]+"),
}


def auth0_values(server: Auth0Server, **more: Any) -> dict[str, Any]:
    """Configuration for a fake."""
    return {
        "issuer": server.issuer,
        "management_client_id": server.manager.client_id,
        "management_client_secret": server.manager.secret,
        "audience": AUDIENCE,
        **more,
    }


def auth0_world(server: Auth0Server, **more: Any) -> World:
    """A world on a fake."""
    config = parse_config(Auth0Config, auth0_values(server, **more))
    return World(
        wire=VendorWire(PooledTransport(LOOPBACK), DIALECT),
        make=lambda http: Auth0Adapter(config, http, SystemClock()),
        revokes=False,
    )


class OnAuth0(AdapterConformance):
    """What differs from the suite differs at Auth0, and is asserted here instead."""

    slug = "auth0"
    audience: ClassVar[str] = AUDIENCE
    limits_resources: ClassVar[bool] = False
    config: ClassVar[dict[str, Any]] = {}

    @contextmanager
    def running(self) -> Iterator[World]:
        with Auth0Server(audience=self.audience) as server:
            world = auth0_world(server, **self.config)
            world.limits_resources = self.limits_resources
            try:
                yield world
            finally:
                world.wire.close()
            assert server.undescribed == []
            assert server.exchanges.passed_over <= {"metadata", "keys", "userinfo"}

    def test_a_name_with_any_character_is_kept(self, adapter: KeyManagerAdapter, world: World) -> None:
        """Angle brackets are forbidden at Auth0: they are replaced, and that is said."""
        made = adapter.create_client(world.client_metadata(client_name="Müsli & Söhne “quoted”"))
        assert made.observed["client_name"] == "Müsli & Söhne “quoted”"
        assert "client_name" not in made.ignored
        bracketed = adapter.create_client(world.client_metadata(client_name="a <b>"))
        assert bracketed.observed["client_name"] == "a ‹b›"
        assert "client_name" in bracketed.ignored

    def test_a_wrong_secret_is_an_invalid_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """Auth0's own word for it, passed on unchanged."""
        given = ask(adapter, client, world.scopes[0], client_secret="wrong")
        assert (given.status, given.body["error"]) == (401, "access_denied")

    def test_an_unknown_client_is_an_invalid_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """The same."""
        given = ask(adapter, client, world.scopes[0], client_id="no-such-client")
        assert (given.status, given.body["error"]) == (401, "access_denied")

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer in Auth0's words."""
        client = {"client_id": "c", "client_secret": "s", "name": "Another", "grant_types": ["implicit"]}
        world.wire.plan(registering, answer(201, json=client))
        made = adapter.create_client(world.client_metadata())
        assert {"archway_marker", "client_name", "grant_types", "scope"} <= set(made.ignored)


class TestOneSharedApi(OnAuth0):
    pass


class TestOneApiForEachVersion(OnAuth0):
    limits_resources = True
    audience = "urn:archway:api:museum"
    config: ClassVar[dict[str, Any]] = {"resources": "per_api", "audience": ""}
