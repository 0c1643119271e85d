"""One API in the store: what it is, who offers it, under which plans, how to get in."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.actor import Actor
from accounts.pages.views import PageView, own
from keymanager.services.acceptance import accepted_key_managers
from subscriptions.models import ApiVersion, Subscription
from subscriptions.queries.catalogue import store_versions


class ApiPage(PageView):
    """Overview; public APIs are there for everybody."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        context = {
            **api_head(version, self.actor, section="overview"),
            "key_managers": accepted_key_managers(version).order_by("name"),
            "scopes": version.scopes.order_by("key"),
            "operation_count": version.operations.count(),
        }
        return self.show("store/api_overview.html", context)


class PlansPage(PageView):
    """What each plan allows, and which of one's own applications are subscribed under it."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The table."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        mine = Subscription.objects.filter(api_version=version, application__team__in=self.actor.team_ids)
        context = {
            **api_head(version, self.actor, section="plans"),
            "own_subscriptions": mine.select_related("application", "plan").order_by("application__name"),
        }
        return self.show("store/api_plans.html", context)


def api_head(version: ApiVersion, actor: Actor, *, section: str) -> dict[str, Any]:
    """What the head of each of an API's pages shows. ``section``: the tab that is open."""
    subscribed = Subscription.objects.filter(api_version=version, application__team__in=actor.team_ids)
    return {
        "version": version,
        "section": section,
        "base_url": f"{settings.ARCHWAY_GATEWAY_URL}{version.path_prefix}",
        "siblings": store_versions(actor.team_ids).filter(api=version.api).order_by("-created_at"),
        "subscribed": bool(actor.team_ids) and subscribed.exists(),
    }
