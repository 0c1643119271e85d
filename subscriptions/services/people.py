"""People and their roles, with the audit rows that ``accounts``, which knows of no audit log, cannot write."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from accounts import admission, services
from accounts.actor import SYSTEM, Actor
from accounts.directory import DirectoryPerson, EntitlementRules
from accounts.models import Role, User
from subscriptions.recording import audit


@transaction.atomic
def create_person(*, actor: Actor, username: str, password: str, roles: Iterable[Role], email: str = "") -> User:
    """A person with a personal team. Raises ``InputError`` naming ``username``, ``email`` or ``password``."""
    given = sorted(set(roles))
    user = services.create_user(username=username, password=password, roles=given, email=email)
    audit(actor, "person.create", user, detail={"roles": [role.value for role in given]})
    return user


@transaction.atomic
def grant_role(*, actor: Actor, user: User, role: Role) -> None:
    """Give a role; repeating it changes and records nothing. One that a login provider gave becomes the portal's."""
    if not user.role_grants.filter(role=role, source="").exists():
        services.grant_role(user=user, role=role)
        audit(actor, "role.grant", user, detail={"role": role.value})


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role) -> None:
    """Take a role away; repeating it changes and records nothing."""
    if services.revoke_role(user=user, role=role):
        audit(actor, "role.revoke", user, detail={"role": role.value})


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
    return done.user
