"""The small web face: start page and REST console."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from keymanager.models import KeyManager
from portal.parts import PARTS

_PARTS: Final[dict[str, Any]] = {
    "publisher": gettext_lazy("Publisher"),
    "store": gettext_lazy("Store"),
    "administration": gettext_lazy("Administration"),
    "keymanager": gettext_lazy("Key managers"),
}


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What runs and where."""
    context = {
        "addresses": [
            (_("Portal"), settings.ARCHWAY_PUBLIC_URL),
            (_("REST API"), f"{settings.ARCHWAY_PUBLIC_URL}/api/v1/"),
            (_("Token endpoint"), f"{settings.ARCHWAY_PUBLIC_URL}/token"),
            (_("Gateway"), settings.ARCHWAY_GATEWAY_URL),
        ],
        "parts": [(_PARTS[part], *_part_state(part)) for part in PARTS],
        "key_managers": [(row, *_state(row)) for row in KeyManager.objects.order_by("name")],
    }
    return render(request, "portal/start.html", context)


def _part_state(part: str) -> tuple[str, str]:
    return ("ok", _("Served here")) if part in settings.ARCHWAY_PARTS else ("off", _("Not in this process"))


def _state(key_manager: KeyManager) -> tuple[str, str]:
    if not key_manager.enabled:
        return "off", _("Disabled")
    if key_manager.consecutive_failures:
        return "bad", _("Failing")
    return ("ok", _("Answering")) if key_manager.last_success_at else ("off", _("Not called yet"))


@require_safe
@ensure_csrf_cookie
def console(request: HttpRequest) -> HttpResponse:
    """Swagger UI for the portal's own REST API."""
    return render(request, "portal/console.html")
