"""What the store shows: API versions that are in the store, public ones to everybody."""

import uuid
from collections.abc import Collection

from django.db.models import Q, QuerySet

from subscriptions.models import ApiVersion
from subscriptions.states import IN_STORE


def store_versions(team_ids: Collection[uuid.UUID]) -> QuerySet[ApiVersion]:
    """API versions that a person of these teams (none: nobody signed in) may see in the store."""
    return (
        ApiVersion.objects.filter(state__in=[state.value for state in IN_STORE])
        .filter(Q(public=True) | Q(api__team__in=team_ids))
        .select_related("api", "api__team")
        .prefetch_related("plans")
    )


def search(versions: QuerySet[ApiVersion], text: str) -> QuerySet[ApiVersion]:
    """Those whose name, context, description, version or tags contain ``text``."""
    return versions.filter(
        Q(api__name__icontains=text)
        | Q(api__context__icontains=text)
        | Q(description__icontains=text)
        | Q(version__icontains=text)
        | Q(tags__icontains=text)
    )
