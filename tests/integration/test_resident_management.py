"""Management of clients, scopes and resources at the embedded authorization server."""

from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.integration.resident_kit import ResidentUnderTest

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


# --- management -------------------------------------------------------------------------------------------------------
def test_a_rotated_secret_replaces_the_old_one_at_once(resident: ResidentUnderTest) -> None:
    client = resident.register()

    answer = resident.manage("POST", f"manage/clients/{client['client_id']}/rotate-secret")

    assert answer.status_code == 200
    assert answer.json()["client_id"] == client["client_id"]
    assert resident.post("token", client, grant_type="client_credentials").status_code == 401
    assert resident.token(client | answer.json())


def test_a_client_is_found_by_its_marker_without_secrets(resident: ResidentUnderTest) -> None:
    client = resident.register(archway_marker="credential-7")
    resident.register(archway_marker="credential-8")

    found = resident.manage("GET", "manage/clients?marker=credential-7").json()["clients"]

    assert [item["client_id"] for item in found] == [client["client_id"]]
    assert not {"client_secret", "registration_access_token"} & found[0].keys()
    assert resident.manage("GET", "manage/clients?marker=nobody").json()["clients"] == []
    assert resident.manage("GET", "manage/clients?marker=").json()["clients"] == []


def test_a_client_whose_registration_answer_was_lost_can_be_recovered(resident: ResidentUnderTest) -> None:
    lost = resident.register(archway_marker="credential-9")

    recovered = resident.manage("POST", f"manage/clients/{lost['client_id']}/recover").json()

    assert resident.token(recovered)
    assert with_its_own_token(resident, "GET", recovered).status_code == 200
    assert with_its_own_token(resident, "GET", lost).status_code == 401
    assert resident.post("token", lost, grant_type="client_credentials").status_code == 401


def test_all_clients_are_listed_page_by_page(resident: ResidentUnderTest) -> None:
    expected = [resident.register()["client_id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = resident.manage("GET", f"manage/clients?limit=2&cursor={cursor}").json()
        seen += [item["client_id"] for item in page["clients"]]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert seen == expected
    assert resident.manage("GET", "manage/clients?limit=0").status_code == 400


def test_the_management_token_deletes_a_client_whose_own_token_is_lost(resident: ResidentUnderTest) -> None:
    path = f"manage/clients/{resident.register()['client_id']}"

    assert resident.manage("DELETE", path).status_code == 204
    assert resident.manage("DELETE", path).status_code == 404


@pytest.mark.parametrize("action", ["rotate-secret", "recover", "revoke-tokens", "suspend", "resume"])
def test_management_of_an_unknown_client_is_404(resident: ResidentUnderTest, action: str) -> None:
    assert resident.manage("POST", f"manage/clients/nobody/{action}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "manage/clients"),
        ("DELETE", "manage/clients/x"),
        ("POST", "manage/clients/x/rotate-secret"),
        ("POST", "manage/clients/x/recover"),
        ("POST", "manage/clients/x/revoke-tokens"),
        ("POST", "manage/clients/x/suspend"),
        ("POST", "manage/clients/x/resume"),
        ("GET", "manage/scopes"),
        ("PUT", "manage/scopes/x"),
        ("GET", "manage/resources"),
        ("PUT", "manage/resources/urn:x"),
    ],
)
def test_management_without_the_management_token_is_401(resident: ResidentUnderTest, method: str, path: str) -> None:
    assert resident.http.request(method, f"{resident.base}/{path}").status_code == 401


def test_scopes_are_created_changed_listed_and_deleted(resident: ResidentUnderTest) -> None:
    path = f"manage/scopes/{quote('orders/list:all', safe='')}"

    assert resident.manage("PUT", path, {"description": "List"}).status_code == 201
    assert resident.manage("PUT", path, {"description": "List orders"}).status_code == 200
    listed = resident.manage("GET", "manage/scopes").json()["scopes"]
    assert {"key": "orders/list:all", "description": "List orders"} in listed
    assert resident.manage("DELETE", path).status_code == 204
    assert resident.manage("DELETE", path).status_code == 404


@pytest.mark.parametrize("key", ["introspection", "registration", "oauth2_provider:registration", "a%20b"])
def test_reserved_and_malformed_scopes_cannot_be_created(resident: ResidentUnderTest, key: str) -> None:
    assert resident.manage("PUT", f"manage/scopes/{key}", {"description": ""}).status_code == 400


@pytest.mark.parametrize("identifier", ["https://gw.example.com/orders//v1?x=1", "urn:archway:api:orders:v1"])
def test_resources_are_created_changed_read_and_deleted(resident: ResidentUnderTest, identifier: str) -> None:
    path = f"manage/resources/{quote(identifier, safe='')}"

    assert resident.manage("PUT", path, {"name": "Orders", "scopes": ["read"]}).status_code == 201
    assert resident.manage("PUT", path, {"name": "Orders", "scopes": []}).status_code == 200
    expected = {"identifier": identifier, "name": "Orders", "scopes": []}
    assert resident.manage("GET", path).json() == expected
    assert resident.manage("GET", "manage/resources").json() == {"resources": [expected]}
    assert resident.manage("DELETE", path).status_code == 204
    assert resident.manage("GET", path).status_code == resident.manage("DELETE", path).status_code == 404


def test_a_resource_identifier_is_an_absolute_uri(resident: ResidentUnderTest) -> None:
    assert resident.manage("PUT", "manage/resources/orders", {"name": "x"}).status_code == 400


@pytest.mark.parametrize("path", ["manage/clients/a%00b", "manage/clients?marker=%00", "manage/resources/urn:%00"])
def test_a_nul_character_in_the_url_is_refused(resident: ResidentUnderTest, path: str) -> None:
    assert resident.manage("GET", path).status_code == 400
