"""The provisioning queue: what the portal creates, changes or removes at key managers, and how that goes."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.pages.htmx import asked_by_htmx
from accounts.pages.views import own, page_of
from administration.pages.base import AdministrationPage
from administration.rest.filters import RegistrationFilter
from common.errors import RuleError
from keymanager.models import KeyManager, Registration
from keymanager.pages.registration_look import look_of
from keymanager.registrations.states import RegistrationKind, RegistrationState
from keymanager.services import credentials

S = RegistrationState
_OPEN: Final = [S.REQUESTED, S.SENDING, S.WAITING, S.REFUSED, S.UNKNOWN, S.HELD, S.REMOVING]
# The figures, and what each of them leads to (``?show=``).
_GROUPS: Final[dict[str, list[RegistrationState]]] = {
    "running": [S.REQUESTED, S.SENDING, S.REMOVING],
    "waiting": [S.WAITING, S.UNKNOWN],
    "failed": [S.REFUSED],
    "held": [S.HELD],
    "done": [S.ACTIVE, S.REMOVED],
}
_MOST_RETRIED: Final = 200


class QueuePage(AdministrationPage):
    """Figures, filters, the list."""

    section = "queue"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Open ones first asked; htmx asks for the list alone, again and again."""
        rows = Registration.objects.select_related("key_manager", "credential__application", "api_version__api")
        found = RegistrationFilter(request.GET, queryset=rows.defer("api_version__definition")).qs
        show = request.GET.get("show", "")
        if show == "done":
            found = found.filter(updated_at__gte=_day_ago())
        if not request.GET.get("state") and show != "all":
            found = found.filter(state__in=_GROUPS.get(show, _OPEN))
        text = request.GET.get("q", "").strip()
        if text:
            found = found.filter(_matching(text))
        context: dict[str, Any] = {
            "page": page_of(request, found.order_by("-updated_at", "id")),
            "figures": _figures(),
            "filtered": any(request.GET.get(name) for name in ("q", "state", "kind", "key_manager", "show")),
            "down": KeyManager.objects.filter(circuit_open_until__gt=timezone.now()).order_by("name"),
            "now": timezone.now(),
        }
        if asked_by_htmx(request):
            return self.show("administration/queue_list.html", context)
        context |= {
            "key_managers": KeyManager.objects.order_by("name"),
            "states": [state.value for state in RegistrationState],
            "kinds": [kind.value for kind in RegistrationKind],
        }
        return self.show("administration/queue.html", context)


class RegistrationPage(AdministrationPage):
    """One registration opened: its path, each attempt, what was sent and answered with secrets removed."""

    section = "queue"

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        rows = Registration.objects.select_related("key_manager", "credential__application__team", "api_version__api")
        row = own(rows.defer("api_version__definition"), pk=pk)
        context = {"registration": row, "look": look_of(row), "attempts": row.attempt_rows.all()[:30]}
        return self.show("administration/registration.html", context)


class RetryRegistration(AdministrationPage):
    """Try one again now."""

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """With fresh attempts."""
        row = own(Registration.objects.select_related("key_manager"), pk=pk)
        try:
            credentials.retry(actor=self.actor, registration=row)
            messages.success(request, _("It is tried again now."))
        except RuleError as error:
            messages.error(request, error.message)
        return redirect("registration", pk)


class RetryAllFailed(AdministrationPage):
    """Try every failed one again, at one key manager or at all."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Those that nothing can be done about stay, and are counted."""
        rows = Registration.objects.select_related("key_manager").filter(state=S.REFUSED).order_by("updated_at")
        slug = request.POST.get("key_manager", "")
        if slug:
            rows = rows.filter(key_manager__slug=slug)
        tried = 0
        for row in rows[:_MOST_RETRIED]:
            try:
                credentials.retry(actor=self.actor, registration=row)
                tried += 1
            except RuleError:
                continue
        messages.success(request, _("%(count)s failed registrations are tried again.") % {"count": tried})
        return redirect("queue")


def _matching(text: str) -> Q:
    return (
        Q(subject__icontains=text)
        | Q(credential__application__name__icontains=text)
        | Q(credential__client_id__icontains=text)
        | Q(api_version__api__name__icontains=text)
        | Q(correlation_id=text)
    )


def _figures() -> dict[str, int]:
    """How many are in which state, and how many ended well in a day."""
    counted = Registration.objects.order_by().values_list("state").annotate(n=Count("pk"))
    count: dict[str, int] = dict(counted)
    figures = {name: sum(count.get(state, 0) for state in states) for name, states in _GROUPS.items()}
    done = Registration.objects.filter(state__in=_GROUPS["done"], updated_at__gte=_day_ago()).count()
    return {**figures, "done": done}


def _day_ago() -> datetime:
    return timezone.now() - timedelta(days=1)
