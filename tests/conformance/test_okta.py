"""The ``okta`` adapter on a fake organisation that is held against Okta's own description."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient, TokenFacts, TokenRequest
from keymanager.adapters.okta import OktaAdapter, OktaConfig
from tests.conformance.suite import AdapterConformance
from tests.conformance.vendor_wire import VendorWire
from tests.conformance.world import Match, World, answer, ask, registering, token_of, updating
from tests.fakes.okta_server import OktaServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def calling(method: str, path: str) -> Match:
    """A request of this method whose whole path matches."""
    pattern = re.compile(path)
    return lambda request: request.method == method and pattern.fullmatch(request.url.path) is not None


APPS: dict[Match, Match] = {
    registering: calling("POST", "/api/v1/apps"),
    updating: calling("PUT", "/api/v1/apps/[^/]+"),
}
DCR: dict[Match, Match] = {
    registering: calling("POST", "/oauth2/v1/clients"),
    updating: calling("PUT", "/oauth2/v1/clients/[^/]+"),
}


def okta_values(server: OktaServer, **more: Any) -> dict[str, Any]:
    """Configuration for a fake."""
    return {
        "issuer": server.issuer,
        "api_token": server.api_token,
        "introspection_client_id": server.gateway.client_id,
        "introspection_client_secret": server.gateway.good_secrets[0],
        **more,
    }


def okta_world(server: OktaServer, dialect: dict[Match, Match], **more: Any) -> World:
    """A world on a fake."""
    config = parse_config(OktaConfig, okta_values(server, **more))
    return World(
        wire=VendorWire(PooledTransport(LOOPBACK), dialect),
        make=lambda http: OktaAdapter(config, http, SystemClock()),
        secrets_have_ids=True,
    )


class OnOkta(AdapterConformance):
    """A subclass gives the configuration and the shape of the vendor's answers."""

    slug = "okta"
    dialect: ClassVar[dict[Match, Match]] = APPS
    config: ClassVar[dict[str, Any]] = {}
    everyone: ClassVar[bool] = False
    registers_scopes: ClassVar[bool] = True

    @contextmanager
    def running(self) -> Iterator[World]:
        with OktaServer() as server:
            if self.everyone:
                server.add_policy_for_everyone()
            world = okta_world(server, self.dialect, **self.config)
            world.registers_scopes = self.registers_scopes
            try:
                yield world
            finally:
                world.wire.close()
            assert server.undescribed == []
            # Trimmed from the description; Okta's SDK holds them (tests/integration/test_vendor_sdks.py).
            assert server.exchanges.passed_over <= {"policies", "userinfo"}

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer, as the Apps API would give it."""
        app = {
            "id": "0oa1",
            "label": "Another",
            "credentials": {"oauthClient": {"client_id": "archway-1", "client_secret": "s" * 20}},
            "settings": {"oauthClient": {"grant_types": ["implicit"]}},
        }
        world.wire.plan(registering, answer(200, json=app))
        made = adapter.create_client(world.client_metadata())
        assert {"client_name", "grant_types", "token_endpoint_auth_method"} <= set(made.ignored)


class TestByTheAppsApi(OnOkta):
    config: ClassVar[dict[str, Any]] = {"secret_rotation": "replace"}


class TestByTheAppsApiWithJwt(OnOkta):
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt", "introspection_client_id": ""}

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """Okta revokes it, and whoever checks with the keys alone does not see that until it expires."""
        token = token_of(ask(adapter, client, world.scopes[0]))
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token),),
        )
        assert adapter.revoke_token(request).status == 200
        assert isinstance(adapter.introspect(token), TokenFacts)


class TestByTheAppsApiWithOverlap(OnOkta):
    config: ClassVar[dict[str, Any]] = {"secret_rotation": "overlap"}

    def test_a_new_secret_works_and_the_old_one_does_not(self, adapter: KeyManagerAdapter, world: World) -> None:
        """Both work until the old one is dropped."""
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert rotated.handle.client_secret != made.handle.client_secret
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert ask(adapter, made, world.scopes[0]).ok
        adapter.drop_old_secret(rotated.handle)
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert not ask(adapter, made, world.scopes[0]).ok


class TestByTheAppsApiWithPoliciesByHand(OnOkta):
    config: ClassVar[dict[str, Any]] = {"client_policies": False}
    everyone = True
    registers_scopes = False


class TestByDynamicRegistration(OnOkta):
    dialect: ClassVar[dict[Match, Match]] = DCR
    config: ClassVar[dict[str, Any]] = {"management": "dcr"}

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer with Okta's status."""
        client = {"client_id": "0oa123", "client_secret": "s", "client_name": "Another", "grant_types": ["implicit"]}
        world.wire.plan(registering, answer(201, json=client))
        made = adapter.create_client(world.client_metadata())
        assert {"client_name", "client_uri", "grant_types"} <= set(made.ignored)


def test_a_dialect_replaces_only_what_it_names() -> None:
    request = httpx2.Request("POST", "http://127.0.0.1:1/api/v1/apps", json={})
    assert APPS[registering](request)
    assert not APPS[updating](request)
