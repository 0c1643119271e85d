"""People and their roles, with the audit rows that ``accounts``, which knows of no audit log, cannot write."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from accounts import admission, services
from accounts.actor import SYSTEM, Actor
from accounts.directory import DirectoryPerson, EntitlementRules
from accounts.models import Role, RoleGrant, User
from accounts.queries import roles_of
from common.errors import RuleError
from subscriptions.models import ChangeKind
from subscriptions.recording import announce, audit


@transaction.atomic
def create_person(*, actor: Actor, username: str, password: str, roles: Iterable[Role], email: str = "") -> User:
    """A person with a personal team. Raises ``InputError`` naming ``username``, ``email`` or ``password``."""
    given = sorted(set(roles))
    user = services.create_user(username=username, password=password, roles=given, email=email)
    audit(actor, "person.create", user, detail={"roles": [role.value for role in given]})
    announce_person(user)
    return user


@transaction.atomic
def grant_role(*, actor: Actor, user: User, role: Role) -> None:
    """Give a role; repeating it changes and records nothing. One that a login provider gave becomes the portal's."""
    if not user.role_grants.filter(role=role, source="").exists():
        services.grant_role(user=user, role=role)
        audit(actor, "role.grant", user, detail={"role": role.value})
        announce_person(user)


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role) -> None:
    """Take a role away; repeating it changes and records nothing. Raises ``RuleError`` for the last administrator."""
    if role is Role.ADMINISTRATOR:
        _require_another_administrator(user)
    if services.revoke_role(user=user, role=role):
        audit(actor, "role.revoke", user, detail={"role": role.value})
        announce_person(user)


@transaction.atomic
def set_roles(*, actor: Actor, user: User, roles: Iterable[Role]) -> User:
    """Exactly these roles of those that the portal gives; what a login provider gave stays.

    Raises ``RuleError`` for the last administrator.
    """
    wanted = frozenset(roles)
    provided = frozenset(Role(role) for role in user.role_grants.exclude(source="").values_list("role", flat=True))
    present = roles_of(user)
    for role in sorted(wanted - present):
        grant_role(actor=actor, user=user, role=role)
    for role in sorted(present - wanted - provided):
        revoke_role(actor=actor, user=user, role=role)
    return user


@transaction.atomic
def set_active(*, actor: Actor, user: User, active: bool) -> User:
    """Let a person in, or shut them out at once. Raises ``RuleError`` for the last administrator."""
    if not active:
        _require_another_administrator(user)
    if services.set_active(user=user, active=active):
        audit(actor, "person.switch_on" if active else "person.switch_off", user)
        announce_person(user)
    user.refresh_from_db(fields=["is_active"])
    return user


@transaction.atomic
def end_sessions(*, actor: Actor, user: User) -> User:
    """End every session of a person."""
    services.end_sessions(user=user)
    audit(actor, "person.end_sessions", user)
    return user


def announce_person(user: User) -> None:
    """Tell the validators that what a person may do has changed: scopes can be bound to roles and teams."""
    announce(ChangeKind.PERSON, str(user.pk))


def _require_another_administrator(user: User) -> None:
    """Two who step down at the same moment wait for each other, so that one of them stays."""
    grants = RoleGrant.objects.filter(role=Role.ADMINISTRATOR, user__is_active=True).select_for_update()
    holders = set(grants.values_list("user_id", flat=True))
    if holders == {user.pk}:
        raise RuleError("This is the last administrator. Make somebody else one first.")


def admit(*, person: DirectoryPerson, rules: EntitlementRules) -> User:
    """The user behind somebody who signed in elsewhere, made at the first time, with the rights that ``rules`` give.

    Raises ``NotAllowed`` when the user is not active, ``RuleError`` or ``InputError`` when none can be made.
    """
    try:
        return _admit(person, rules)
    except IntegrityError:
        # Two browsers of one person arrived for the first time at once: the other one made the user.
        return _admit(person, rules)


@transaction.atomic
def _admit(person: DirectoryPerson, rules: EntitlementRules) -> User:
    done = admission.admit(person=person, entitlements=rules.entitlements_of(person))
    if done.created or done.changed_rights:
        detail = {
            "issuer": person.issuer,
            "subject": person.subject,
            "roles_given": list(done.roles_given),
            "roles_taken": list(done.roles_taken),
            "teams_joined": list(done.teams_joined),
            "teams_left": list(done.teams_left),
        }
        audit(SYSTEM, "person.create" if done.created else "person.follow", done.user, detail=detail)
    told = [done.user] if done.created or done.changed_rights else []
    for user in {user.pk: user for user in (*told, *done.names_moved)}.values():
        announce_person(user)
    return done.user
