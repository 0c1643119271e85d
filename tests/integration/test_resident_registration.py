"""Registration of clients at the embedded authorization server."""

from typing import Any

import httpx2
import pytest

from keymanager.resident.management import management_token
from keymanager.resident.models import Client
from tests.integration.resident_kit import CALLBACK, ResidentUnderTest

pytestmark = pytest.mark.django_db


@pytest.fixture
def resident() -> ResidentUnderTest:
    under_test = ResidentUnderTest()
    under_test.add_scopes("read", "write")
    return under_test


def with_its_own_token(
    resident: ResidentUnderTest, method: str, client: dict[str, Any], document: object = None
) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {client['registration_access_token']}"}
    return resident.http.request(method, client["registration_client_uri"], headers=headers, json=document)


def test_a_registration_honours_every_member_and_answers_as_rfc_7591_says(resident: ResidentUnderTest) -> None:
    asked = {
        "client_name": "Orders app",
        "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
        "response_types": ["code"],
        "redirect_uris": [CALLBACK, "http://127.0.0.1:9000/cb"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "read write",
        "archway_marker": "credential-1",
    }

    answer = resident.manage("POST", "register", asked)

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    registered = answer.json()
    assert {name: registered[name] for name in asked} == asked
    assert registered["client_secret_expires_at"] == 0
    assert registered["client_id_issued_at"] > 0
    assert len(registered["client_secret"]) == 128
    assert registered["registration_client_uri"] == f"{resident.base}/register/{registered['client_id']}"
    assert registered["registration_access_token"]


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic eDp5"])
def test_only_the_management_token_registers(resident: ResidentUnderTest, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    answer = resident.http.post(f"{resident.base}/register", json={"client_name": "x"}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("document", "code", "member"),
    [
        ([], "invalid_client_metadata", "body"),
        ({"grant_types": "client_credentials"}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["implicit"], "redirect_uris": [CALLBACK]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": []}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata", "grant_types"),
        (
            {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
            "invalid_client_metadata",
            "grant_types",
        ),
        ({"redirect_uris": [CALLBACK], "response_types": ["token"]}, "invalid_client_metadata", "response_types"),
        (
            {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
        ({"redirect_uris": [CALLBACK], "scope": "read introspection"}, "invalid_client_metadata", "scope"),
        ({"redirect_uris": [CALLBACK], "scope": 're"ad'}, "invalid_client_metadata", "scope"),
        ({"redirect_uris": [CALLBACK], "client_name": 7}, "invalid_client_metadata", "client_name"),
        (
            {"redirect_uris": [CALLBACK], "access_token_format": "saml"},
            "invalid_client_metadata",
            "access_token_format",
        ),
        ({}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["http://app.example.com/cb"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["https://app.example.com/cb#x"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["https://*.example.com/cb"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri", "redirect_uris"),
    ],
)
def test_bad_metadata_is_refused_naming_the_member(
    resident: ResidentUnderTest, document: object, code: str, member: str
) -> None:
    answer = resident.manage("POST", "register", document)

    assert answer.status_code == 400
    assert answer.json()["error"] == code
    assert answer.json()["error_description"].startswith(f"{member}: ")
    assert Client.objects.count() == 0


def test_a_body_that_is_no_json_is_refused(resident: ResidentUnderTest) -> None:
    answer = resident.http.post(
        f"{resident.base}/register", content=b"{", headers={"Authorization": f"Bearer {management_token()}"}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_a_native_app_may_register_a_private_use_scheme_and_gets_no_secret(resident: ResidentUnderTest) -> None:
    registered = resident.register(
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=["com.example.app:/callback"],
        token_endpoint_auth_method="none",
    )

    assert "client_secret" not in registered


def test_reading_a_client_shows_its_metadata_and_no_secret(resident: ResidentUnderTest) -> None:
    client = resident.register(archway_marker="m")

    document = with_its_own_token(resident, "GET", client).json()

    assert document["client_id"] == client["client_id"]
    assert (document["scope"], document["archway_marker"]) == ("read", "m")
    assert not {"client_secret", "registration_access_token"} & document.keys()


def test_an_update_replaces_the_metadata_keeps_the_secret_and_rotates_the_registration_token(
    resident: ResidentUnderTest,
) -> None:
    client = resident.register_web(scope="read")
    document = {"client_id": client["client_id"], "grant_types": ["client_credentials"], "scope": "write"}

    answer = with_its_own_token(resident, "PUT", client, document)

    assert answer.status_code == 200
    updated = answer.json()
    assert (updated["scope"], updated["redirect_uris"], updated["client_name"]) == ("write", [], "")
    assert "client_secret" not in updated
    assert resident.token(client)["scope"] == "write"
    assert with_its_own_token(resident, "GET", client).status_code == 401
    assert with_its_own_token(resident, "GET", client | updated).status_code == 200


@pytest.mark.parametrize("wrong", [{"client_id": "another"}, {"client_secret": "chosen"}])
def test_an_update_cannot_choose_id_or_secret(resident: ResidentUnderTest, wrong: dict[str, str]) -> None:
    client = resident.register()
    document = {"client_id": client["client_id"], "grant_types": ["client_credentials"]} | wrong

    answer = with_its_own_token(resident, "PUT", client, document)

    assert answer.status_code == 400
    assert answer.json()["error_description"].startswith(next(iter(wrong)))


def test_a_client_that_becomes_confidential_gets_a_secret(resident: ResidentUnderTest) -> None:
    client = resident.register(
        grant_types=["authorization_code"], redirect_uris=[CALLBACK], token_endpoint_auth_method="none"
    )
    document = {"client_id": client["client_id"], "grant_types": ["client_credentials"], "scope": "read"}

    updated = with_its_own_token(resident, "PUT", client, document).json()

    assert resident.token(updated)["scope"] == "read"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_clients_registration_token_manages_nothing(resident: ResidentUnderTest, method: str) -> None:
    client, other = resident.register(), resident.register()
    thief = client | {"registration_access_token": other["registration_access_token"]}

    answer = with_its_own_token(resident, method, thief, {"grant_types": ["client_credentials"]})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert resident.token(client)


def test_a_deleted_client_cannot_be_managed(resident: ResidentUnderTest) -> None:
    client = resident.register()
    assert with_its_own_token(resident, "DELETE", client).status_code == 204

    assert with_its_own_token(resident, "GET", client).status_code == 401
    assert with_its_own_token(resident, "DELETE", client).status_code == 401
