"""Nothing that a caller says is ignored: members that a body does not have and filters that a list does not have are
refused by name, with 400.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.rest.pagination import PageNumberPages
from common.errors import InputError

NO_MEMBER = "There is no such member."
_PAGING = frozenset({PageNumberPages.page_query_param, PageNumberPages.page_size_query_param})


def refuse_unknown_members(
    serializer: serializers.Serializer[Any], sent: object, *, known: Collection[str] = ()
) -> None:
    """Raises ``InputError`` naming every member of the body, at any depth, that the serializer does not have.

    ``known``: further members that may be sent at the top.
    """
    names = [name for name in _unknown(serializer, sent) if name not in known]
    if names:
        raise InputError(f"{names[0]}: {NO_MEMBER}", fields={name: [NO_MEMBER] for name in names})


def refuse_body(request: Request) -> None:
    """For calls whose address says all. Raises ``InputError`` naming every member that would be ignored."""
    sent = request.data
    if sent and not isinstance(sent, Mapping):
        raise InputError.of("body", "This call takes no body.")
    if sent:
        raise InputError(f"{next(iter(sent))}: {NO_MEMBER}", fields={str(name): [NO_MEMBER] for name in sent})


def _unknown(field: object, sent: object, place: str = "") -> list[str]:
    if isinstance(field, serializers.ListSerializer):
        rows = sent if isinstance(sent, list) else []
        return [name for number, row in enumerate(rows) for name in _unknown(field.child, row, f"{place}[{number}]")]
    if not isinstance(field, serializers.Serializer) or not isinstance(sent, Mapping):
        return []
    found: list[str] = []
    for name, value in sent.items():
        here = f"{place}.{name}" if place else str(name)
        found += _unknown(field.fields[name], value, here) if name in field.fields else [here]
    return found


class StrictFilterBackend(DjangoFilterBackend):
    """Filters a list by its filter set; a parameter that is neither a filter nor about pages is refused."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Model], view: APIView) -> QuerySet[Model]:
        """Raises ``InputError`` naming every parameter that would be ignored."""
        filters = self.get_filterset_class(view, queryset)
        known = _PAGING | set(filters.base_filters if filters is not None else ())
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            words = f"There is no such filter; there are {', '.join(sorted(known))}."
            raise InputError(f"{unknown[0]}: {words}", fields={name: [words] for name in unknown})
        filtered: QuerySet[Model] = super().filter_queryset(request, queryset, view)
        return filtered
