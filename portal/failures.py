"""Answers when no view could: pages for people, problem documents (RFC 9457) for programs."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from accounts.correlation import current_correlation_id
from common.errors import ArchwayError, NotAllowed, NotFound
from common.problem import CONTENT_TYPE, problem

_PROGRAM_PATHS: Final = (
    "/api/", "/token", "/tokeninfo", "/revoke", "/introspect", "/register", "/.well-known/", "/resident/",
)  # fmt: skip


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the path is unknown, or its part is not served by this process."""
    if for_program(request):
        return _problem(NotFound("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _problem(NotAllowed()) if for_program(request) else defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says nothing of the cause; the log has it under the same reference."""
    if for_program(request):
        return _problem(ArchwayError("Something went wrong on our side. An administrator finds it by the reference."))
    return HttpResponse(render_to_string("500.html"), status=500)


def for_program(request: HttpRequest) -> bool:
    """Whether the path is one that programs call."""
    return request.path.startswith(_PROGRAM_PATHS)


def _problem(error: ArchwayError) -> JsonResponse:
    body = problem(error, portal_url=settings.ARCHWAY_PUBLIC_URL, reference=current_correlation_id())
    return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)
