"""What teams own. Unknown and not-yours answer alike: the row is not in the result."""

import uuid
from collections.abc import Collection

from django.db.models import Q, QuerySet

from subscriptions.models import ApiVersion, Application, Subscription
from subscriptions.queries.catalogue import plans_in_order
from subscriptions.states import ApplicationState


def versions_of_teams(team_ids: Collection[uuid.UUID]) -> QuerySet[ApiVersion]:
    """API versions of these teams, every state."""
    return (
        ApiVersion.objects.filter(api__team__in=team_ids)
        .select_related("api", "api__team")
        # A document may have megabytes, and no list shows it.
        .defer("definition")
        .prefetch_related(plans_in_order())
        .order_by("-created_at", "id")
    )


def applications_of_teams(team_ids: Collection[uuid.UUID]) -> QuerySet[Application]:
    """Applications of these teams that are not removed."""
    return (
        Application.objects.filter(team__in=team_ids)
        .exclude(state=ApplicationState.REMOVED)
        # Joining it would cost more than asking: a search may have to sort all rows before it takes one page.
        .prefetch_related("team")
        .order_by("-created_at", "id")
    )


def subscriptions_of_teams(team_ids: Collection[uuid.UUID]) -> QuerySet[Subscription]:
    """Subscriptions of these teams' applications."""
    return (
        Subscription.objects.filter(application__team__in=team_ids)
        .select_related("application", "api_version__api", "plan")
        .defer("api_version__definition")
        .order_by("-created_at", "id")
    )


def subscriptions_to_teams(team_ids: Collection[uuid.UUID]) -> QuerySet[Subscription]:
    """Subscriptions to these teams' APIs, whoever has them."""
    return (
        Subscription.objects.filter(Q(api_version__api__team__in=team_ids))
        .select_related("application__team", "api_version__api", "plan")
        .defer("api_version__definition")
        .order_by("-created_at", "id")
    )
