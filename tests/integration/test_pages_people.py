"""Users, roles and teams: the administration's pages, the same by REST, and a person's own sessions."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ExternalIdentity, Membership, Role, RoleGrant, Team, User
from accounts.services import create_user
from accounts.teams import create_team
from subscriptions.models import AuditEvent
from tests.integration.rest_kit import World, fields_of, make_world

pytestmark = pytest.mark.django_db
IDP = "https://login.example"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.admin.user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def roles_of(user: User) -> set[str]:
    return set(user.role_grants.values_list("role", flat=True))


def test_people_are_found_by_name_and_address(browser: Client, world: World) -> None:
    User.objects.filter(pk=world.developer.user.pk).update(email="dev@example.org", last_name="Hopper")
    for wanted in ("HOPPER", "dev@example", world.developer.user.username):
        page = text_of(browser.get("/admin-portal/people/", {"q": wanted}))
        assert f"<b>{world.developer.user.username}</b>" in page, wanted
        assert f"/admin-portal/people/{world.admin.user.pk}/" not in page, wanted
    assert "Nobody is called that" in text_of(browser.get("/admin-portal/people/?q=nobody-at-all"))


def test_the_list_costs_the_same_for_one_and_for_many(browser: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            browser.get("/admin-portal/people/?q=many")
        return len(caught)

    create_user(username="many-0", password="correct horse battery", roles=[Role.PUBLISHER])
    one = queries()
    for number in range(1, 20):
        user = create_user(username=f"many-{number}", password="correct horse battery", roles=[Role.PUBLISHER])
        ExternalIdentity.objects.create(user=user, issuer=IDP, subject=str(number))
    assert queries() == one


def test_roles_are_given_and_taken_with_an_audit_row_each(browser: Client, world: World) -> None:
    user = world.developer.user
    browser.post(f"/admin-portal/people/{user.pk}/", {"roles": ["publisher", "api_developer"]})
    assert roles_of(user) == {"publisher", "api_developer"}
    done = AuditEvent.objects.filter(object_id=str(user.pk)).values_list("action", flat=True)
    assert sorted(done) == ["role.grant", "role.grant", "role.revoke"]


def test_roles_of_a_login_provider_are_shown_and_stay(browser: Client, world: World) -> None:
    user = world.developer.user
    RoleGrant.objects.create(user=user, role=Role.PUBLISHER, source=IDP)
    page = text_of(browser.get(f"/admin-portal/people/{user.pk}/"))
    assert f"comes from {IDP}" in page
    browser.post(f"/admin-portal/people/{user.pk}/", {})
    assert roles_of(user) == {"publisher"}


def test_the_last_administrator_cannot_go(browser: Client, world: World) -> None:
    user = world.admin.user
    refused = browser.post(f"/admin-portal/people/{user.pk}/", {"roles": ["publisher"]})
    assert refused.status_code == 422
    assert "the last administrator" in text_of(refused)
    assert roles_of(user) == {"administrator"}
    told = browser.post(f"/admin-portal/people/{user.pk}/switch/", {"active": "no"}, follow=True)
    assert "the last administrator" in text_of(told)
    assert world.admin.call("PATCH", f"/admin/people/{user.pk}/", {"active": False}).status_code == 409

    shut_out = create_user(username="second", password="correct horse battery", roles=[Role.ADMINISTRATOR])
    User.objects.filter(pk=shut_out.pk).update(is_active=False)
    assert browser.post(f"/admin-portal/people/{user.pk}/", {"roles": []}).status_code == 422
    User.objects.filter(pk=shut_out.pk).update(is_active=True)
    assert browser.post(f"/admin-portal/people/{user.pk}/", {"roles": []}).status_code == 302


def test_who_is_shut_out_has_no_session_no_token_and_no_sign_in(browser: Client, world: World) -> None:
    user = create_user(username="eve", password="correct horse battery", roles=[Role.APP_DEVELOPER])
    theirs = Client()
    theirs.force_login(user)
    assert theirs.get("/account/").status_code == 200

    browser.post(f"/admin-portal/people/{user.pk}/switch/", {"active": "no"})

    assert theirs.get("/account/").status_code == 302
    assert Client().post("/sign-in/", {"username": "eve", "password": "correct horse battery"}).status_code == 200
    browser.post(f"/admin-portal/people/{user.pk}/switch/", {"active": "yes"})
    assert Client().post("/sign-in/", {"username": "eve", "password": "correct horse battery"}).status_code == 302


def test_a_person_signs_out_everywhere_else(world: World) -> None:
    here, there = Client(), Client()
    for browser in (here, there):
        browser.force_login(world.developer.user)
    here.post("/account/end-sessions/")
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302


def test_an_administrator_ends_the_sessions_of_somebody_without_a_password(browser: Client) -> None:
    user = create_user(username="eve", password="correct horse battery")
    user.set_unusable_password()
    user.save()
    theirs = Client()
    theirs.force_login(user)
    browser.post(f"/admin-portal/people/{user.pk}/end-sessions/")
    assert theirs.get("/account/").status_code == 302


def test_somebody_is_added_by_hand_and_refusals_land_at_the_field(browser: Client) -> None:
    sent = {"username": "grace", "password": "correct horse battery", "roles": ["publisher"]}
    made = browser.post("/admin-portal/people/add/", sent)
    user = User.objects.get(username="grace")
    assert made["Location"] == f"/admin-portal/people/{user.pk}/"
    assert roles_of(user) == {"publisher"}
    again = browser.post("/admin-portal/people/add/", sent)
    assert again.status_code == 422
    assert 'id="id_username_error"' in text_of(again)
    assert "correct horse battery" not in text_of(again)


def test_a_team_is_made_renamed_and_gets_and_loses_members(browser: Client, world: World) -> None:
    made = browser.post("/admin-portal/teams/", {"name": "Museum"})
    team = Team.objects.get(name="Museum")
    assert made["Location"] == f"/admin-portal/teams/{team.pk}/"
    user = world.developer.user
    browser.post(f"/admin-portal/teams/{team.pk}/members/", {"username": user.username})
    assert list(team.members.all()) == [user]
    browser.post(f"/admin-portal/teams/{team.pk}/", {"name": "Gallery"})
    assert "Team Gallery" in text_of(browser.get(f"/admin-portal/teams/{team.pk}/"))
    browser.post(f"/admin-portal/teams/{team.pk}/members/{user.pk}/remove/")
    assert not team.members.exists()
    done = AuditEvent.objects.filter(object_id=str(team.pk)).order_by("id").values_list("action", flat=True)
    assert list(done) == ["team.create", "team.add_member", "team.rename", "team.remove_member"]


def test_what_a_team_cannot_be_is_said_at_the_field(browser: Client) -> None:
    team = create_team(name="Museum", members=[])
    assert 'id="id_name_error"' in text_of(browser.post("/admin-portal/teams/", {"name": "museum"}))
    other = create_team(name="Gallery", members=[])
    refused = browser.post(f"/admin-portal/teams/{other.pk}/", {"name": "MUSEUM"})
    assert refused.status_code == 422
    assert "Team Gallery" in text_of(refused)
    unknown = browser.post(f"/admin-portal/teams/{team.pk}/members/", {"username": "nobody-at-all"})
    assert "There is nobody of this name" in text_of(unknown)


@pytest.mark.parametrize(("name", "status"), [("museum", 409), ("two\nlines", 400), ("\u202eoof", 400), (" ", 400)])
def test_a_team_name_that_is_taken_or_cannot_be_read_is_refused_by_rest(world: World, name: str, status: int) -> None:
    create_team(name="Museum", members=[])
    other = create_team(name="Gallery", members=[])
    for answer in (
        world.admin.post("/admin/teams/", {"name": name}),
        world.admin.patch(f"/admin/teams/{other.pk}/", {"name": name}),
    ):
        assert (answer.status_code, set(fields_of(answer))) == (status, {"name"})
    assert Team.objects.filter(personal_of=None).count() == 2


def test_a_personal_team_is_not_among_the_teams(browser: Client, world: World) -> None:
    own = Team.objects.get(personal_of=world.developer.user)
    assert browser.get(f"/admin-portal/teams/{own.pk}/").status_code == 404
    assert world.admin.call("PATCH", f"/admin/teams/{own.pk}/", {"name": "Stolen"}).status_code == 404


def test_a_place_that_a_login_provider_gave_is_taken_away_there(browser: Client, world: World) -> None:
    team = create_team(name="Museum", members=[])
    user = world.developer.user
    Membership.objects.create(team=team, user=user, source=IDP)
    told = browser.post(f"/admin-portal/teams/{team.pk}/members/{user.pk}/remove/", follow=True)
    assert f"comes from {IDP}" in text_of(told)
    browser.post(f"/admin-portal/teams/{team.pk}/members/", {"username": user.username})
    assert Membership.objects.get(team=team, user=user).source == ""


def test_the_same_is_done_by_rest(world: World) -> None:
    user = world.developer.user
    found = world.admin.get(f"/admin/people/?q={user.username}").json()
    assert [row["username"] for row in found["results"]] == [user.username]
    changed = world.admin.call("PATCH", f"/admin/people/{user.pk}/", {"roles": ["publisher"], "active": False})
    assert changed.json()["roles"] == [{"role": "publisher", "source": ""}]
    assert changed.json()["active"] is False
    team = world.admin.call("POST", "/admin/teams/", {"name": "Museum"}).json()
    assert team["members"] == []
    path = f"/admin/teams/{team['id']}/members/"
    joined = world.admin.call("POST", path, {"username": user.username})
    assert joined.json()["members"] == [{"username": user.username, "source": ""}]
    assert world.admin.call("POST", path, {"username": "nobody-at-all"}).json()["errors"][0]["field"] == "username"
    assert world.admin.call("DELETE", f"{path}{user.pk}/").status_code == 204
    assert world.admin.call("PATCH", f"/admin/people/{user.pk}/", {"role": "x"}).status_code == 400
