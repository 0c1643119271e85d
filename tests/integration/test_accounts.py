"""People, teams and API tokens."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.actor import actor_of
from accounts.models import ApiToken, Role, Team
from accounts.queries import find_api_token, personal_team_of
from accounts.services import create_api_token, create_user, revoke_api_token
from accounts.teams import create_team
from common.errors import InputError, NotAllowed

pytestmark = pytest.mark.django_db
GOOD = "a-long-and-unlikely-phrase"


def test_every_user_has_a_personal_team_and_the_roles_given() -> None:
    user = create_user(username="mina", password=GOOD, roles=[Role.APP_DEVELOPER])
    actor = actor_of(user)
    assert actor.team_ids == {personal_team_of(user).pk}
    assert actor.roles == {Role.APP_DEVELOPER}


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("mina", "mina", "password"), ("mina", "password1", "password"), ("mi na!", GOOD, "username")],
)
def test_a_bad_name_or_password_is_refused_with_its_field(username: str, password: str, field: str) -> None:
    with pytest.raises(InputError) as refused:
        create_user(username=username, password=password)
    assert list(refused.value.fields) == [field]
    assert not Team.objects.exists()


def test_a_name_is_taken_in_any_case() -> None:
    create_user(username="mina", password=GOOD)
    with pytest.raises(InputError):
        create_user(username="MINA", password=GOOD)


def test_only_a_hash_of_an_api_token_is_stored() -> None:
    token = create_api_token(user=create_user(username="mina", password=GOOD), name="ci")
    assert token.value not in str(ApiToken.objects.values())
    assert token.value not in repr(token)
    assert find_api_token(token.value) == token.row


def test_a_revoked_api_token_and_one_of_an_inactive_user_are_not_found() -> None:
    user = create_user(username="mina", password=GOOD)
    first, second = (create_api_token(user=user, name=name) for name in ("a", "b"))
    revoke_api_token(token=first.row)
    assert find_api_token(first.value) is None
    user.is_active = False
    user.save()
    assert find_api_token(second.value) is None


def test_a_token_reaches_only_its_own_team() -> None:
    user = create_user(username="mina", password=GOOD)
    team = create_team(name="Commerce", members=[user])
    token = create_api_token(user=user, name="ci", team=team)
    assert actor_of(user, token.row).team_ids == {team.pk}


def test_a_token_loses_its_reach_when_the_user_leaves_the_team() -> None:
    user = create_user(username="mina", password=GOOD)
    team = create_team(name="Commerce", members=[user])
    token = create_api_token(user=user, name="ci", team=team)
    user.memberships.filter(team=team).delete()
    assert actor_of(user, token.row).team_ids == frozenset()


def test_a_team_of_others_cannot_have_my_token() -> None:
    user = create_user(username="mina", password=GOOD)
    team = create_team(name="Commerce", members=[])
    with pytest.raises(NotAllowed):
        create_api_token(user=user, name="ci", team=team)


def test_the_introspection_right_is_for_administrators() -> None:
    user = create_user(username="mina", password=GOOD, roles=[Role.PUBLISHER])
    with pytest.raises(NotAllowed):
        create_api_token(user=user, name="ci", may_introspect=True)


def test_the_command_prints_the_token_and_nothing_else() -> None:
    create_user(username="mina", password=GOOD)
    output = io.StringIO()
    call_command("api_token", "mina", stdout=output)
    assert find_api_token(output.getvalue().removesuffix("\n")) is not None
    assert len(output.getvalue().split()) == 1


def test_the_command_says_when_there_is_no_such_user() -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("api_token", "nobody")
