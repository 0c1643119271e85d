"""Answers when no view could: pages for people, problem documents (RFC 9457) for programs."""

import sys
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from accounts.correlation import current_correlation_id
from common.errors import ArchwayError, DatabaseUnavailable, NotAllowed, NotFound
from common.problem import CONTENT_TYPE, oauth_error, problem, retry_headers

_PROGRAM_PATHS: Final = (
    "/api/", "/token", "/tokeninfo", "/revoke", "/introspect", "/register", "/.well-known/", "/resident/",
)  # fmt: skip
# Answered in the form of RFC 6749 section 5.2.
_OAUTH_PATHS: Final = ("/token", "/tokeninfo", "/revoke", "/introspect", "/register")
# A token that nobody received harms nobody; the others only read.
_TOKEN_PATHS: Final = ("/token", "/tokeninfo", "/introspect")
_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNKNOWN: Final = "It is not known whether this was done: look before you repeat it."


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the path is unknown, or its part is not served by this process."""
    if for_program(request):
        return _problem(NotFound("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _problem(NotAllowed()) if for_program(request) else defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, and 503 while the database does not answer: the log has the cause under the same reference."""
    unknown = _may_have_been_done(request)
    error = _error_of(sys.exception(), unknown)
    if request.path.startswith(_OAUTH_PATHS):
        status, body, headers = oauth_error(error)
        return JsonResponse({**body, "reference": current_correlation_id()}, status=status, headers=headers)
    if for_program(request):
        return _problem(error)
    return HttpResponse(
        render_to_string("500.html", {"unknown": unknown}), status=error.status, headers=retry_headers(error)
    )


def _may_have_been_done(request: HttpRequest) -> bool:
    """Whether what was asked for may stand: a connection can be lost while the database carries out the COMMIT."""
    return request.method not in _CHANGES_NOTHING and not request.path.startswith(_TOKEN_PATHS)


def _error_of(cause: BaseException | None, unknown: bool) -> ArchwayError:
    """Django calls the handler while it handles the ``cause``, which nobody else may be told."""
    if isinstance(cause, OperationalError | InterfaceError):
        return DatabaseUnavailable(f"{DatabaseUnavailable.title}. {_UNKNOWN}" if unknown else "")
    words = "Something went wrong on our side. An administrator finds it by the reference."
    return ArchwayError(f"{words} {_UNKNOWN}" if unknown else words)


def for_program(request: HttpRequest) -> bool:
    """Whether the path is one that programs call."""
    return request.path.startswith(_PROGRAM_PATHS)


def _problem(error: ArchwayError) -> JsonResponse:
    body = problem(error, portal_url=settings.ARCHWAY_PUBLIC_URL, reference=current_correlation_id())
    return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE, headers=retry_headers(error))
