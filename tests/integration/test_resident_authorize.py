"""The authorization code flow of the embedded authorization server, OpenID Connect, and refresh tokens."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from pytest_django.fixtures import Settings

from accounts.models import User
from keymanager.resident.client_services import forget_expired_tokens
from keymanager.resident.models import AccessToken, Grant, RefreshToken
from keymanager.resident.server import ResidentServer
from tests.integration.resident_kit import CALLBACK, ResidentUnderTest, pkce

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.resident_urls")]


@pytest.fixture(autouse=True)
def plain_page(settings: Settings) -> None:
    """The consent page inside a bare frame: the portal's own frame needs the portal's URLs."""
    frame = "{% block title %}{% endblock %}{% block content %}{% endblock %}"
    settings.TEMPLATES = [
        {
            **settings.TEMPLATES[0],
            "APP_DIRS": False,
            "OPTIONS": {
                **settings.TEMPLATES[0]["OPTIONS"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"base.html": frame}),
                    "django.template.loaders.filesystem.Loader",
                ],
            },
        }
    ]


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


def authorization_url(client: dict[str, Any], challenge: str, **extra: Any) -> str:
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "scope": "read",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | extra
    return f"/resident/authorize?{urlencode({name: value for name, value in query.items() if value is not None})}"


def sent_back(response: Any) -> dict[str, str]:
    assert response.status_code == 302, response.content
    return dict(parse_qsl(urlsplit(response["Location"]).query))


def code_for(browser: Browser, client: dict[str, Any], challenge: str, **extra: Any) -> str:
    answer = sent_back(browser.post(authorization_url(client, challenge, **extra), {"allow": "yes"}))
    return answer["code"]


def exchange(resident: ResidentUnderTest, client: dict[str, Any], browser: Browser, **extra: Any) -> dict[str, Any]:
    verifier, challenge = pkce()
    code = code_for(browser, client, challenge, **extra)
    return resident.token(
        client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier
    )


def test_one_client_uses_client_credentials_code_and_refresh(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web(scope="read")

    assert resident.token(client)["scope"] == "read"
    by_code = exchange(resident, client, browser)
    refreshed = resident.token(client, grant_type="refresh_token", refresh_token=by_code["refresh_token"])

    assert resident.introspect(refreshed["access_token"])["username"] == "ada"
    assert resident.introspect(by_code["access_token"]) == {"active": False}


def test_a_stranger_is_sent_to_sign_in_and_comes_back_to_the_same_request(
    resident: ResidentUnderTest, settings: Settings
) -> None:
    url = authorization_url(resident.register_web(), pkce()[1])

    response = Browser().get(url)

    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query)["next"] == [url]
    assert response["Location"].startswith(settings.LOGIN_URL)


def test_consent_names_the_client_and_the_scopes_and_its_form_may_lead_to_the_client(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    resident.manage("PUT", "manage/scopes/read", {"description": "Read your orders"})
    client = resident.register_web(client_name="Orders app")

    response = browser.get(authorization_url(client, pkce()[1]))

    assert response.status_code == 200
    assert "Orders app" in response.content.decode()
    assert "Read your orders" in response.content.decode()
    assert "form-action 'self' https://app.example.com" in response["Content-Security-Policy"]


def test_the_answer_carries_code_state_and_issuer(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web()

    answer = sent_back(browser.post(authorization_url(client, pkce()[1]), {"allow": "yes"}))

    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("s1", resident.base)
    assert answer["code"] not in set(Grant.objects.values_list("code", flat=True))


def test_who_approved_once_is_not_asked_again_for_the_same_scopes(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    client = resident.register_web(scope="read write")
    code_for(browser, client, pkce()[1])

    assert sent_back(browser.get(authorization_url(client, pkce()[1])))["code"]
    assert browser.get(authorization_url(client, pkce()[1], scope="read write")).status_code == 200
    assert browser.get(authorization_url(client, pkce()[1], prompt="consent")).status_code == 200


def test_a_native_app_is_asked_about_every_time(resident: ResidentUnderTest, browser: Browser) -> None:
    redirect_uri = "com.example.app:/callback"
    client = resident.register(
        grant_types=["authorization_code"], redirect_uris=[redirect_uri], token_endpoint_auth_method="none"
    )
    url = authorization_url(client, pkce()[1], redirect_uri=redirect_uri)

    response = browser.post(url, {"allow": "yes"})

    assert response["Location"].startswith("com.example.app:/callback?code=")
    assert browser.get(url).status_code == 200


def test_a_refusal_reaches_the_client(resident: ResidentUnderTest, browser: Browser) -> None:
    answer = sent_back(browser.post(authorization_url(resident.register_web(), pkce()[1]), {"deny": "yes"}))

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s1", resident.base)


def test_consent_needs_the_csrf_token(resident: ResidentUnderTest, person: User) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(person)

    response = strict.post(authorization_url(resident.register_web(), pkce()[1]), {"allow": "yes"})

    assert response.status_code == 403
    assert Grant.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "read write"}, "invalid_scope"),
        ({"resource": "https://unknown.example.com/"}, "invalid_target"),
    ],
)
def test_a_faulty_request_goes_back_to_the_client_with_its_error(
    resident: ResidentUnderTest, browser: Browser, change: dict[str, str | None], error: str
) -> None:
    client = resident.register_web(scope="read")

    answer = sent_back(browser.get(authorization_url(client, pkce()[1], **change)))

    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s1", resident.base)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example.com/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"client_id": "nobody"},
        {"client_id": None},
    ],
)
def test_a_request_that_cannot_be_trusted_is_not_redirected(
    resident: ResidentUnderTest, browser: Browser, change: dict[str, str | None]
) -> None:
    response = browser.get(authorization_url(resident.register_web(), pkce()[1], **change))

    assert response.status_code == 400
    assert "cannot be answered" in response.content.decode()


def test_prompt_none_answers_without_a_page(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register_web(scope="openid read")
    url = authorization_url(client, pkce()[1], prompt="none", scope="openid read")

    assert sent_back(Browser().get(url))["error"] == "login_required"
    assert sent_back(browser.get(url))["error"] == "consent_required"
    code_for(browser, client, pkce()[1], scope="openid read")
    assert sent_back(browser.get(url))["code"]


def test_prompt_login_signs_in_again_and_then_goes_on(resident: ResidentUnderTest, browser: Browser) -> None:
    response = browser.get(authorization_url(resident.register_web(), pkce()[1], prompt="login"))

    following = parse_qs(urlsplit(response["Location"]).query)["next"][0]
    assert "prompt" not in following
    assert browser.get(following).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"code_verifier": "x" * 43}, {"code_verifier": None}, {"redirect_uri": "https://app.example.com/other"}],
)
def test_a_code_without_its_verifier_or_redirect_uri_is_worthless(
    resident: ResidentUnderTest, browser: Browser, change: dict[str, str | None]
) -> None:
    client = resident.register_web()
    verifier, challenge = pkce()
    form = {"code": code_for(browser, client, challenge), "code_verifier": verifier, "redirect_uri": CALLBACK} | change

    answer = resident.post(
        "token",
        client,
        grant_type="authorization_code",
        **{name: value for name, value in form.items() if value is not None},
    )

    assert answer.status_code == 400
    assert AccessToken.objects.count() == 0


def test_a_code_works_once_and_for_its_own_client_only(resident: ResidentUnderTest, browser: Browser) -> None:
    client, other = resident.register_web(), resident.register_web()
    verifier, challenge = pkce()
    form = {
        "grant_type": "authorization_code",
        "code": code_for(browser, client, challenge),
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
    }

    assert resident.post("token", other, **form).json()["error"] == "invalid_grant"
    assert resident.post("token", client, **form).status_code == 200
    assert resident.post("token", client, **form).json()["error"] == "invalid_grant"


def test_a_public_client_needs_no_secret_and_cannot_use_one(resident: ResidentUnderTest, browser: Browser) -> None:
    client = resident.register(
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[CALLBACK],
        token_endpoint_auth_method="none",
    )
    verifier, challenge = pkce()
    form = {
        "grant_type": "authorization_code",
        "client_id": client["client_id"],
        "code": code_for(browser, client, challenge),
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
    }

    assert resident.post("token", **form, client_secret="anything").status_code == 401
    assert resident.post("token", client | {"client_secret": ""}, **form).status_code == 401
    issued = resident.post("token", **form).json()
    refreshed = resident.post(
        "token", grant_type="refresh_token", client_id=client["client_id"], refresh_token=issued["refresh_token"]
    )
    assert refreshed.status_code == 200
    assert resident.post("introspect", client_id=client["client_id"], token="x").status_code == 401


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    client = resident.register_web(grant_types=["authorization_code"])

    assert "refresh_token" not in exchange(resident, client, browser)
    assert RefreshToken.objects.count() == 0


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


@pytest.mark.parametrize(
    "change",
    [{"code_challenge": "x" * 200}, {"nonce": "n" * 300}, {"nonce": "\x00"}, {"max_age": "soon"}, {"scope": "\x00"}],
)
def test_values_that_cannot_be_stored_are_refused(
    resident: ResidentUnderTest, browser: Browser, change: dict[str, str]
) -> None:
    answer = sent_back(browser.post(authorization_url(resident.register_web(), pkce()[1], **change), {"allow": "yes"}))

    assert answer["error"] in {"invalid_request", "invalid_scope"}
    assert Grant.objects.count() == 0


def test_max_age_asks_for_a_fresh_sign_in(resident: ResidentUnderTest, browser: Browser, person: User) -> None:
    client = resident.register_web()
    assert browser.get(authorization_url(client, pkce()[1], max_age="60")).status_code == 200
    person.last_login = timezone.now() - timedelta(minutes=5)
    person.save()

    assert browser.get(authorization_url(client, pkce()[1], max_age="60")).status_code == 302
    silent = browser.get(authorization_url(client, pkce()[1], max_age="60", prompt="none"))
    assert sent_back(silent)["error"] == "login_required"


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
