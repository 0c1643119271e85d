"""Token exchange (RFC 8693) at the portal's token endpoint, in front of a real Keycloak."""

from collections.abc import Iterator

import httpx2
import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from keymanager.adapters.contract import TOKEN_EXCHANGE
from keymanager.models import KeyManager
from keymanager.services.key_managers import create_key_manager
from tests.integration.front_door_kit import ADMINISTRATOR, Client, Person, Portal, make_client, make_person
from tests.integration.keycloak_kit import SCOPES, add_scopes, config_of
from tests.servers.keycloak import Realm, administer, new_realm

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    made = new_realm(keycloak_url)
    add_scopes(made, *SCOPES)
    return made


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture
def key_manager(realm: Realm) -> KeyManager:
    return create_key_manager(
        actor=ADMINISTRATOR, slug="keycloak", name="Keycloak", adapter="keycloak", config=config_of(realm)
    )


def client(person: Person, key_manager: KeyManager, name: str, *grant_types: str) -> Client:
    return make_client(person, key_manager, name, grant_types=grant_types, redirect_uris=(), scopes=SCOPES)


def let_exchange(realm: Realm, subject: Client, asking: Client) -> None:
    """What an administrator of the realm does: tokens of ``subject`` are for ``asking`` too."""
    found = administer(realm.server_url, "GET", f"/{realm.name}/clients?clientId={subject.client_id}")[0]
    mapper = {
        "name": "asking",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": asking.client_id, "access.token.claim": "true"},
    }
    administer(realm.server_url, "POST", f"/{realm.name}/clients/{found['id']}/protocol-mappers/models", mapper)


def exchange(portal: Portal, asking: Client, token: str, **more: str) -> httpx2.Response:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, **more}
    return portal.http.post("/token", data=form, auth=asking.basic)


def test_a_token_is_exchanged_at_the_key_manager_of_the_client_that_asks(
    portal: Portal, person: Person, key_manager: KeyManager, realm: Realm
) -> None:
    subject = client(person, key_manager, "front end", "client_credentials")
    asking = client(person, key_manager, "service", TOKEN_EXCHANGE)
    token = portal.token(subject, scope=SCOPES[0])["access_token"]

    refused = exchange(portal, asking, token)
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")

    let_exchange(realm, subject, asking)
    token = portal.token(subject, scope=SCOPES[0])["access_token"]
    # What the client may not have is not asked for, as with every grant.
    answer = exchange(portal, asking, token, scope=f"{SCOPES[0]} not:subscribed")

    assert answer.status_code == 200, answer.text
    assert answer.json()["issued_token_type"] == ACCESS_TOKEN
    assert answer.json()["scope"] == SCOPES[0]
    told = portal.introspect(answer.json()["access_token"], asking)
    assert (told["active"], told["client_id"]) == (True, asking.client_id)
    assert told["sub"] == portal.introspect(token, subject)["sub"]


def test_a_client_without_the_grant_may_not_exchange_and_the_token_must_be_named(
    portal: Portal, person: Person, key_manager: KeyManager
) -> None:
    machine = client(person, key_manager, "machine", "client_credentials")
    assert exchange(portal, machine, "a.b.c").json()["error"] == "unauthorized_client"
    asking = client(person, key_manager, "service", TOKEN_EXCHANGE)
    another: dict[str, str] = {"requested_subject": "admin"}
    for more in ({"subject_token": ""}, {"subject_token_type": ""}, {"actor_token": "a.b.c"}, another):
        answer = exchange(portal, asking, "a.b.c", **more)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    in_the_address = portal.http.post("/token", params={"subject_token": "a.b.c"}, data={}, auth=asking.basic)
    assert (in_the_address.status_code, in_the_address.json()["error"]) == (400, "invalid_request")
    assert TOKEN_EXCHANGE in portal.http.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]
