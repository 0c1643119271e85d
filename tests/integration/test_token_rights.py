"""An API token is worth what its person is worth at this moment: membership and roles are asked for at every use."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiToken, Membership, Role, RoleGrant, Team
from accounts.services import create_api_token
from accounts.teams import create_team
from keymanager.models import Credential
from subscriptions.models import Api, Application
from tests.integration.rest_kit import Caller, World, api_body, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def former_member(world: World) -> Caller:
    person = make_caller("grace", Role.APP_DEVELOPER, Role.API_DEVELOPER)
    team = create_team(name="red", members=[person.user])
    token = create_api_token(user=person.user, name="red", team=team)
    Membership.objects.filter(user=person.user, team=team).delete()
    return Caller(user=person.user, actor=person.actor, token=token.value)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/store/applications/", {"name": "Late", "credentials": [{"key_manager": "resident"}]}),
        ("/publisher/apis/", api_body()),
    ],
)
def test_a_former_members_token_makes_nothing_in_the_team(former_member: Caller, path: str, body: Any) -> None:
    answer = former_member.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not Application.objects.exists()
    assert not Credential.objects.exists()
    assert not Api.objects.filter(team=Team.objects.get(name="red")).exists()


def test_the_right_to_introspect_ends_with_the_administrators_role(world: World) -> None:
    value = create_api_token(user=world.admin.user, name="gateway", may_introspect=True).value

    def ask() -> Any:
        form = {"token": "unknown", "token_type_hint": "access_token"}
        content = "&".join(f"{name}={text}" for name, text in form.items())
        return Client().generic(
            "POST",
            "/introspect",
            content,
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": f"Bearer {value}"},
        )

    assert (ask().status_code, ask().json()) == (200, {"active": False})
    RoleGrant.objects.filter(user=world.admin.user).delete()
    assert ApiToken.objects.filter(may_introspect=True).exists()
    assert (ask().status_code, ask().json()["error"]) == (403, "insufficient_scope")
