"""Writes on people, teams and tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import ApiToken, Membership, NotificationsSeen, Role, RoleGrant, Team, User
from common.errors import InputError, NotAllowed, RuleError

TOKEN_PREFIX = "awt_"  # noqa: S105 - a prefix that secret scanners can look for, not a secret
LONGEST_USERNAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiToken:
    """A token that was just made; ``value`` cannot be read again."""

    row: ApiToken
    value: str = field(repr=False)


def hash_token(value: str) -> str:
    """SHA-256 in hexadecimal; API tokens are long and random, so no slow hash is needed."""
    return hashlib.sha256(value.encode()).hexdigest()


@transaction.atomic
def create_user(*, username: str, password: str, roles: Iterable[Role] = (), email: str = "") -> User:
    """A user with a personal team. Raises ``InputError`` naming ``username``, ``email`` or ``password``."""
    user = User(username=username, email=email)
    _check_person(user, password)
    user.set_password(password)
    user.save()
    team = Team.objects.create(name=username, personal_of=user)
    Membership.objects.create(team=team, user=user)
    RoleGrant.objects.bulk_create([RoleGrant(user=user, role=role) for role in set(roles)])
    return user


def _check_person(user: User, password: str) -> None:
    """The name is also that of the personal team, so it has to be free and short enough for both."""
    if User.objects.filter(username__iexact=user.username).exists():
        raise InputError.of("username", "This name is taken.")
    if Team.objects.filter(name__iexact=user.username).exists():
        raise InputError.of("username", "A team has this name.")
    if len(user.username) > LONGEST_USERNAME:
        raise InputError.of("username", f"At most {LONGEST_USERNAME} characters.")
    try:
        User.username_validator(user.username)
    except ValidationError as exc:
        raise InputError.of("username", " ".join(exc.messages)) from exc
    try:
        if user.email:
            validate_email(user.email)
    except ValidationError as exc:
        raise InputError.of("email", " ".join(exc.messages)) from exc
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InputError.of("password", " ".join(exc.messages)) from exc


@transaction.atomic
def grant_role(*, user: User, role: Role) -> RoleGrant:
    """Give a role; it counts from the person's next request on. Repeating it changes nothing.

    One that a login provider gave is the portal's from now on: the provider no longer takes it away.
    """
    row, _ = RoleGrant.objects.update_or_create(user=user, role=role, defaults={"source": ""})
    return row


@transaction.atomic
def revoke_role(*, user: User, role: Role) -> bool:
    """Take a role away, also from the person's API tokens, at once. Returns whether the person had it.

    Raises ``RuleError`` for a role that a login provider gave: it would be back at the next sign-in.
    """
    source = RoleGrant.objects.filter(user=user, role=role).values_list("source", flat=True).first()
    if source:
        raise RuleError(f"This role comes from {source}: take it away there, or switch the person off.")
    return RoleGrant.objects.filter(user=user, role=role).delete()[0] > 0


@transaction.atomic
def set_active(*, user: User, active: bool) -> bool:
    """Let a person in, or shut them out: sign-in, sessions and API tokens. Returns whether that is a change."""
    return User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active) == 1


@transaction.atomic
def end_sessions(*, user: User) -> None:
    """End every session of a person, wherever it is."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])


@transaction.atomic
def create_api_token(
    *,
    user: User,
    name: str,
    team: Team | None = None,
    may_introspect: bool = False,
    expires_at: datetime | None = None,
) -> NewApiToken:
    """An API token of ``user`` for ``team`` (default: the personal team).

    Raises ``NotAllowed`` when the user is not in the team, or asks for the introspection right without being an
    administrator.
    """
    owner = team or Team.objects.get(personal_of=user)
    if not Membership.objects.filter(team=owner, user=user).exists():
        raise NotAllowed("You are not a member of this team.")
    if may_introspect and not RoleGrant.objects.filter(user=user, role=Role.ADMINISTRATOR).exists():
        raise NotAllowed("Only an administrator can have a token that may introspect any token.")
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        team=owner,
        name=name,
        sha256=hash_token(value),
        may_introspect=may_introspect,
        expires_at=expires_at,
    )
    return NewApiToken(row=row, value=value)


@transaction.atomic
def revoke_api_token(*, token: ApiToken) -> ApiToken:
    """End a token now; repeating it changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db()
    return token


@transaction.atomic
def see_notifications(*, user: User, at: datetime) -> NotificationsSeen:
    """Remember that everything up to ``at`` was seen; not audited, it is nobody else's business."""
    row, _ = NotificationsSeen.objects.update_or_create(user=user, defaults={"at": at})
    return row
