"""Filters of the store's lists."""

import django_filters
from django.db.models import QuerySet

from keymanager.services.acceptance import accepted_at
from subscriptions.models import ApiVersion, Application, Subscription
from subscriptions.queries.catalogue import search, tagged
from subscriptions.states import ApplicationState, SubscriptionState


class StoreApiFilter(django_filters.FilterSet):
    """``?q=``, ``?tag=``, ``?key_manager=``."""

    q = django_filters.CharFilter(method="by_text")
    tag = django_filters.CharFilter(method="by_tag")
    key_manager = django_filters.CharFilter(method="by_key_manager")

    def by_text(self, rows: QuerySet[ApiVersion], _name: str, value: str) -> QuerySet[ApiVersion]:
        """Free text."""
        return search(rows, value)

    def by_tag(self, rows: QuerySet[ApiVersion], _name: str, value: str) -> QuerySet[ApiVersion]:
        """One whole tag."""
        return tagged(rows, value)

    def by_key_manager(self, rows: QuerySet[ApiVersion], _name: str, value: str) -> QuerySet[ApiVersion]:
        """API versions that accept tokens of this key manager; none when it is unknown or switched off."""
        return accepted_at(rows, value)


class ApplicationFilter(django_filters.FilterSet):
    """``?q=`` in the name, ``?state=``."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    state = django_filters.ChoiceFilter(choices=[(state.value, state.value) for state in ApplicationState])

    class Meta:
        model = Application
        fields: tuple[str, ...] = ()


class SubscriptionFilter(django_filters.FilterSet):
    """``?application=``, ``?api=``, ``?state=``."""

    application = django_filters.UUIDFilter(field_name="application_id")
    api = django_filters.UUIDFilter(field_name="api_version_id")
    state = django_filters.ChoiceFilter(choices=[(state.value, state.value) for state in SubscriptionState])

    class Meta:
        model = Subscription
        fields: tuple[str, ...] = ()
