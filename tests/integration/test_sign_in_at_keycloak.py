"""Signing in to the portal at a real Keycloak: who somebody is, and what its groups and roles give them here."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.actor import SYSTEM
from accounts.models import ExternalIdentity, Role, Team, User
from accounts.services import create_user
from subscriptions.models import AuditEvent
from subscriptions.services import people
from tests.integration.sign_in_kit import PORTAL, begin, come_back, use_provider
from tests.servers.form_browser import FormBrowser
from tests.servers.keycloak import PORTAL_CLIENT_ID, PORTAL_CLIENT_SECRET, Realm, administer, new_realm

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    return new_realm(keycloak_url)


@pytest.fixture(autouse=True)
def provider(settings: Settings, realm: Realm) -> None:
    use_provider(settings, issuer=realm.issuer, client_id=PORTAL_CLIENT_ID, client_secret=PORTAL_CLIENT_SECRET)


def sign_in(name: str, browser: Client, *, at: FormBrowser | None = None, to: str = "/account/") -> Any:
    """The portal's answer when Keycloak has sent ``name`` back."""
    there = at or FormBrowser(f"{PORTAL}/")
    url = begin(browser, to=to)
    return come_back(browser, there.sign_in_at_keycloak(url, username=name, password=f"{name}-password"))


def roles_of(name: str) -> set[str]:
    return set(User.objects.get(username=name).role_grants.values_list("role", flat=True))


def teams_of(name: str) -> set[str]:
    return set(User.objects.get(username=name).teams.filter(personal_of=None).values_list("name", flat=True))


def user_at(realm: Realm, name: str) -> str:
    found = administer(realm.server_url, "GET", f"/{realm.name}/users?username={name}&exact=true")
    return str(found[0]["id"])


def test_the_first_sign_in_makes_a_person_with_the_roles_and_teams_that_their_groups_and_roles_give(
    client: Client, realm: Realm
) -> None:
    answer = sign_in("alice", client)

    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert "alice@example.org" in client.get("/account/").content.decode()
    assert roles_of("alice") == {"api_developer", "publisher"}
    assert teams_of("alice") == {"Museum"}
    identity = ExternalIdentity.objects.get()
    assert (identity.issuer, identity.subject) == (realm.issuer, user_at(realm, "alice"))
    assert not identity.user.has_usable_password()
    assert AuditEvent.objects.get(action="person.create").detail["roles_given"] == ["api_developer", "publisher"]


def test_the_request_has_state_nonce_and_pkce_and_the_portals_own_address(client: Client) -> None:
    query = parse_qs(urlsplit(begin(client)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert query["redirect_uri"] == [f"{PORTAL}/sign-in/openid/callback/"]
    assert len(query["state"][0]) == len(query["nonce"][0]) == 32


def test_what_the_provider_no_longer_says_is_taken_away_and_what_the_portal_gave_stays(
    client: Client, realm: Realm
) -> None:
    sign_in("bob", client)
    bob = User.objects.get(username="bob")
    assert roles_of("bob") == {"app_developer"}
    people.grant_role(actor=SYSTEM, user=bob, role=Role.PUBLISHER)
    group = next(
        group["id"]
        for group in administer(realm.server_url, "GET", f"/{realm.name}/groups")
        if group["name"] == "app-developers"
    )
    path = f"/{realm.name}/users/{user_at(realm, 'bob')}/groups/{group}"

    # Bob has no group left, so the claim is absent.
    administer(realm.server_url, "DELETE", path)
    try:
        sign_in("bob", Client())
    finally:
        administer(realm.server_url, "PUT", path)

    assert roles_of("bob") == {"publisher"}
    assert AuditEvent.objects.get(action="person.follow").detail["roles_taken"] == ["app_developer"]


def test_somebody_without_groups_and_roles_gets_in_with_none(client: Client) -> None:
    sign_in("carol", client)
    assert roles_of("carol") == set()
    assert teams_of("carol") == set()


def test_the_second_sign_in_finds_the_same_person(client: Client) -> None:
    sign_in("alice", client)
    User.objects.filter(username="alice").update(username="renamed")
    sign_in("alice", Client())
    assert list(User.objects.values_list("username", flat=True)) == ["renamed"]


def test_neither_a_name_nor_an_address_makes_somebody_another_person(client: Client) -> None:
    local = create_user(
        username="alice", password="correct horse battery", roles=[Role.ADMINISTRATOR], email="alice@example.org"
    )
    sign_in("alice", client)
    made = ExternalIdentity.objects.get().user
    assert made != local
    assert made.username == "alice-2"
    assert Role.ADMINISTRATOR not in roles_of("alice-2")


def test_somebody_who_was_switched_off_does_not_get_in_and_an_open_session_ends(client: Client) -> None:
    sign_in("alice", client)
    User.objects.filter(username="alice").update(is_active=False)

    assert client.get("/account/").status_code == 302
    answer = sign_in("alice", Client())

    assert answer.status_code == 403
    assert "switched off" in answer.content.decode()


def test_signing_out_ends_the_session_at_the_provider_too(client: Client) -> None:
    there = FormBrowser(f"{PORTAL}/")
    sign_in("alice", client, at=there)
    # Whoever is signed in there needs no password.
    there.open(begin(Client()))
    assert there.arrived is not None

    answer = client.post("/sign-out/")
    there.open(answer["Location"])

    assert there.arrived == f"{PORTAL}/"
    assert client.get("/account/").status_code == 302
    assert "kc-form-login" in there.open(begin(Client()))


def test_an_answer_is_good_for_one_browser_and_once(client: Client) -> None:
    there = FormBrowser(f"{PORTAL}/")
    arrived = there.sign_in_at_keycloak(begin(client), username="alice", password="alice-password")

    stolen = come_back(Client(), arrived)
    assert stolen.status_code == 400
    assert "another browser" in stolen.content.decode()
    assert come_back(client, arrived).status_code == 302
    assert come_back(client, arrived).status_code == 400


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site_afterwards(client: Client, target: str) -> None:
    assert sign_in("alice", client, to=target)["Location"] == "/"


def test_a_wrong_secret_is_told_as_the_providers_answer(client: Client, settings: Settings) -> None:
    settings.ARCHWAY_OIDC_CLIENT_SECRET = "wrong"
    answer = sign_in("alice", client)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Example company could not sign you in" in page
    assert "wrong" not in page
    assert not User.objects.exists()


def test_a_role_that_a_provider_gave_becomes_the_portals_when_the_portal_gives_it_too(
    client: Client, settings: Settings
) -> None:
    sign_in("alice", client)
    alice = User.objects.get(username="alice")
    people.grant_role(actor=SYSTEM, user=alice, role=Role.PUBLISHER)
    settings.ARCHWAY_SIGN_IN_ROLES = []
    settings.ARCHWAY_SIGN_IN_TEAMS = []
    sign_in("alice", Client())
    assert roles_of("alice") == {"publisher"}
    assert teams_of("alice") == set()
    assert Team.objects.filter(name="Museum").exists()
