"""Reads on people, teams and tokens."""

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiToken, ExternalIdentity, Role, Team, User
from accounts.services import hash_token


def roles_of(user: User) -> frozenset[Role]:
    """Every role of a user."""
    return frozenset(Role(value) for value in user.role_grants.values_list("role", flat=True))


def team_ids_of(user: User) -> frozenset[uuid.UUID]:
    """Ids of every team that a user belongs to."""
    return frozenset(user.memberships.values_list("team_id", flat=True))


def role_names_of(user: User) -> frozenset[str]:
    """What scopes can be bound to: the user's roles, and the names of the teams that they share with others."""
    teams = user.memberships.filter(team__personal_of=None).values_list("team__name", flat=True)
    return frozenset(role.value for role in roles_of(user)) | frozenset(teams)


def directory_claims_of(user: User) -> dict[str, object]:
    """A user's claims by the names of OpenID Connect (Core section 5.1); what is not known is left out."""
    known = {
        "preferred_username": user.username,
        "email": user.email,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "name": user.get_full_name(),
    }
    claims: dict[str, object] = {name: value for name, value in known.items() if value}
    return {**claims, "roles": sorted(role_names_of(user))}


def signs_in_people(issuer: str) -> bool:
    """Whether people sign in to the portal at this issuer, so that its subjects are known here."""
    return issuer == settings.ARCHWAY_OIDC_ISSUER or ExternalIdentity.objects.filter(issuer=issuer).exists()


def named_by_directories(issuers: Iterable[str], name: str) -> User | None:
    """The active user whom exactly one identity of ``issuers`` calls ``name`` since their last sign-in."""
    called = ExternalIdentity.objects.select_related("user").filter(issuer__in=issuers, username=name)[:2]
    return called[0].user if len(called) == 1 and called[0].user.is_active else None


def find_people(text: str) -> QuerySet[User]:
    """People whose name or e-mail address contains ``text``, by name, with their roles and where they come from."""
    wanted = text.strip()
    found = Q()
    for name in ("username", "first_name", "last_name", "email"):
        found |= Q(**{f"{name}__icontains": wanted})
    rows = User.objects.filter(found) if wanted else User.objects.all()
    return rows.order_by("username").prefetch_related("role_grants", "identities")


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
