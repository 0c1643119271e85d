"""The bell of the top bar, and the page behind it."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from accounts.pages.views import PageView, page_of
from accounts.services import see_notifications
from keymanager.notifications import notifications_of, seen_until
from keymanager.pages.registration_look import look_of

_STOP_POLLING = 286
_COUNTED_AT_MOST = 100


class NotificationsPage(PageView):
    """What happened, the newest first; opening it means that it was seen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """New ones are marked once."""
        user = cast(User, request.user)
        now, until = timezone.now(), seen_until(user)
        page = page_of(request, notifications_of(self.actor.team_ids))
        entries = [(row, look_of(row), row.outcome_at is not None and row.outcome_at > until) for row in page]
        see_notifications(user=user, at=now)
        return self.show("keymanager/notifications.html", {"page": page, "entries": entries})


class Bell(PageView):
    """The bell alone, which the top bar asks for now and then."""

    roles = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """How many are new. Status 286 ends the asking (htmx) when nobody is signed in any more."""
        if not isinstance(request.user, User):
            return HttpResponse(status=_STOP_POLLING)
        new = notifications_of(self.actor.team_ids).filter(outcome_at__gt=seen_until(request.user))
        count = new.order_by()[:_COUNTED_AT_MOST].count()
        answer = self.show("keymanager/bell.html", {"new_count": count})
        answer["Cache-Control"] = "no-store"
        return answer
