"""One API in the store: what it is, who offers it, how to get in."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.pages.views import PageView, own
from keymanager.models import KeyManager
from subscriptions.models import ApiVersion
from subscriptions.queries.catalogue import store_versions


class ApiPage(PageView):
    """Overview; public APIs are there for everybody."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        context = {
            "version": version,
            "section": "overview",
            "siblings": store_versions(self.actor.team_ids).filter(api=version.api).order_by("-created_at"),
            "key_managers": accepting(version),
            "base_url": f"{settings.ARCHWAY_GATEWAY_URL}{version.path_prefix}",
            "scopes": version.scopes.order_by("key"),
        }
        return self.show("store/api_overview.html", context)


def accepting(version: ApiVersion) -> list[KeyManager]:
    """The key managers whose tokens the API version accepts."""
    rule = version.accepted_key_managers
    rows = KeyManager.objects.filter(enabled=True) if rule.accepts_all else rule.key_managers.filter(enabled=True)
    return list(rows.order_by("name"))
