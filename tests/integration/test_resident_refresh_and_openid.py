"""Refresh tokens, replays, expiry and OpenID Connect at the embedded authorization server."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from pytest_django.fixtures import Settings

from accounts.models import User
from keymanager.resident.client_services import forget_expired_tokens
from keymanager.resident.models import AccessToken, Grant
from keymanager.resident.server import ResidentServer
from tests.integration.resident_kit import (
    CALLBACK,
    ResidentUnderTest,
    code_for,
    exchange,
    pkce,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def resident() -> ResidentUnderTest:
    under_test = ResidentUnderTest()
    under_test.add_scopes("read", "write")
    return under_test


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ada", email="ada@example.com", password="x", first_name="Ada", last_name="L")


@pytest.fixture
def browser(person: User) -> Browser:
    signed_in = Browser(enforce_csrf_checks=False)
    signed_in.force_login(person)
    return signed_in


# --- refresh tokens ---------------------------------------------------------------------------------------------------
def test_a_used_refresh_token_ends_its_whole_family(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web()
    first = exchange(resident, client, browser)
    second = resident.token(client, grant_type="refresh_token", refresh_token=first["refresh_token"])

    replay = resident.post("token", client, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert resident.introspect(second["access_token"]) == {"active": False}
    after = resident.post("token", client, grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert after.status_code == 400


def test_of_two_simultaneous_refreshes_one_is_refused_and_none_gets_an_empty_token(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    """Both requests validate the token before either rotates it: the second is stopped where tokens are saved."""
    client = resident.register_web()
    issued = exchange(resident, client, browser)
    form = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}

    server = ResidentServer()
    generate = server.default_token_type.token_generator

    def after_another_request(request: Any) -> str:
        server.default_token_type.token_generator = generate
        assert resident.post("token", client, **form).status_code == 200
        return str(generate(request))

    server.default_token_type.token_generator = after_another_request
    body = urlencode({**form, "client_id": client["client_id"], "client_secret": client["client_secret"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    with pytest.raises(InvalidGrantError):
        server.create_token_response(f"{resident.base}/token", "POST", body, headers)


def test_a_refresh_may_narrow_and_never_widen_and_loses_what_the_client_lost(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    client = resident.register_web(scope="read write")
    issued = exchange(resident, client, browser, scope="read")
    form = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}

    assert resident.post("token", client, **form, scope="read write").json()["error"] == "invalid_scope"
    resident.manage("DELETE", "manage/scopes/read")
    assert resident.token(client, **form)["scope"] == ""


def test_a_refresh_token_is_never_an_active_access_token(resident: ResidentUnderTest, browser: Browser) -> None:
    issued = exchange(resident, resident.register_web(), browser)

    assert resident.introspect(issued["refresh_token"]) == {"active": False}


def test_the_tokens_of_a_closed_account_are_dead(resident: ResidentUnderTest, browser: Browser, person: User) -> None:
    client = resident.register_web()
    issued = exchange(resident, client, browser)
    person.is_active = False
    person.save()

    assert resident.introspect(issued["access_token"]) == {"active": False}
    refresh = resident.post("token", client, grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert refresh.json()["error"] == "invalid_grant"


def test_revoking_the_refresh_token_revokes_its_access_token(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web()
    issued = exchange(resident, client, browser)

    assert resident.post("revoke", client, token=issued["refresh_token"]).status_code == 200

    assert resident.introspect(issued["access_token"]) == {"active": False}


# --- OpenID Connect ---------------------------------------------------------------------------------------------------
def test_openid_works_without_choosing_an_algorithm(
    resident: ResidentUnderTest, browser: Browser, person: User
) -> None:
    client = resident.register_web(scope="openid profile email")
    issued = exchange(resident, client, browser, scope="openid profile email", nonce="n1")
    keys = KeySet.import_key_set(resident.http.get(f"{resident.base}/jwks").json())

    decoded = jwt.decode(issued["id_token"], keys, algorithms=["RS256"])

    assert decoded.claims["iss"] == resident.base
    assert decoded.claims["aud"] == client["client_id"]
    assert decoded.claims["nonce"] == "n1"
    about = {"sub": str(person.pk), "preferred_username": "ada", "name": "Ada L", "email": "ada@example.com"}
    assert about.items() <= decoded.claims.items()
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    assert resident.http.get(f"{resident.base}/userinfo", headers=headers).json() == about
    assert resident.introspect(issued["id_token"]) == {"active": False}


def test_userinfo_needs_a_persons_token_with_openid(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web(scope="read")

    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return resident.http.get(f"{resident.base}/userinfo", headers=headers).status_code

    assert status("") == status("wrong") == status(resident.token(client)["access_token"]) == 401
    assert status(exchange(resident, client, browser)["access_token"]) == 403


def test_the_password_grant_exists_only_where_the_operator_allows_it(
    resident: ResidentUnderTest, person: User, settings: Settings
) -> None:
    settings.ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT = True
    client = resident.register(grant_types=["password", "refresh_token"])
    form = {"grant_type": "password", "username": "ada", "password": "x"}

    assert resident.introspect(resident.token(client, **form)["access_token"])["username"] == "ada"
    assert resident.post("token", client, **(form | {"password": "y"})).json()["error"] == "invalid_grant"
    others = resident.post("token", resident.register(), **form)
    assert others.json()["error"] == "unauthorized_client"
    settings.ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT = False
    assert resident.post("token", client, **form).json()["error"] == "unsupported_grant_type"


# --- replays and odd values -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("grants", [["authorization_code"], ["authorization_code", "refresh_token"]])
def test_a_replayed_code_ends_the_tokens_that_came_of_it(
    resident: ResidentUnderTest, browser: Browser, grants: list[str]
) -> None:
    client = resident.register_web(grant_types=grants)
    verifier, challenge = pkce()
    form = {
        "grant_type": "authorization_code",
        "code": code_for(browser, client, challenge),
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
    }
    issued = resident.token(client, **form)
    if "refresh_token" in grants:
        issued = resident.token(client, grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert resident.introspect(issued["access_token"])["active"]

    assert resident.post("token", client, **form).json()["error"] == "invalid_grant"

    assert resident.introspect(issued["access_token"]) == {"active": False}


def test_another_client_cannot_end_tokens_by_replaying_a_code(resident: ResidentUnderTest, browser: Browser) -> None:
    client, other = resident.register_web(), resident.register_web()
    verifier, challenge = pkce()
    form = {
        "grant_type": "authorization_code",
        "code": code_for(browser, client, challenge),
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
    }
    issued = resident.token(client, **form)

    assert resident.post("token", other, **form).json()["error"] == "invalid_grant"

    assert resident.introspect(issued["access_token"])["active"]


def test_expired_tokens_and_codes_are_forgotten(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web(grant_types=["authorization_code", "client_credentials"])
    resident.token(client)
    code_for(browser, client, pkce()[1])
    alive = resident.token(client)["access_token"]
    past = timezone.now() - timedelta(seconds=1)
    AccessToken.objects.filter(pk=AccessToken.objects.earliest("pk").pk).update(expires=past)
    Grant.objects.update(expires=past)

    forget_expired_tokens()

    assert (AccessToken.objects.count(), Grant.objects.count()) == (1, 0)
    assert resident.introspect(alive)["active"]


def test_an_expired_code_is_dead_although_it_is_still_stored(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web()
    verifier, challenge = pkce()
    form = {"code": code_for(browser, client, challenge), "code_verifier": verifier, "redirect_uri": CALLBACK}
    Grant.objects.update(expires=timezone.now() - timedelta(seconds=1))

    answer = resident.post("token", client, grant_type="authorization_code", **form)

    assert answer.json()["error"] == "invalid_grant"


def test_expired_tokens_are_dead_although_they_are_still_stored(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web()
    issued = exchange(resident, client, browser)
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=40))

    assert resident.introspect(issued["access_token"]) == {"active": False}
    answer = resident.post("token", client, grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert answer.json()["error"] == "invalid_grant"
