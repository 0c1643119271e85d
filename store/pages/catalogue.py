"""The store's home: find an API, and the path to a first call."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.pages.htmx import asked_by_htmx
from accounts.pages.views import PageView, page_of
from keymanager.models import Credential, KeyManager
from keymanager.registrations.states import RegistrationState
from store.rest.filters import StoreApiFilter
from subscriptions.models import ApiVersion, Application, Subscription
from subscriptions.queries.catalogue import nearest_names, store_versions
from subscriptions.queries.owned import applications_of_teams, subscriptions_of_teams
from subscriptions.states import ApiState, ApplicationState

_FACETS = ("tag", "key_manager", "state", "subscribed")
_SORTS = {"newest": ("-created_at", "id"), "name": ("api__name", "-created_at"), "updated": ("-updated_at", "id")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One step to the first call. ``look``: ``done``, ``cur`` or ""."""

    look: str
    words: Any
    detail: str
    url: str


class HomePage(PageView):
    """The catalogue; public APIs are there for everybody."""

    roles = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Cards or a table; htmx asks for the results alone."""
        versions = store_versions(self.actor.team_ids)
        state = request.GET.get("state", "")
        found = StoreApiFilter(request.GET, queryset=versions).qs
        if state in {ApiState.PUBLISHED, ApiState.DEPRECATED, ApiState.BLOCKED}:
            found = found.filter(state=state)
        if request.GET.get("subscribed"):
            found = found.filter(pk__in=self._subscribed())
        sort = request.GET.get("sort", "newest")
        page = page_of(request, _sorted(found, sort), size=24)
        context: dict[str, Any] = {
            "page": page,
            "sort": sort,
            "view": "table" if request.GET.get("view") == "table" else "cards",
            "subscribed_ids": self._subscribed_of(page) if self.actor.user_id else set(),
            "filtered": any(request.GET.get(name) for name in ("q", *_FACETS)),
            "facet_count": sum(bool(request.GET.get(name)) for name in _FACETS),
        }
        if not page.object_list:
            context |= _instead(request, versions)
        if asked_by_htmx(request):
            return self.show("store/results.html", context)
        context |= {
            "total": versions.count(),
            "teams": versions.values("api__team").distinct().count(),
            "key_managers": KeyManager.objects.filter(enabled=True).order_by("name"),
            "tags": _tags(versions),
            "states": [(ApiState.PUBLISHED, _("Published")), (ApiState.DEPRECATED, _("Deprecated"))],
            "path": self._path() if self.actor.user_id else (),
        }
        return self.show("store/home.html", context)

    def _subscribed_of(self, page: Page[ApiVersion]) -> set[uuid.UUID]:
        """Those of the shown page: a team may have tens of thousands of others."""
        # One is enough for each: a popular API has a thousand of them.
        mine = subscriptions_of_teams(self.actor.team_ids).order_by().filter(api_version=OuterRef("pk"))
        shown = ApiVersion.objects.filter(pk__in=[row.pk for row in page.object_list])
        return set(shown.filter(Exists(mine)).values_list("pk", flat=True))

    def _subscribed(self) -> QuerySet[Subscription, Any]:
        return subscriptions_of_teams(self.actor.team_ids).order_by().values_list("api_version_id", flat=True)

    def _path(self) -> tuple[PathStep, ...]:
        application = (
            applications_of_teams(self.actor.team_ids)
            .filter(state=ApplicationState.ACTIVE)
            .order_by("-created_at")
            .first()
        )
        return first_call_path(application)


def _instead(request: HttpRequest, versions: QuerySet[ApiVersion]) -> dict[str, Any]:
    """What a search that found nothing can offer: the same words without the filters, and names that are near."""
    text = request.GET.get("q", "")
    if not text:
        return {}
    return {
        "unfiltered_count": StoreApiFilter({"q": text}, queryset=versions).qs.count(),
        "nearest": nearest_names(versions, text),
    }


def first_call_path(application: Application | None) -> tuple[PathStep, ...]:
    """What is done and what comes next for the newest application of the person."""
    subscription = credential = None
    home = f"/apps/{application.pk}/" if application else "/apps/new/"
    if application is not None:
        subscription = (
            Subscription.objects.filter(application=application)
            .select_related("api_version__api", "plan")
            .defer("api_version__definition")
            .first()
        )
        credential = (
            Credential.objects.filter(application=application, removed_at=None)
            .select_related("key_manager", "registration")
            .order_by("created_at")
            .first()
        )
    ready = credential is not None and credential.registration.state == RegistrationState.ACTIVE
    done = [application is not None, subscription is not None, ready, False]
    first_open = done.index(False)
    details = [
        application.name if application else "",
        f"{subscription.api_version.api.name}, {subscription.plan.name}" if subscription else "",
        credential.key_manager.name if credential else "",
        "",
    ]
    calling = reverse("store-reference", args=[subscription.api_version_id]) if subscription else "/"
    urls = [home, "/", f"{home}credentials/" if application else home, calling]
    words = [_("Create an application"), _("Subscribe to an API"), _("Get credentials"), _("Call it")]
    return tuple(
        PathStep(
            look="done" if done[index] else "cur" if index == first_open else "",
            words=words[index],
            detail=details[index],
            url=urls[index],
        )
        for index in range(4)
    )


def _sorted(versions: QuerySet[ApiVersion], sort: str) -> QuerySet[ApiVersion]:
    """In the order that ``sort`` names; what cannot be read is "newest"."""
    if sort == "subscribed":
        return versions.annotate(subscribers=Count("subscriptions", distinct=True)).order_by("-subscribers", "id")
    return versions.order_by(*_SORTS.get(sort, _SORTS["newest"]))


def _tags(versions: QuerySet[ApiVersion]) -> list[tuple[str, int]]:
    """The most used tags of what the person may see, each with how often."""
    counts: dict[str, int] = {}
    for tags in versions.order_by().values_list("tags", flat=True):
        for tag in tags:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:12]
