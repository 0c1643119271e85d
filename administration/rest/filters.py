"""Filters of the administration's lists."""

import django_filters

from keymanager.models import Registration
from keymanager.registrations.states import RegistrationKind, RegistrationState
from subscriptions.models import AuditEvent


class RegistrationFilter(django_filters.FilterSet):
    """``?state=``, ``?key_manager=``, ``?kind=``."""

    state = django_filters.ChoiceFilter(choices=[(state.value, state.value) for state in RegistrationState])
    kind = django_filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in RegistrationKind])
    key_manager = django_filters.CharFilter(field_name="key_manager__slug")

    class Meta:
        model = Registration
        fields: tuple[str, ...] = ()


class AuditFilter(django_filters.FilterSet):
    """``?actor=``, ``?action=``, ``?object_id=``."""

    actor = django_filters.CharFilter(field_name="actor_name")
    action = django_filters.CharFilter(field_name="action", lookup_expr="startswith")
    object_id = django_filters.CharFilter(field_name="object_id")

    class Meta:
        model = AuditEvent
        fields: tuple[str, ...] = ()
