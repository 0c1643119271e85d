"""Request-wide concerns: one correlation id from the browser to the identity provider."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.correlation import correlation_id, new_correlation_id

_ACCEPTED = re.compile(r"[A-Za-z0-9-]{8,64}")


class CorrelationIdMiddleware:
    """Takes ``X-Request-ID`` when it is well-formed, else makes one; answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        value = given if _ACCEPTED.fullmatch(given) else new_correlation_id()
        token = correlation_id.set(value)
        try:
            response = self.get_response(request)
        finally:
            correlation_id.reset(token)
        response["X-Request-ID"] = value
        return response
