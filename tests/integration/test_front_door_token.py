"""``/token``, ``/authorize`` and the metadata, over HTTP, in front of a fake identity provider."""

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx2
import pytest
from oauth2_provider.models import get_application_model
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from common.errors import InputError
from keymanager.adapters.contract import TOKEN_EXCHANGE
from keymanager.models import KeyManager
from keymanager.services.adapters import close_adapters
from keymanager.services.key_managers import ensure_resident
from subscriptions.services.applications import start_removal
from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.front_door_kit import CALLBACK, Client, Person, Portal, fake, make_client, make_person

pytestmark = pytest.mark.django_db(transaction=True)
MACHINE = {"grant_type": "client_credentials"}
NO_AUTH = httpx2.USE_CLIENT_DEFAULT


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture
def idp() -> Iterator[tuple[RfcServer, KeyManager]]:
    with fake() as running:
        yield running


@pytest.fixture
def client(idp: tuple[RfcServer, KeyManager], person: Person) -> Client:
    return make_client(person, idp[1])


@pytest.mark.parametrize("placement", ["basic", "body"])
def test_a_client_gets_a_token_of_its_key_manager(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client, placement: str
) -> None:
    form = MACHINE | {"scope": "read"}
    if placement == "body":
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}

    answer = portal.http.post("/token", data=form, auth=client.basic if placement == "basic" else NO_AUTH)

    assert answer.status_code == 200, answer.text
    assert idp[0].tokens[answer.json()["access_token"]].client_id == client.client_id
    assert (answer.json()["scope"], answer.json()["token_type"]) == ("read", "Bearer")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


@pytest.mark.parametrize("encoding", ["raw", "form"])
def test_basic_credentials_may_be_raw_or_form_encoded(portal: Portal, person: Person, encoding: str) -> None:
    with fake(Quirks(awkward_secrets=True)) as (_, key_manager):
        client = make_client(person, key_manager)
        pair = client.basic if encoding == "raw" else tuple(quote_plus(part) for part in client.basic)
        header = base64.b64encode(":".join(pair).encode()).decode()

        answer = portal.http.post("/token", data=MACHINE, headers={"Authorization": f"Basic {header}"})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": TOKEN_EXCHANGE, "subject_token": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_secret": "again"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "another"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_assertion": "x"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "unknown"}, 400, "invalid_scope"),
        ({"grant_type": "authorization_code", "code": "made-up"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused_in_the_words_of_rfc_6749(
    portal: Portal, client: Client, form: dict[str, str], status: int, error: str
) -> None:
    answer = portal.http.post("/token", data=form, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_repeated_parameter_is_refused(portal: Portal, client: Client) -> None:
    body = "grant_type=client_credentials&scope=read&scope=museum%3Aread"

    answer = portal.http.post(
        "/token",
        content=body,
        auth=client.basic,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "scope" in answer.json()["error_description"]


def test_a_secret_in_the_address_is_refused(portal: Portal, client: Client) -> None:
    answer = portal.http.post(
        "/token", params={"client_id": client.client_id, "client_secret": client.client_secret}, data=MACHINE
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_only_posted_forms_are_token_requests(portal: Portal, client: Client) -> None:
    read = portal.http.get("/token", auth=client.basic)
    as_json = portal.http.post("/token", json=MACHINE, auth=client.basic)

    assert (read.status_code, read.headers["allow"], read.json()["error"]) == (405, "POST", "invalid_request")
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("auth", [("nobody", "secret"), ("", ""), NO_AUTH])
def test_an_unknown_client_is_401_with_a_challenge(portal: Portal, auth: Any) -> None:
    answer = portal.http.post("/token", data=MACHINE, auth=auth)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_wrong_secret_is_refused_by_the_key_manager_and_passed_through(portal: Portal, client: Client) -> None:
    answer = portal.http.post("/token", data=MACHINE, auth=(client.client_id, "wrong"))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Basic realm="fake"'


def test_a_grant_that_the_client_was_not_registered_for_is_unauthorized(
    portal: Portal, idp: tuple[RfcServer, KeyManager], person: Person
) -> None:
    client = make_client(person, idp[1], grant_types=("client_credentials",), redirect_uris=())

    answer = portal.http.post(
        "/token", data={"grant_type": "password", "username": "alice", "password": "x"}, auth=client.basic
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_client_of_a_removed_application_is_unknown_at_once(portal: Portal, person: Person, client: Client) -> None:
    start_removal(actor=person.actor, application=client.credential.application)

    answer = portal.http.post("/token", data=MACHINE, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_id_at_two_key_managers_needs_the_address_with_the_key_manager(
    portal: Portal, person: Person, client: Client
) -> None:
    with fake(slug="other") as (_, other):
        twin = make_client(person, other, name="twin")
        type(twin.credential).objects.filter(pk=twin.credential.pk).update(client_id=client.client_id)

        plain = portal.http.post("/token", data=MACHINE, auth=client.basic)
        named = portal.http.post("/token/fake", data=MACHINE, auth=client.basic)
        nowhere = portal.http.post("/token/nowhere", data=MACHINE, auth=client.basic)

    assert (plain.status_code, plain.json()["error"]) == (400, "invalid_request")
    assert "/token/fake or /token/other" in plain.json()["error_description"]
    assert named.status_code == 200
    assert (nowhere.status_code, nowhere.json()["error"]) == (401, "invalid_client")


def test_a_key_manager_that_is_switched_off_is_503(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    KeyManager.objects.filter(pk=idp[1].pk).update(enabled=False)

    answer = portal.http.post("/token", data=MACHINE, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (Fault.refused(503), 503, "temporarily_unavailable"),
        (Fault.html(), 502, "server_error"),
    ],
)
def test_a_key_manager_in_trouble_is_told_apart_from_a_refusal(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client, fault: Fault, status: int, error: str
) -> None:
    idp[0].fault("token", fault)

    answer = portal.http.post("/token", data=MACHINE, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_public_client_must_use_pkce(portal: Portal, idp: tuple[RfcServer, KeyManager], person: Person) -> None:
    public = make_client(
        person,
        idp[1],
        token_endpoint_auth_method="none",
        grant_types=("authorization_code", "refresh_token"),
    )
    ask: dict[str, Any] = {"client_id": public.client_id, "response_type": "code", "state": "xyz"}

    refused = portal.http.get("/authorize", params=ask)
    code = portal.http.post(
        "/token", data={"grant_type": "authorization_code", "code": "c", "client_id": public.client_id}
    )

    assert refused.status_code == 302
    assert parse_qs(urlsplit(refused.headers["location"]).query) == {"error": ["invalid_request"], "state": ["xyz"]}
    assert (code.status_code, code.json()["error"]) == (400, "invalid_request")
    assert "code_verifier" in code.json()["error_description"]


def test_authorize_redirects_to_the_key_manager_with_the_query_unchanged(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    query = f"response_type=code&client_id={client.client_id}&scope=read%20museum:read&state=a%2Bb&unknown="

    answer = portal.http.get(f"/authorize?{query}")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"{idp[0].issuer}/authorize?{query}"


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "nobody", "redirect_uri": "https://evil.example"},
        {"redirect_uri": CALLBACK},
        {"client_id": "{client_id}", "redirect_uri": "https://evil.example"},
        {"client_id": "{client_id}", "redirect_uri": f"{CALLBACK}/more"},
    ],
)
def test_authorize_never_redirects_to_what_is_not_registered(
    portal: Portal, client: Client, query: dict[str, str]
) -> None:
    asked = {name: value.replace("{client_id}", client.client_id) for name, value in query.items()}

    answer = portal.http.get("/authorize", params={"response_type": "code", **asked})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "location" not in answer.headers


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_the_password_grant_of_the_resident_key_manager_is_offered_where_the_operator_allows_it(
    portal: Portal, person: Person, settings: Settings, token_format: str
) -> None:
    resident = ensure_resident()
    with pytest.raises(InputError, match="does not offer password"):
        make_client(person, resident, name="refused", grant_types=("password",), scopes=())
    settings.ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT = True
    close_adapters()
    client = make_client(person, resident, grant_types=("password", "refresh_token"), redirect_uris=(), scopes=())
    get_application_model().objects.update(access_token_format=token_format)
    form = {"grant_type": "password", "username": "ada", "password": "correct horse battery"}

    answer = portal.http.post("/token", data=form, auth=client.basic)

    assert answer.status_code == 200, answer.text
    assert answer.json()["refresh_token"]
    token = answer.json()["access_token"]
    assert (token.count(".") == 2) == (token_format == "jwt")
    known = portal.http.post("/introspect", data={"token": token}, auth=client.basic).json()
    assert (known["active"], known["username"]) == (True, "ada")
    close_adapters()


def test_the_metadata_lists_the_grant_types_that_some_key_manager_offers(portal: Portal, settings: Settings) -> None:
    ensure_resident()

    def grant_types() -> list[str]:
        close_adapters()
        answer = portal.http.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]
        return list(answer)

    assert grant_types() == ["client_credentials", "authorization_code", "refresh_token"]
    settings.ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT = True
    assert grant_types()[-1] == "password"
    close_adapters()


def test_the_metadata_names_endpoints_that_exist(portal: Portal) -> None:
    metadata = portal.http.get("/.well-known/oauth-authorization-server").json()

    assert metadata["issuer"] == portal.url
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint", "registration_endpoint"):
        assert portal.http.get(metadata[name]).status_code == 405
    assert portal.http.get(metadata["authorization_endpoint"]).status_code == 400
    assert portal.http.get(metadata["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"


def test_neither_token_nor_secret_is_logged_or_stored(
    portal: Portal, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    token = portal.token(client)["access_token"]

    assert token not in caplog.text
    assert client.client_secret not in caplog.text
