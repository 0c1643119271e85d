"""Signing in to the portal at a real oidc-provider, which tells claims at its user information endpoint only."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ExternalIdentity, User
from tests.integration.sign_in_kit import PORTAL, begin, come_back, use_provider
from tests.servers.oidc_provider import DEFAULT_SCOPES, OidcProviderOptions, OidcProviderServer, sign_in, start

pytestmark = [pytest.mark.django_db, pytest.mark.servers]

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "subject-1": {"preferred_username": "dora", "email": "dora@example.org", "groups": ["api-developers", "museum"]},
    "subject-2": {"preferred_username": "Émile Zola/2"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProviderServer]:
    options = OidcProviderOptions(people=PEOPLE, scopes=(*DEFAULT_SCOPES, "profile", "email"))
    with start(options=options) as running:
        yield running


@pytest.fixture(params=["client_secret_basic", "client_secret_post"])
def registered(request: pytest.FixtureRequest, server: OidcProviderServer, settings: Settings) -> None:
    """The portal is a client there."""
    body = {
        "redirect_uris": [f"{PORTAL}/sign-in/openid/callback/"],
        "post_logout_redirect_uris": [f"{PORTAL}/"],
        "token_endpoint_auth_method": request.param,
        "scope": "openid profile email",
    }
    asked = urllib.request.Request(server.registration_endpoint, json.dumps(body).encode())
    asked.add_header("Content-Type", "application/json")
    asked.add_header("Authorization", f"Bearer {server.options.initial_access_token}")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        made = json.loads(answer.read())
    use_provider(
        settings,
        issuer=server.issuer,
        client_id=made["client_id"],
        client_secret=made["client_secret"],
        ARCHWAY_OIDC_CLIENT_AUTHENTICATION=request.param,
    )


@pytest.mark.usefixtures("registered")
def test_somebody_signs_in_with_the_claims_of_the_user_information_endpoint(client: Client) -> None:
    arrived = sign_in(begin(client), username="subject-1", stop_at=PORTAL)
    assert come_back(client, arrived)["Location"] == "/account/"
    dora = User.objects.get()
    assert (dora.username, dora.email) == ("dora", "dora@example.org")
    assert list(dora.role_grants.values_list("role", flat=True)) == ["api_developer"]
    assert set(dora.teams.values_list("name", flat=True)) == {"dora", "Museum"}


@pytest.mark.usefixtures("registered")
def test_a_name_that_the_portal_does_not_know_is_made_fit(client: Client) -> None:
    come_back(client, sign_in(begin(client), username="subject-2", stop_at=PORTAL))
    assert User.objects.get().username == "Émile-Zola-2"
    assert ExternalIdentity.objects.get().subject == "subject-2"


@pytest.mark.usefixtures("registered")
def test_signing_out_leads_to_the_provider(client: Client, server: OidcProviderServer) -> None:
    come_back(client, sign_in(begin(client), username="subject-1", stop_at=PORTAL))
    answer = client.post("/sign-out/")
    assert answer["Location"].startswith(f"{server.issuer}/session/end?id_token_hint=ey")


@pytest.mark.usefixtures("registered")
def test_a_refusal_of_the_provider_is_told_and_does_not_sign_out_whoever_is_here(client: Client) -> None:
    come_back(client, sign_in(begin(client), username="subject-1", stop_at=PORTAL))
    state = begin(client).partition("&state=")[2].partition("&")[0]

    forged = client.get("/sign-in/openid/callback/?error=access_denied&state=made-up")
    assert forged.status_code == 400
    refused = client.get(f"/sign-in/openid/callback/?error=access_denied&state={state}")

    assert refused.status_code == 403
    assert "did not sign you in (access_denied)" in refused.content.decode()
    assert client.get("/account/").status_code == 200


def test_a_provider_that_is_down_is_named_and_the_local_form_stays(client: Client, settings: Settings) -> None:
    use_provider(settings, issuer="http://127.0.0.1:9", client_id="portal", client_secret="secret")
    answer = client.get("/sign-in/openid/?next=/account/")
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "Example company does not answer" in page
    assert "Try again" in page
    assert 'name="password"' in page


def test_the_button_carries_where_to_go_and_is_there_only_with_a_provider(client: Client, settings: Settings) -> None:
    assert "Sign in with" not in client.get("/sign-in/").content.decode()
    assert client.get("/sign-in/openid/").status_code == 404
    use_provider(settings, issuer="http://127.0.0.1:9", client_id="portal", client_secret="secret")
    page = client.get("/sign-in/?next=/account/%3Fa%3D1%26b%3D2").content.decode()
    assert "Sign in with Example company" in page
    assert "/sign-in/openid/?next=%2Faccount%2F%3Fa%3D1%26b%3D2" in page
