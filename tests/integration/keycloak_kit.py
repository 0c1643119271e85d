"""A realm of a real Keycloak with an adapter on it."""

from typing import Any

from common.address_guard import AddressGuard
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientMetadata,
    RegisteredClient,
    StepState,
    TokenAnswer,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.keycloak import KeycloakAdapter, KeycloakConfig
from tests.conformance.world import Wire
from tests.jobs.kit import MovedClock
from tests.servers.keycloak import KM_CLIENT_ID, KM_CLIENT_SECRET, Realm, administer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
SCOPES = ("museum:read", "museum:write")
# Without the client policy, as in a realm where nobody asked for two secrets.
ONE_SECRET: dict[str, Any] = {"clientPolicies": {"policies": []}, "clientProfiles": {"profiles": []}}


def config_of(realm: Realm, **values: Any) -> dict[str, Any]:
    """The settings of a key manager on the realm."""
    return {"issuer": realm.issuer, "client_id": KM_CLIENT_ID, "client_secret": KM_CLIENT_SECRET, **values}


def add_scopes(realm: Realm, *names: str) -> None:
    """Client scopes that an administrator of the realm made, for every client that may want them."""
    for name in names:
        body = {"name": name, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
        made = administer(realm.server_url, "POST", f"/{realm.name}/client-scopes", body)
        scope_id = str(made).rpartition("/")[2]
        administer(realm.server_url, "PUT", f"/{realm.name}/default-optional-client-scopes/{scope_id}")


def let_introspect(realm: Realm) -> None:
    """Our client may ask about every token, whoever it is for."""
    found = administer(realm.server_url, "GET", f"/{realm.name}/clients?clientId={KM_CLIENT_ID}")[0]
    body = {"attributes": {"allow.token.introspection.without.audience.check": "true"}}
    administer(realm.server_url, "PUT", f"/{realm.name}/clients/{found['id']}", body)


class Bench:
    """An adapter on a realm, over a wire that can misbehave."""

    def __init__(self, realm: Realm, *, adapter_class: type[KeycloakAdapter] = KeycloakAdapter, **values: Any) -> None:
        self.realm = realm
        self.wire = Wire(PooledTransport(LOOPBACK))
        self.config = parse_config(KeycloakConfig, config_of(realm, **values))
        self.clock = MovedClock()
        self.adapter = adapter_class(self.config, HttpClient(transport=self.wire), self.clock)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """What an administrator of the realm does, below the realm."""
        return administer(self.realm.server_url, method, f"/{self.realm.name}{path}", body)

    def document(self, client_id: str) -> dict[str, Any]:
        """A client as the server has it."""
        found: dict[str, Any] = self.admin("GET", f"/clients?clientId={client_id}")[0]
        return found

    def ask(self, client: RegisteredClient, *parameters: tuple[str, str], secret: str = "") -> TokenAnswer:
        """A machine's token request."""
        return self.adapter.issue_token(
            TokenRequest(
                client_id=client.handle.client_id,
                client_secret=secret or client.handle.client_secret,
                parameters=(("grant_type", "client_credentials"), *parameters),
            )
        )

    def audience(self, client: RegisteredClient, scope: str = "") -> tuple[str, ...]:
        """Whom a fresh token is for, as introspection says."""
        facts = self.adapter.introspect(self.token(client, scope))
        assert isinstance(facts, TokenFacts)
        return facts.aud

    def token(self, client: RegisteredClient, scope: str = "") -> str:
        """The access token of a good answer."""
        given = self.ask(client, *((("scope", scope),) if scope else ()))
        assert given.ok, given.status
        return str(given.body["access_token"])

    def steps(self) -> dict[str, tuple[StepState, str]]:
        """The connection check by name of step."""
        return {step.name: (step.state, step.reason) for step in self.adapter.check()}

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()


def metadata(marker: str, **changes: Any) -> ClientMetadata:
    """A machine client that may read."""
    values: dict[str, Any] = {"client_name": "Shop", "scopes": frozenset({SCOPES[0]})}
    return ClientMetadata(marker=marker, **{**values, **changes})
