"""Share users only: people sign in at a real Keycloak, clients and tokens are the resident key manager's."""

import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.runner.calls import basic
from tests.e2e.installed import Client, Installation
from tests.fakes.gateway_peers import Peer, echo
from tests.integration.resident_kit import pkce
from tests.servers.form_browser import FormBrowser
from tests.servers.keycloak import PORTAL_CLIENT_ID, PORTAL_CLIENT_SECRET, Realm, administer, new_realm

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]

CALLBACK = "https://app.example.com/callback"


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    return new_realm(keycloak_url)


@pytest.fixture(scope="module")
def federated(
    realm: Realm, new_portal_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation whose people come from the realm."""
    made = Installation(
        tmp_path_factory.mktemp("federated") / "home",
        database=new_portal_database,
        ARCHWAY_OIDC_ISSUER=realm.issuer,
        ARCHWAY_OIDC_CLIENT_ID=PORTAL_CLIENT_ID,
        ARCHWAY_OIDC_CLIENT_SECRET=PORTAL_CLIENT_SECRET,
        ARCHWAY_SIGN_IN_TEAMS="group:museum=Museum",
    )
    client = administer(realm.server_url, "GET", f"/{realm.name}/clients?clientId={PORTAL_CLIENT_ID}")[0]
    addresses = {**client, "redirectUris": [f"{made.layout.web_url}/sign-in/openid/callback/"]}
    administer(realm.server_url, "PUT", f"/{realm.name}/clients/{client['id']}", addresses)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def a_client_for_people(installation: Installation) -> Client:
    """An active client that people may sign in with."""
    wish = {
        "key_manager": "resident",
        "environment": "production",
        "scopes": ["books:read"],
        "grant_types": ["authorization_code"],
        "redirect_uris": [CALLBACK],
    }
    made = installation.store.post("/applications/", {"name": "Reading room", "credentials": [wish]}, 201)
    credential = str(made["credentials"][0]["id"])
    installation.await_active(credential)
    keys = installation.store.post(f"/credentials/{credential}/reveal-secret/", {}, 200)
    return Client(
        application=str(made["id"]),
        credential=credential,
        client_id=keys["client_id"],
        client_secret=keys["client_secret"],
    )


def token_of(name: str, client: Client, installation: Installation) -> str:
    """``name`` signs in at Keycloak on the way, and approves the client."""
    verifier, challenge = pkce()
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "scope": "books:read",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    portal = installation.layout.web_url
    browser = FormBrowser(CALLBACK)
    path = f"/resident/authorize?{urllib.parse.urlencode(query)}"
    button = f"{portal}/sign-in/openid/?{urllib.parse.urlencode({'next': path})}"
    page = browser.fill_in_keycloaks_form(button, username=name, password=f"{name}-password")
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"[^$]*Reading room', page)
    assert csrf is not None, page
    browser.open(f"{portal}{path}", urllib.parse.urlencode({"csrfmiddlewaretoken": csrf[1], "allow": "yes"}).encode())
    assert browser.arrived is not None
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.arrived).query)["code"][0]
    form: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    answer = installation.http.post(
        f"{portal}/token",
        data={**form, "code_verifier": verifier},
        headers=basic(client.client_id, client.client_secret),
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_a_token_of_somebody_who_signed_in_at_keycloak_works_at_the_gateway_with_what_their_groups_give(
    federated: Installation,
) -> None:
    federated.admin.patch("/key-managers/resident/", {"config": {"user_store": "shared"}}, 200)
    client = a_client_for_people(federated)
    with Peer(echo) as backend:
        here = f"http://127.0.0.1:{backend.port}"
        endpoints = {"production": here, "sandbox": here}
        api = federated.publish("/reading", endpoints=endpoints, scope_roles={"books:read": ["Museum"]})
        federated.subscribe(client, api)

        federated.await_status(200, "/reading/1.0.0/things", token_of("alice", client, federated))
        # Carol has no group there, so no team here.
        refused = federated.await_status(403, "/reading/1.0.0/things", token_of("carol", client, federated))

    assert refused.json()["code"] == "role_missing"
