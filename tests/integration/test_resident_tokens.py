"""Tokens of the embedded authorization server: who gets which, and what is stored and told of them."""

import time
from urllib.parse import quote

import pytest
from django.db import connection
from joserfc import jwt
from joserfc.jwk import KeySet
from pytest_django.fixtures import Settings

from keymanager.resident.management import management_token
from keymanager.resident.models import AccessToken, Client
from tests.integration.resident_kit import ResidentUnderTest

pytestmark = pytest.mark.django_db


@pytest.fixture
def resident() -> ResidentUnderTest:
    under_test = ResidentUnderTest()
    under_test.add_scopes("read", "write")
    return under_test


def test_a_jwt_access_token_says_what_rfc_9068_asks_for_and_verifies_with_the_published_keys(
    resident: ResidentUnderTest,
) -> None:
    client = resident.register()
    answer = resident.token(client)
    keys = KeySet.import_key_set(resident.http.get(f"{resident.base}/jwks").json())

    decoded = jwt.decode(answer["access_token"], keys, algorithms=["RS256"])

    assert decoded.header["typ"] == "at+jwt"
    assert decoded.header["kid"] == keys.keys[0].thumbprint()
    assert decoded.claims["iss"] == resident.base
    assert decoded.claims["sub"] == decoded.claims["client_id"] == client["client_id"]
    assert decoded.claims["aud"] == resident.base
    assert decoded.claims["scope"] == "read"
    assert decoded.claims["exp"] - decoded.claims["iat"] == answer["expires_in"] == 600
    assert decoded.claims["jti"]


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_introspection_tells_the_whole_payload_of_either_format(
    resident: ResidentUnderTest, settings: Settings, token_format: str
) -> None:
    settings.ARCHWAY_RESIDENT_TOKEN_FORMAT = token_format
    client = resident.register()
    issued = resident.token(client)
    assert (issued["access_token"].count(".") == 2) == (token_format == "jwt")

    facts = resident.introspect(issued["access_token"])

    now = time.time()
    assert facts.pop("exp") == pytest.approx(now + 600, abs=5)
    assert facts.pop("iat") == facts.pop("nbf") == pytest.approx(now, abs=5)
    assert facts.pop("jti")
    assert facts == {
        "active": True,
        "scope": "read",
        "client_id": client["client_id"],
        "sub": client["client_id"],
        "aud": resident.base,
        "iss": resident.base,
        "token_type": "Bearer",
    }


def test_a_client_may_choose_its_own_token_format(resident: ResidentUnderTest) -> None:
    opaque = resident.register(access_token_format="opaque")

    assert "." not in resident.token(opaque)["access_token"]


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_revoked_token_is_inactive_at_once(resident: ResidentUnderTest, token_format: str) -> None:
    client = resident.register(access_token_format=token_format)
    token = resident.token(client)["access_token"]

    assert resident.post("revoke", client, token=token).status_code == 200

    assert resident.introspect(token) == {"active": False}


def test_a_client_cannot_revoke_the_token_of_another(resident: ResidentUnderTest) -> None:
    token = resident.token(resident.register())["access_token"]

    answer = resident.post("revoke", resident.register(), token=token)

    assert answer.status_code == 200
    assert resident.introspect(token)["active"]


def test_only_hashes_of_tokens_secrets_and_registration_tokens_reach_the_database(resident: ResidentUnderTest) -> None:
    client = resident.register()
    token = resident.token(client)["access_token"]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resident_client")
        stored = repr(cursor.fetchall())
        cursor.execute("SELECT * FROM resident_accesstoken")
        stored += repr(cursor.fetchall())
        cursor.execute("SELECT * FROM resident_signingkey")
        stored += repr(cursor.fetchall())

    for secret in (token, client["client_secret"], client["registration_access_token"], "PRIVATE KEY"):
        assert secret not in stored


# --- scopes -----------------------------------------------------------------------------------------------------------
def test_a_client_that_asks_for_no_scope_gets_its_registered_list(resident: ResidentUnderTest) -> None:
    client = resident.register(scope="read write")

    assert resident.token(client)["scope"] == "read write"


@pytest.mark.parametrize("scope", ["write", "introspection", "registration", "oauth2_provider:registration", "nowhere"])
def test_a_scope_that_the_client_was_not_registered_with_is_refused_by_name(
    resident: ResidentUnderTest, scope: str
) -> None:
    answer = resident.post("token", resident.register(), grant_type="client_credentials", scope=f"read {scope}")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"
    assert scope in answer.json()["error_description"]


def test_a_registered_scope_that_no_longer_exists_cannot_be_had(resident: ResidentUnderTest) -> None:
    client = resident.register(scope="read write")
    assert resident.manage("DELETE", "manage/scopes/write").status_code == 204

    assert resident.token(client)["scope"] == "read"
    assert resident.post("token", client, grant_type="client_credentials", scope="write").status_code == 400


def test_a_client_without_scopes_gets_a_token_without_scopes(resident: ResidentUnderTest) -> None:
    issued = resident.token(resident.register(scope=""))

    assert resident.introspect(issued["access_token"])["scope"] == ""


# --- resources --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("identifier", ["https://gateway.example.com/orders/v1", "urn:archway:api:orders:v1"])
def test_a_token_can_be_restricted_to_a_registered_resource_url_or_urn(
    resident: ResidentUnderTest, identifier: str
) -> None:
    path = f"manage/resources/{quote(identifier, safe='')}"
    assert resident.manage("PUT", path, {"name": "Orders", "scopes": ["read"]}).status_code == 201

    issued = resident.token(resident.register(), resource=identifier)

    assert resident.introspect(issued["access_token"])["aud"] == identifier


def test_an_unknown_resource_is_an_invalid_target(resident: ResidentUnderTest) -> None:
    answer = resident.post(
        "token", resident.register(), grant_type="client_credentials", resource="https://unknown.example.com/"
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    assert AccessToken.objects.count() == 0


# --- introspection rights ---------------------------------------------------------------------------------------------
def test_a_client_sees_its_own_tokens_and_no_others(resident: ResidentUnderTest) -> None:
    owner, stranger = resident.register(), resident.register()
    token = resident.token(owner)["access_token"]

    assert resident.post("introspect", owner, token=token).json()["active"] is True
    assert resident.post("introspect", stranger, token=token).json() == {"active": False}


def test_only_access_tokens_are_active(resident: ResidentUnderTest) -> None:
    client = resident.register()

    for token in (client["registration_access_token"], management_token(), client["client_secret"], "nonsense"):
        assert resident.introspect(token) == {"active": False}


@pytest.mark.parametrize(
    ("authorization", "challenge"), [("", "Basic"), ("Bearer wrong", "Bearer"), ("Basic eDp5", "Basic")]
)
def test_strangers_may_not_introspect(resident: ResidentUnderTest, authorization: str, challenge: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    answer = resident.http.post(f"{resident.base}/introspect", data={"token": "x"}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith(challenge)
    assert answer.json()["error"] in {"invalid_client", "invalid_token"}


def test_an_access_token_is_no_ticket_to_introspection(resident: ResidentUnderTest) -> None:
    token = resident.token(resident.register())["access_token"]

    answer = resident.http.post(
        f"{resident.base}/introspect", data={"token": token}, headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 401


def test_introspection_is_for_post_only(resident: ResidentUnderTest) -> None:
    assert resident.http.get(f"{resident.base}/introspect?token=x").status_code == 405


# --- the end of tokens ------------------------------------------------------------------------------------------------
def test_deleting_a_client_ends_its_tokens(resident: ResidentUnderTest) -> None:
    client = resident.register()
    token = resident.token(client)["access_token"]

    headers = {"Authorization": f"Bearer {client['registration_access_token']}"}
    assert resident.http.delete(client["registration_client_uri"], headers=headers).status_code == 204

    assert resident.introspect(token) == {"active": False}
    assert AccessToken.objects.count() == Client.objects.count() == 0
    assert resident.post("token", client, grant_type="client_credentials").status_code == 401


def test_revoke_tokens_ends_all_tokens_and_the_client_can_get_new_ones(resident: ResidentUnderTest) -> None:
    client = resident.register()
    tokens = [resident.token(client)["access_token"] for _ in range(2)]

    assert resident.manage("POST", f"manage/clients/{client['client_id']}/revoke-tokens").status_code == 204

    assert [resident.introspect(token)["active"] for token in tokens] == [False, False]
    assert resident.token(client)["access_token"]


def test_a_suspended_client_gets_no_tokens_and_has_none_until_it_is_resumed(resident: ResidentUnderTest) -> None:
    client = resident.register()
    token = resident.token(client)["access_token"]

    assert resident.manage("POST", f"manage/clients/{client['client_id']}/suspend").status_code == 204
    assert resident.post("token", client, grant_type="client_credentials").status_code == 401
    assert resident.introspect(token) == {"active": False}

    assert resident.manage("POST", f"manage/clients/{client['client_id']}/resume").status_code == 204
    assert resident.introspect(token)["active"]
