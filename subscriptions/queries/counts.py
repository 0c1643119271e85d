"""Numbers beside the rows of a list, counted for the shown rows alone: a join would count for all of them first."""

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from subscriptions.models import Subscription


def subscriptions_counted(of: str) -> Coalesce:
    """How many subscriptions a row has, which is an ``application`` or an ``api_version``: that is what ``of`` says."""
    mine = Subscription.objects.filter(**{of: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
