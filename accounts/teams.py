"""Writes on teams that several people share."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from accounts.models import Membership, Team, User
from common.errors import InputError, RuleError

LONGEST_TEAM_NAME = 100


@transaction.atomic
def create_team(*, name: str, members: Iterable[User]) -> Team:
    """A team with these members.

    Raises ``InputError`` naming ``name`` when it is empty, too long or not printable, ``RuleError`` when it is taken.
    """
    team = _named(Team(), _free_name(name))
    Membership.objects.bulk_create([Membership(team=team, user=user) for user in members])
    return team


@transaction.atomic
def rename_team(*, team: Team, name: str) -> Team:
    """Call a shared team something else. Raises as ``create_team`` does, and ``RuleError`` for a personal team."""
    _require_shared(team)
    return _named(team, _free_name(name, but=team))


@transaction.atomic
def add_member(*, team: Team, user: User) -> bool:
    """Let a person into a shared team; one whom a login provider had put there stays from now on.

    Returns whether that is a change. Raises ``RuleError`` for a personal team.
    """
    _require_shared(team)
    row, created = Membership.objects.get_or_create(team=team, user=user)
    taken_over = bool(row.source) and Membership.objects.filter(pk=row.pk).update(source="") == 1
    return created or taken_over


@transaction.atomic
def remove_member(*, team: Team, user: User) -> bool:
    """Take a person out of a shared team, at once. Returns whether they were in it.

    Raises ``RuleError`` for a personal team, and for a place that a login provider gave.
    """
    _require_shared(team)
    row = Membership.objects.filter(team=team, user=user).first()
    if row is None:
        return False
    if row.source:
        raise RuleError(f"This place comes from {row.source}: take it away there, or switch the person off.")
    row.delete()
    return True


def _require_shared(team: Team) -> None:
    if team.personal_of_id is not None:
        raise RuleError("This team is one person's own; it keeps its name and its one member.")


def _free_name(name: str, *, but: Team | None = None) -> str:
    cleaned = name.strip()
    if not cleaned:
        raise InputError.of("name", "A team needs a name.")
    if len(cleaned) > LONGEST_TEAM_NAME:
        raise InputError.of("name", f"At most {LONGEST_TEAM_NAME} characters.")
    if not cleaned.isprintable():
        raise InputError.of("name", "Only printable characters.")
    taken = Team.objects.filter(name__iexact=cleaned)
    if (taken.exclude(pk=but.pk) if but is not None else taken).exists():
        raise _taken()
    return cleaned


def _named(team: Team, name: str) -> Team:
    """Save under this name; the database decides between two who take it at the same moment."""
    team.name = name
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as exc:
        raise _taken() from exc
    return team


def _taken() -> RuleError:
    return RuleError("name: another team has it.", fields={"name": ["This name is taken."]})
