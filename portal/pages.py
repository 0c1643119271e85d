"""The small web face: start page and REST console."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from keymanager.models import KeyManager
from portal.parts import PARTS


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What runs and where."""
    context = {
        "addresses": [
            ("Portal", settings.ARCHWAY_PUBLIC_URL),
            ("REST API", f"{settings.ARCHWAY_PUBLIC_URL}/api/v1/"),
            ("Token endpoint", f"{settings.ARCHWAY_PUBLIC_URL}/token"),
            ("Gateway", settings.ARCHWAY_GATEWAY_URL),
        ],
        "parts": [(part, part in settings.ARCHWAY_PARTS) for part in PARTS],
        "key_managers": KeyManager.objects.order_by("name"),
    }
    return render(request, "portal/start.html", context)


@require_safe
@ensure_csrf_cookie
def console(request: HttpRequest) -> HttpResponse:
    """Swagger UI for the portal's own REST API."""
    return render(request, "portal/console.html")
