"""Filters of the publisher's lists."""

import django_filters
from django.db.models import QuerySet

from subscriptions.models import ApiVersion
from subscriptions.queries.catalogue import search, tagged
from subscriptions.states import ApiState


class ApiFilter(django_filters.FilterSet):
    """``?q=``, ``?state=``, ``?tag=``, ``?version=``."""

    q = django_filters.CharFilter(method="by_text")
    state = django_filters.ChoiceFilter(choices=[(state.value, state.value) for state in ApiState])
    tag = django_filters.CharFilter(method="by_tag")
    version = django_filters.CharFilter(field_name="version")

    def by_text(self, rows: QuerySet[ApiVersion], _name: str, value: str) -> QuerySet[ApiVersion]:
        """Free text."""
        return search(rows, value)

    def by_tag(self, rows: QuerySet[ApiVersion], _name: str, value: str) -> QuerySet[ApiVersion]:
        """One whole tag."""
        return tagged(rows, value)
