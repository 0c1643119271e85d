"""Letting in somebody whom a login provider vouches for: the person is found or made, and their rights follow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.directory import LONGEST_IDENTIFIER, DirectoryPerson, Entitlements
from accounts.models import ExternalIdentity, Membership, Role, RoleGrant, Team, User
from accounts.services import LONGEST_USERNAME
from common.errors import InputError, NotAllowed, RuleError

_NOT_IN_USERNAMES = re.compile(r"[^\w.@+-]+")
_MOST_SUFFIXES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who was let in, and what that changed."""

    user: User
    created: bool
    roles_given: tuple[str, ...] = ()
    roles_taken: tuple[str, ...] = ()
    teams_joined: tuple[str, ...] = ()
    teams_left: tuple[str, ...] = ()
    names_moved: tuple[User, ...] = ()
    """Whose name there is another than before, with who had it until now; nobody for somebody new with a new name."""

    @property
    def changed_rights(self) -> bool:
        """Whether the person may do more or less than before."""
        return bool(self.roles_given or self.roles_taken or self.teams_joined or self.teams_left)


@transaction.atomic
def admit(*, person: DirectoryPerson, entitlements: Entitlements) -> Admission:
    """The portal's user behind ``person``, with exactly the ``entitlements`` besides what the portal itself gave.

    Known by issuer and subject alone: nobody becomes somebody else by a name or an e-mail address. Raises
    ``NotAllowed`` for a user who is not active, ``InputError`` for a person without a usable subject.
    """
    if not person.subject or max(len(person.subject), len(person.issuer)) > LONGEST_IDENTIFIER:
        raise InputError.of("subject", f"needs 1 to {LONGEST_IDENTIFIER} characters")
    known = ExternalIdentity.objects.select_related("user").filter(issuer=person.issuer, subject=person.subject)
    identity = known.first()
    created = identity is None
    if identity is None:
        user = _new_user(person)
        identity = ExternalIdentity(user=user, issuer=person.issuer, subject=person.subject)
    user = identity.user
    if not user.is_active:
        raise NotAllowed("This account is switched off in the portal.")
    identity.last_seen_at = timezone.now()
    moved = _follow_name(identity, person.username)
    identity.save()
    _follow_profile(user, person)
    given, taken = _follow_roles(user, person.issuer, entitlements.roles)
    joined, left = _follow_teams(user, person.issuer, entitlements.teams)
    return Admission(
        user=user,
        created=created,
        roles_given=given,
        roles_taken=taken,
        teams_joined=joined,
        teams_left=left,
        names_moved=moved,
    )


def _new_user(person: DirectoryPerson) -> User:
    user = User(username=_free_username(person.username or person.subject))
    user.set_unusable_password()
    user.save()
    team = Team.objects.create(name=user.username, personal_of=user)
    Membership.objects.create(team=team, user=user)
    return user


def _free_username(wished: str) -> str:
    """The name, or the name with a number when somebody or a team has it: it is then not theirs to take."""
    cleaned = _NOT_IN_USERNAMES.sub("-", wished).strip("-") or "person"
    for name in _variants(cleaned):
        taken = User.objects.filter(username__iexact=name).exists() or Team.objects.filter(name__iexact=name).exists()
        if not taken:
            return name
    raise RuleError(f"Too many people are called {cleaned[:LONGEST_USERNAME]} here; tell an administrator.")


def _variants(name: str) -> Iterator[str]:
    yield name[:LONGEST_USERNAME]
    for number in range(2, _MOST_SUFFIXES):
        suffix = f"-{number}"
        yield f"{name[: LONGEST_USERNAME - len(suffix)]}{suffix}"


def _follow_name(identity: ExternalIdentity, said: str) -> tuple[User, ...]:
    """Keep the name in ``identity``, not saved, and take it from whoever had it there; everybody whose name changed."""
    # A name that is cut could be another person's.
    name = said if len(said) <= LONGEST_IDENTIFIER else ""
    moved = [identity.user] if identity.pk is not None and identity.username != name else []
    identity.username = name
    if name:
        # Where one person is Anna and another anna, neither is to be mistaken for the other.
        others = ExternalIdentity.objects.filter(issuer=identity.issuer, username__iexact=name).exclude(pk=identity.pk)
        moved += [other.user for other in others.select_related("user")]
        others.update(username="")
    return tuple(moved)


def _follow_profile(user: User, person: DirectoryPerson) -> None:
    said = {
        "email": person.email[:254],
        "first_name": person.first_name[:150],
        "last_name": person.last_name[:150],
    }
    changed = [name for name, value in said.items() if value and getattr(user, name) != value]
    for name in changed:
        setattr(user, name, said[name])
    if changed:
        user.save(update_fields=changed)


def _follow_roles(user: User, issuer: str, wanted: frozenset[Role]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Roles given and taken. A role that the portal gave as well stays the portal's."""
    present = dict(RoleGrant.objects.filter(user=user).values_list("role", "source"))
    given = sorted(role.value for role in wanted if role.value not in present)
    taken = sorted(role for role, source in present.items() if source == issuer and role not in wanted)
    RoleGrant.objects.bulk_create([RoleGrant(user=user, role=role, source=issuer) for role in given])
    RoleGrant.objects.filter(user=user, source=issuer, role__in=taken).delete()
    return tuple(given), tuple(taken)


def _follow_teams(user: User, issuer: str, wanted: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of teams joined and left. A team that does not exist yet is made."""
    present = Membership.objects.filter(user=user).select_related("team")
    names = {row.team.name.lower() for row in present}
    joined = sorted(name for name in wanted if name.lower() not in names)
    Membership.objects.bulk_create([Membership(team=_shared_team(name), user=user, source=issuer) for name in joined])
    kept = {name.lower() for name in wanted}
    gone = [row for row in present if row.source == issuer and row.team.name.lower() not in kept]
    Membership.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return tuple(joined), tuple(sorted(row.team.name for row in gone))


def _shared_team(name: str) -> Team:
    team = Team.objects.filter(name__iexact=name).first()
    if team is not None and team.personal_of_id is not None:
        raise RuleError(f"The team {name} is one person's own, so nobody can join it; tell an administrator.")
    return team or Team.objects.create(name=name)
