"""How clients prove who they are to the embedded authorization server."""

import base64
import time
from urllib.parse import quote_plus

import pytest
from pytest_django.fixtures import Settings

from keymanager.resident import hashers
from portal import settings as production
from tests.integration.resident_kit import ResidentUnderTest

pytestmark = pytest.mark.django_db


@pytest.fixture
def resident() -> ResidentUnderTest:
    under_test = ResidentUnderTest()
    under_test.add_scopes("read", "write")
    return under_test


# --- client authentication --------------------------------------------------------------------------------------------
class CountingHasher(hashers.ClientSecretHasher):
    """Counts how often a secret is checked."""

    checks = 0

    def verify(self, password: str, encoded: str) -> bool:
        type(self).checks += 1
        return super().verify(password, encoded)


@pytest.mark.parametrize("client_id", ["known", "unknown", "suspended"])
def test_unknown_clients_and_wrong_secrets_are_refused_by_the_same_work_and_words(
    resident: ResidentUnderTest, settings: Settings, client_id: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    client = resident.register()
    if client_id == "unknown":
        client["client_id"] = "nobody"
    if client_id == "suspended":
        resident.manage("POST", f"manage/clients/{client['client_id']}/suspend")
    else:
        client["client_secret"] = "wrong"
    CountingHasher.checks = 0

    answer = resident.post("token", client, grant_type="client_credentials")

    assert CountingHasher.checks == 1
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="')
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "error": "invalid_client",
        "error_description": "The client could not be authenticated.",
    }


def test_client_secrets_have_a_fast_hasher_and_people_do_not() -> None:
    stored = hashers.hash_secret("x" * 128)
    started = time.perf_counter()
    assert hashers.secret_matches("x" * 128, stored)

    assert time.perf_counter() - started < 0.05
    assert production.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.PBKDF2PasswordHasher"


@pytest.mark.parametrize("spelling", ["Basic", "basic"])
def test_basic_works_raw_and_form_encoded(resident: ResidentUnderTest, spelling: str) -> None:
    client = resident.register()
    for encode in (str, quote_plus):
        pair = f"{encode(client['client_id'])}:{encode(client['client_secret'])}"
        header = f"{spelling} {base64.b64encode(pair.encode()).decode()}"
        answer = resident.http.post(
            f"{resident.base}/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
        )
        assert answer.status_code == 200


def test_a_secret_in_the_body_works_and_two_methods_at_once_do_not(resident: ResidentUnderTest) -> None:
    client = resident.register(token_endpoint_auth_method="client_secret_post")
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}

    assert resident.post("token", grant_type="client_credentials", **secret).status_code == 200
    both = resident.post("token", client, grant_type="client_credentials", **secret)
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "implicit"},
        {"grant_type": "password", "username": "x", "password": "y"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"},
        {},
        {"grant_type": ["client_credentials", "client_credentials"]},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "client_credentials", "scope": "read\x00"},
    ],
)
def test_what_is_not_registered_or_not_well_formed_is_a_400_in_json(
    resident: ResidentUnderTest, form: dict[str, object]
) -> None:
    answer = resident.post("token", resident.register(), **form)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] in {"unsupported_grant_type", "unauthorized_client", "invalid_request"}


def test_parameters_that_name_the_servers_own_variables_change_nothing(resident: ResidentUnderTest) -> None:
    client = resident.register()
    smuggled = {"scopes": "write", "user": "1", "client": "x", "extra_credentials": "x", "expires_in": "999999"}

    issued = resident.token(client, **smuggled)

    assert (issued["scope"], issued["expires_in"]) == ("read", 600)
    assert resident.introspect(issued["access_token"])["sub"] == client["client_id"]


def test_credentials_in_the_url_are_refused(resident: ResidentUnderTest) -> None:
    answer = resident.http.post(f"{resident.base}/token?grant_type=client_credentials", data={})

    assert answer.status_code == 400


def test_the_token_endpoint_is_for_post_only(resident: ResidentUnderTest) -> None:
    answer = resident.http.get(f"{resident.base}/token")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
