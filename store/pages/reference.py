"""The reference of an API, drawn on the server from its stored definition."""

import uuid
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from accounts.pages.views import PageView, own
from common.errors import NotFound
from store.pages.api import api_head
from store.pages.trying import try_panel
from store.reference.kept import described, kept_description, kept_groups, kept_operation
from store.reference.model import OperationReference
from store.reference.samples import samples_of
from subscriptions.models import ApiVersion, Operation, Subscription
from subscriptions.queries.catalogue import store_versions
from subscriptions.states import OperationAuth


class ReferencePage(PageView):
    """The list of operations, and one of them opened."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """The first operation when none is named."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        operations = list(version.operations.all())
        chosen = next((row for row in operations if operation in {None, row.pk}), None)
        if operation is not None and chosen is None:
            raise NotFound
        context: dict[str, Any] = {
            **api_head(version, self.actor, section="reference"),
            "groups": _grouped(kept_groups(version.pk, version.revision), operations),
            "chosen": chosen,
        }
        if chosen is not None:
            context |= self._opened(version, chosen)
        return self.show("store/reference.html", context)

    def _opened(self, version: ApiVersion, row: Operation) -> dict[str, Any]:
        key = (version.pk, version.revision, row.method, row.path)
        read = kept_operation(*key)
        reference = read or OperationReference(method=row.method, path=row.path, summary=row.summary)
        base_url = f"{settings.ARCHWAY_GATEWAY_URL}{version.path_prefix}"
        needs_token = row.auth != OperationAuth.NONE
        samples = samples_of(reference, base_url=base_url, token=needs_token)
        return {
            "operation": reference,
            "described": kept_description(*key, get_language() or "") if read else described(reference),
            "base_url": base_url,
            "needs_token": needs_token,
            "scopes": sorted(row.scopes.values_list("key", flat=True)),
            "samples": [(sample, mark_safe(sample.html)) for sample in samples],  # noqa: S308 - made by Pygments
            "own_plans": self._own_subscriptions(version),
            **try_panel(version, row, reference, self.actor),
        }

    def _own_subscriptions(self, version: ApiVersion) -> QuerySet[Subscription]:
        rows = Subscription.objects.filter(api_version=version, application__team__in=self.actor.team_ids)
        return rows.select_related("plan", "application").order_by("-created_at")[:3]


def _grouped(tags: Mapping[tuple[str, str], str], operations: list[Operation]) -> list[tuple[str, list[Operation]]]:
    """Operations under their tags, in the order in which the tags come first."""
    tagged = [(tags.get((row.method, row.path), ""), row) for row in operations]
    order = {tag: position for position, tag in reversed(list(enumerate(tag for tag, _ in tagged)))}
    tagged.sort(key=lambda item: order[item[0]])
    return [(tag, [row for _, row in rows]) for tag, rows in groupby(tagged, key=lambda item: item[0])]
