"""A refusal that no form could show becomes a page that says what happened and who can mend it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from common.errors import ArchwayError, KeyManagerError, NotAllowed, NotFound
from portal.failures import for_program


class PageFailures:
    """Turns the errors of ``common.errors`` that a page's view raises into pages; programs get theirs elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an expected error, ``None`` for every other."""
        if not isinstance(exception, ArchwayError) or for_program(request):
            return None
        if isinstance(exception, NotFound):
            return defaults.page_not_found(request, exception)
        if isinstance(exception, NotAllowed):
            return render(request, "403.html", {"error": exception}, status=403)
        template = "key_manager_down.html" if isinstance(exception, KeyManagerError) else "refused.html"
        return render(request, template, {"error": exception}, status=exception.status)
