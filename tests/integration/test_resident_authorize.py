"""The authorization code flow of the embedded authorization server."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from keymanager.resident.models import AccessToken, Grant, RefreshToken
from tests.integration.resident_kit import (
    CALLBACK,
    ResidentUnderTest,
    authorization_url,
    code_for,
    exchange,
    pkce,
    sent_back,
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
    assert parse_qs(urlsplit(response["Location"]).query)["next"] == [f"{url}&after_sign_in=1"]
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


def test_after_sign_in_the_way_back_is_a_page_because_a_form_may_not_lead_to_another_site(
    resident: ResidentUnderTest, browser: Browser
) -> None:
    client = resident.register_web()
    code_for(browser, client, pkce()[1])

    response = browser.get(authorization_url(client, pkce()[1], after_sign_in="1"))

    assert response.status_code == 200
    assert f'href="{CALLBACK}?code=' in response.content.decode()
