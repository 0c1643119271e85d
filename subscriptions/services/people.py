"""People and their roles, with the audit rows that ``accounts``, which knows of no audit log, cannot write."""

from collections.abc import Iterable

from django.db import transaction

from accounts import services
from accounts.actor import Actor
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
    """Give a role; repeating it changes and records nothing."""
    if not user.role_grants.filter(role=role).exists():
        services.grant_role(user=user, role=role)
        audit(actor, "role.grant", user, detail={"role": role.value})


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role) -> None:
    """Take a role away; repeating it changes and records nothing."""
    if services.revoke_role(user=user, role=role):
        audit(actor, "role.revoke", user, detail={"role": role.value})
