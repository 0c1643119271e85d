"""The ``keycloak`` adapter on a real Keycloak, by administration and by dynamic registration."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx2
import pytest

from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient, TokenRequest
from keymanager.adapters.keycloak import KeycloakAdapter, KeycloakConfig
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World, ask, reading, registering, token_of, updating
from tests.integration.keycloak_kit import LOOPBACK, ONE_SECRET, SCOPES, add_scopes, config_of, let_introspect
from tests.servers.keycloak import Realm, new_realm

pytestmark = pytest.mark.servers


def making_a_client(request: httpx2.Request) -> bool:
    """A creation by the administration API."""
    return request.method == "POST" and request.url.path.endswith("/clients")


def changing_a_client(request: httpx2.Request) -> bool:
    """A change of a client's own members."""
    return request.method == "PUT" and request.url.path.split("/")[-2] == "clients"


def reading_a_client(request: httpx2.Request) -> bool:
    """A read of one client."""
    return request.method == "GET" and request.url.path.split("/")[-2] == "clients"


class OnKeycloak(AdapterConformance):
    """A realm of its own for every class."""

    slug = "keycloak"
    realm_changes: ClassVar[dict[str, Any]] = {}
    config: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": False}
    meanings: ClassVar[dict[Any, Any]] = {
        registering: making_a_client,
        updating: changing_a_client,
        reading: reading_a_client,
    }

    @pytest.fixture(scope="class")
    @classmethod
    def realm(cls, keycloak_url: str) -> Realm:
        made = new_realm(keycloak_url, **cls.realm_changes)
        add_scopes(made, *SCOPES)
        return made

    @pytest.fixture
    def world(self, realm: Realm) -> Iterator[World]:
        config = parse_config(KeycloakConfig, config_of(realm, **self.config))
        world = World(
            wire=Wire(PooledTransport(LOOPBACK), self.meanings),
            make=lambda http: KeycloakAdapter(config, http, SystemClock()),
            **self.expected,
        )
        yield world
        world.wire.close()


class ByAdministration(OnKeycloak):
    """Answers to a creation are empty here, so another client has to be made for the suite's test of what was kept."""

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        def renamed(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
            body = {**json.loads(request.content), "name": "Another"}
            headers = {key: value for key, value in request.headers.items() if key != "content-length"}
            return inner.handle_request(httpx2.Request("POST", request.url, headers=headers, json=body))

        world.wire.plan(registering, renamed)
        made = adapter.create_client(world.client_metadata())
        assert "client_name" in made.ignored


class TestOneSecret(ByAdministration):
    """Whatever the realm's policy says, the replaced secret ends."""


class TestRealmThatKnowsNoSecondSecret(ByAdministration):
    realm_changes = ONE_SECRET


class TestTwoSecretsInOverlap(ByAdministration):
    config: ClassVar[dict[str, Any]] = {"secret_rotation": "overlap"}


class TestTokensCheckedByKeys(ByAdministration):
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}
    expected: ClassVar[dict[str, Any]] = {}

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """Keycloak revokes it, and whoever checks with the keys alone does not see that until it expires."""
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token_of(ask(adapter, client, world.scopes[0]))),),
        )
        assert adapter.revoke_token(request).status == 200

    def test_revoking_all_ends_every_token_of_the_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient, realm: Realm
    ) -> None:
        """As above: at Keycloak they have ended."""
        token = token_of(ask(adapter, client, world.scopes[0]))
        adapter.revoke_all(client.handle)
        introspecting = parse_config(KeycloakConfig, config_of(realm))
        assert KeycloakAdapter(introspecting, adapter.http, SystemClock()).introspect(token).__class__.__name__ == (
            "Inactive"
        )


class TestDynamicRegistration(OnKeycloak):
    """The right to register is a token of our own client."""

    config: ClassVar[dict[str, Any]] = {"management": "dcr"}
    meanings: ClassVar[dict[Any, Any]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def realm(cls, keycloak_url: str) -> Realm:
        made = new_realm(keycloak_url, **cls.realm_changes)
        add_scopes(made, *SCOPES)
        let_introspect(made)
        return made
