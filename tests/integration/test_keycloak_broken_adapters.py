"""The tests about Keycloak are worth something only if they fail: each broken adapter is caught by its test."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Introspection,
    RegisteredClient,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.keycloak import KeycloakAdapter
from keymanager.adapters.rfc import RfcAdapter
from tests.integration import test_keycloak_adapter as clients
from tests.integration import test_keycloak_adapter_tokens as tokens
from tests.integration.keycloak_kit import SCOPES, Bench, add_scopes, let_introspect, metadata
from tests.servers.keycloak import Realm, new_realm

pytestmark = pytest.mark.servers


class TakesOverWhateverHasTheId(KeycloakAdapter):
    def find_client(self, marker: str) -> RegisteredClient | None:
        return self._managed.read(ClientHandle(client_id=f"archway-{marker}"))


class TrustsTheListOfScopes(KeycloakAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        made = super().create_client(metadata)
        return RegisteredClient(handle=made.handle, observed={**made.observed, "scope": " ".join(metadata.scopes)})


class LeavesScopesToTheUpdate(KeycloakAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        body = {"name": metadata.client_name, "optionalClientScopes": sorted(metadata.scopes)}
        self._api.send("PUT", f"/clients/{handle.remote_id}", body, doing="", expected=(204,))
        return RegisteredClient(handle=handle, observed={"default_client_scopes": []})


class RemovesAnybodysScope(KeycloakAdapter):
    def delete_scope(self, key: str) -> None:
        self._client_scopes._remove(self._client_scopes.by_name()[key]["id"])


class PublishesEveryKey(KeycloakAdapter):
    def jwks(self) -> Mapping[str, Any]:
        return RfcAdapter.jwks(self)


class TakesAnyTokenForAnAccessToken(KeycloakAdapter):
    def introspect(self, token: str) -> Introspection:
        return RfcAdapter.introspect(self, token)


class PassesTheWrongErrorOn(KeycloakAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        return RfcAdapter.issue_token(self, request)


class EndsNoTokens(KeycloakAdapter):
    def revoke_all(self, handle: ClientHandle) -> None:
        self._managed.end_tokens(handle, until=1)


class ReportsItself(KeycloakAdapter):
    def changes_since(self, cursor: str) -> tuple[tuple[str, ...], str]:
        changed, following = super().changes_since(cursor)
        return (*changed, "archway-ours"), following


def a_wrong_secret_is_an_invalid_client(bench: Bench, marker: str) -> None:
    """What the conformance suite asks."""
    made = bench.adapter.create_client(metadata(marker))
    assert bench.ask(made, secret="wrong").body["error"] == "invalid_client"


def an_id_token_is_not_accepted(bench: Bench, marker: str) -> None:
    """Where we may ask about every token, Keycloak calls an ID token active, too."""
    let_introspect(bench.realm)
    grants = (*tokens.PEOPLE, "authorization_code")
    made = bench.adapter.create_client(metadata(marker, grant_types=grants, redirect_uris=("https://app.example/b",)))
    found = tokens.person_tokens(bench, made)
    assert bench.adapter.introspect(found["id_token"]).__class__.__name__ == "Inactive"


CAUGHT: list[tuple[type[KeycloakAdapter], Callable[..., None]]] = [
    (TakesOverWhateverHasTheId, clients.test_a_client_of_somebody_else_under_our_id_is_never_taken_over),
    (TrustsTheListOfScopes, clients.test_a_scope_that_keycloak_dropped_is_named),
    (LeavesScopesToTheUpdate, clients.test_a_scope_that_became_a_default_by_hand_becomes_optional_again),
    (ReportsItself, clients.test_what_others_change_is_reported_once_and_what_we_change_is_not),
    (
        RemovesAnybodysScope,
        lambda bench, marker: clients.test_a_scope_that_others_made_is_neither_changed_nor_removed(bench),
    ),
    (PublishesEveryKey, lambda bench, marker: tokens.test_the_key_set_has_keys_for_signatures_only(bench)),
    (PassesTheWrongErrorOn, a_wrong_secret_is_an_invalid_client),
    (TakesAnyTokenForAnAccessToken, an_id_token_is_not_accepted),
    (
        EndsNoTokens,
        lambda bench, marker: tokens.test_after_all_tokens_were_revoked_new_ones_are_soon_good(
            bench, bench.adapter.create_client(metadata(marker))
        ),
    ),
]


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    made = new_realm(keycloak_url)
    add_scopes(made, *SCOPES)
    return made


@pytest.mark.parametrize(("broken", "test"), CAUGHT, ids=[broken.__name__ for broken, _ in CAUGHT])
def test_a_broken_adapter_is_caught(broken: type[KeycloakAdapter], test: Callable[..., None], realm: Realm) -> None:
    grants = ["client_credentials", "authorization_code", "password", "refresh_token"]
    bench = Bench(realm, adapter_class=broken, grant_types=grants)
    try:
        with pytest.raises((AssertionError, ArchwayError, Failed, KeyError)):
            test(bench=bench, marker=str(uuid.uuid4()))
    finally:
        bench.close()
