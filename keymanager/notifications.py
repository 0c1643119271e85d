"""What became of a person's registrations: clients ready, failed or removed, and failures of their teams' APIs."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import NotificationsSeen, User
from keymanager.models import Registration
from keymanager.registrations.states import RegistrationKind, RegistrationState

_OUTCOMES = (RegistrationState.ACTIVE, RegistrationState.REFUSED, RegistrationState.REMOVED)


def notifications_of(team_ids: Collection[uuid.UUID]) -> QuerySet[Registration]:
    """Registrations that have ended for these teams, the newest end first (``outcome_at``).

    One for each outcome: a later change that ends as the one before is nothing new.
    """
    clients = Q(kind=RegistrationKind.CLIENT, credential__application__team__in=team_ids, state__in=_OUTCOMES)
    apis = Q(api_version__api__team__in=team_ids, state=RegistrationState.REFUSED)
    return (
        Registration.objects.filter(clients | apis, outcome_at__isnull=False)
        .select_related("key_manager", "credential__application", "api_version__api")
        .defer("api_version__definition")
        .order_by("-outcome_at", "-id")
    )


def seen_until(user: User) -> datetime:
    """Until when the person knows what happened; at first, since there is an account."""
    seen = NotificationsSeen.objects.filter(user=user).first()
    return seen.at if seen is not None else user.date_joined
