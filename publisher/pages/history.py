"""Who did what to an API version."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from accounts.pages.views import page_of
from publisher.pages.shell import VersionPage
from publisher.queries import history_of
from subscriptions.models import ApiVersion, AuditEvent

_WORDS: Final[dict[str, Any]] = {
    "api.create": gettext_lazy("created it"),
    "api.copy": gettext_lazy("made it as a copy"),
    "api.change": gettext_lazy("changed facts"),
    "api.design": gettext_lazy("changed the definition"),
    "api.key_managers": gettext_lazy("changed the accepted key managers"),
    "api.publish": gettext_lazy("published it"),
    "api.block": gettext_lazy("blocked it"),
    "api.unblock": gettext_lazy("unblocked it"),
    "api.deprecate": gettext_lazy("deprecated it"),
    "api.retire": gettext_lazy("retired it"),
    "api.demote": gettext_lazy("made it a draft again"),
    "document.create": gettext_lazy("added a document"),
    "document.change": gettext_lazy("changed a document"),
    "document.delete": gettext_lazy("deleted a document"),
    "registration.retry": gettext_lazy("tried a registration again"),
    "subscription.create": gettext_lazy("subscribed"),
    "subscription.change": gettext_lazy("changed a subscription’s plan"),
    "subscription.delete": gettext_lazy("unsubscribed"),
    "subscription.move": gettext_lazy("changed a subscription’s state"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history."""

    at: datetime
    who: str
    words: Any
    about: str
    detail: str


def newest_events(version: ApiVersion, *, most: int) -> list[Event]:
    """The last things that happened, newest first."""
    return [_event(row) for row in history_of(version)[:most]]


def _event(row: AuditEvent) -> Event:
    return Event(
        at=row.at,
        who=row.actor_name,
        words=_WORDS.get(row.action, row.action),
        about="" if row.object_type == "apiversion" else row.object_name,
        detail=", ".join(f"{name}: {value}" for name, value in row.detail.items()),
    )


class HistoryPage(VersionPage):
    """Everything that people did, with what changed."""

    section = "history"
    heading = gettext_lazy("History")
    lead = gettext_lazy("Who did what to this version, its registrations and its subscriptions.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Newest first."""
        version = self.version(pk)
        page = page_of(request, history_of(version), size=50)
        context = {"page": page, "events": [_event(row) for row in page.object_list]}
        return self.show_version("publisher/history.html", version, context)
