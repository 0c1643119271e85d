"""The shared user store: one real directory (slapd), for the portal's people and for a real Keycloak as key manager."""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.runner.calls import basic
from tests.e2e.installed import Client, Installation
from tests.fakes.gateway_peers import Peer, echo
from tests.integration.keycloak_kit import config_of
from tests.integration.resident_kit import pkce
from tests.servers.form_browser import FormBrowser
from tests.servers.keycloak import Realm, administer, new_realm
from tests.servers.slapd import OPENLDAP_TREE, SlapdServer
from tests.servers.slapd import start as start_slapd

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]

CALLBACK = "https://app.example.com/callback"
PATH = "/reading/1.0.0/things"
# Much longer than what a test waits for: what is refused sooner was not refused because a conclusion grew old.
TOKEN_CACHE_SECONDS = "600"


@pytest.fixture(scope="module")
def directory() -> Iterator[SlapdServer]:
    with start_slapd() as running:
        yield running


@pytest.fixture(scope="module")
def realm(keycloak_url: str, directory: SlapdServer) -> Realm:
    """A realm without people of its own: they are the directory's (user federation, as its console would set it up)."""
    made = new_realm(keycloak_url)
    federation = {
        "name": "directory",
        "providerId": "ldap",
        "providerType": "org.keycloak.storage.UserStorageProvider",
        "parentId": administer(keycloak_url, "GET", f"/{made.name}")["id"],
        "config": {
            name: [value]
            for name, value in {
                "enabled": "true",
                "vendor": "other",
                "connectionUrl": directory.url,
                "authType": "simple",
                "bindDn": f"cn=reader,{OPENLDAP_TREE}",
                "bindCredential": "reader-password",
                "usersDn": f"ou=people,{OPENLDAP_TREE}",
                "userObjectClasses": "inetOrgPerson",
                "usernameLDAPAttribute": "uid",
                "rdnLDAPAttribute": "uid",
                "uuidLDAPAttribute": "entryUUID",
                "editMode": "READ_ONLY",
                "importEnabled": "true",
                "searchScope": "1",
            }.items()
        },
    }
    administer(keycloak_url, "POST", f"/{made.name}/components", federation)
    return made


@pytest.fixture(scope="module")
def company(
    realm: Realm, directory: SlapdServer, new_portal_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation whose people and whose key manager's people are in the directory."""
    made = Installation(
        tmp_path_factory.mktemp("shared-directory") / "home",
        database=new_portal_database,
        ARCHWAY_TOKEN_CACHE_SECONDS=TOKEN_CACHE_SECONDS,
        ARCHWAY_LDAP_URL=directory.url,
        ARCHWAY_LDAP_START_TLS="true",
        ARCHWAY_LDAP_CA_FILE=str(directory.certificate),
        ARCHWAY_LDAP_KIND="openldap",
        ARCHWAY_LDAP_BIND_DN=f"cn=reader,{OPENLDAP_TREE}",
        ARCHWAY_LDAP_BIND_PASSWORD="reader-password",
        ARCHWAY_LDAP_USER_BASE=f"ou=people,{OPENLDAP_TREE}",
        ARCHWAY_LDAP_GROUP_BASE=f"ou=groups,{OPENLDAP_TREE}",
        ARCHWAY_SIGN_IN_TEAMS="group:museum=Museum",
    )
    try:
        made.start()
        row = {"slug": "keycloak", "name": "Keycloak", "adapter": "keycloak"}
        made.admin.post("/key-managers/", {**row, "config": config_of(realm, user_store="shared")}, 201)
        yield made
    finally:
        made.stop()


def sign_in(name: str, installation: Installation) -> str:
    """The account page of ``name``, who signs in to the portal with the directory's password."""
    browser = FormBrowser("https://nowhere.example/")
    address = f"{installation.layout.web_url}/sign-in/"
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.open(address))
    assert csrf is not None
    fields = {"csrfmiddlewaretoken": csrf[1], "username": name, "password": f"{name}-password", "next": "/account/"}
    return browser.open(address, urllib.parse.urlencode(fields).encode())


def client_for_people(installation: Installation) -> Client:
    wish = {
        "key_manager": "keycloak",
        "environment": "production",
        "scopes": ["openid", "email", "books:read"],
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
    """``name`` signs in at Keycloak with the directory's password, for the client, by way of the portal's address."""
    verifier, challenge = pkce()
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid email books:read",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    portal = installation.layout.web_url
    address = f"{portal}/authorize?{urllib.parse.urlencode(query)}"
    arrived = FormBrowser(CALLBACK).sign_in_at_keycloak(address, username=name, password=f"{name}-password")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(arrived).query)["code"][0]
    form: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    headers = basic(client.client_id, client.client_secret)
    answer = installation.http.post(f"{portal}/token", data={**form, "code_verifier": verifier}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def backend_claims(answer: Any) -> dict[str, Any]:
    """What the backend was told; ``echo`` gives the headers back."""
    assertion = {name.lower(): value for name, value in answer.json()["headers"]}["x-jwt-assertion"]
    payload = assertion.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_somebody_of_the_directory_calls_with_a_token_of_keycloak_and_the_roles_that_the_portal_knows_them_by(
    company: Installation,
) -> None:
    assert "lena@example.org" in sign_in("lena", company)
    # The portal has an administrator of this name: somebody else.
    assert "ada@example.org" in sign_in("admin", company)
    with Peer(echo) as backend:
        here = f"http://127.0.0.1:{backend.port}"
        api = company.publish(
            "/reading",
            endpoints={"production": here, "sandbox": here},
            key_managers=["keycloak"],
            scope_roles={"books:read": ["Museum", "administrator"]},
            user_claims={"mail": "email"},
            backend_jwt=True,
        )
        client = client_for_people(company)
        company.subscribe(client, api)
        lena, max_, admin = (token_of(name, client, company) for name in ("lena", "max", "admin"))

        passed = company.await_status(200, PATH, lena)
        told = backend_claims(passed)
        assert (told["username"], told["mail"]) == ("lena", "lena@example.org")

        # Max is in no group of the directory, and has not even been in the portal.
        refused = company.await_status(403, PATH, max_)
        assert refused.json()["code"] == "role_missing"

        # The directory's admin is in no group either, and is not the portal's.
        refused = company.await_status(403, PATH, admin)
        assert refused.json()["code"] == "role_missing"

        # Taken out of the portal's sight, her tokens of Keycloak no longer carry the scope, long before they expire.
        lena_id = next(row["id"] for row in company.admin.get("/people/", 200)["results"] if row["username"] == "lena")
        company.admin.patch(f"/people/{lena_id}/", {"active": False}, 200)
        refused = company.await_status(403, PATH, lena, seconds=5)
        assert refused.json()["code"] == "role_missing"
