"""Reads on people, teams and tokens."""

import uuid

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken, Role, Team, User
from accounts.services import hash_token


def roles_of(user: User) -> frozenset[Role]:
    """Every role of a user."""
    return frozenset(Role(value) for value in user.role_grants.values_list("role", flat=True))


def team_ids_of(user: User) -> frozenset[uuid.UUID]:
    """Ids of every team that a user belongs to."""
    return frozenset(user.memberships.values_list("team_id", flat=True))


def personal_team_of(user: User) -> Team:
    """The team that every user has."""
    return Team.objects.get(personal_of=user)


def find_api_token(value: str) -> ApiToken | None:
    """The live token with this value, with its user and team, or ``None``."""
    return (
        ApiToken.objects.select_related("user", "team")
        .filter(sha256=hash_token(value), revoked_at=None, user__is_active=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        .first()
    )
