"""Teams that several people share, with their audit rows."""

from collections.abc import Iterable

from django.db import transaction

from accounts import teams
from accounts.actor import Actor
from accounts.models import Team, User
from subscriptions.recording import audit
from subscriptions.services.people import announce_person


@transaction.atomic
def create_team(*, actor: Actor, name: str, members: Iterable[User] = ()) -> Team:
    """A team with these members.

    Raises ``InputError`` naming ``name`` when it is empty, too long or not printable, ``RuleError`` when it is taken.
    """
    people = list(members)
    team = teams.create_team(name=name, members=people)
    audit(actor, "team.create", team, team_id=team.pk, detail={"members": [user.username for user in people]})
    for user in people:
        announce_person(user)
    return team


@transaction.atomic
def rename_team(*, actor: Actor, team: Team, name: str) -> Team:
    """Call a shared team something else. Raises as ``create_team`` does, and ``RuleError`` for a personal team."""
    before = team.name
    team = teams.rename_team(team=team, name=name)
    if team.name != before:
        audit(actor, "team.rename", team, team_id=team.pk, detail={"before": before})
        for user in team.members.all():
            announce_person(user)
    return team


@transaction.atomic
def add_member(*, actor: Actor, team: Team, user: User) -> Team:
    """Let a person into a shared team; repeating it changes nothing. Raises ``RuleError`` for a personal team."""
    if teams.add_member(team=team, user=user):
        audit(actor, "team.add_member", team, team_id=team.pk, detail={"member": user.username})
        announce_person(user)
    return team


@transaction.atomic
def remove_member(*, actor: Actor, team: Team, user: User) -> Team:
    """Take a person out of a shared team; repeating it changes nothing.

    Raises ``RuleError`` for a personal team and for a place that a login provider gave.
    """
    if teams.remove_member(team=team, user=user):
        audit(actor, "team.remove_member", team, team_id=team.pk, detail={"member": user.username})
        announce_person(user)
    return team
