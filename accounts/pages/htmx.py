"""Answers to a part of a page: htmx asks for a dialog or a list, and has to be told to leave the page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def asked_by_htmx(request: HttpRequest) -> bool:
    """Whether a part of a page is wanted, not a whole one."""
    details = getattr(request, "htmx", None)
    return isinstance(details, HtmxDetails) and bool(details) and not details.boosted


def page_around(request: HttpRequest) -> str:
    """Path and query of the page in which htmx asked; of the request itself where it does not say."""
    details = getattr(request, "htmx", None)
    around = details.current_url_abs_path if isinstance(details, HtmxDetails) else None
    return around or request.get_full_path()


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Leave for ``url``: the browser follows by itself, htmx has to be told."""
    return HttpResponseClientRedirect(url) if asked_by_htmx(request) else redirect(url)


def layout_for(request: HttpRequest) -> str:
    """The frame of a form: what goes into the dialog for htmx, else a whole page."""
    return "layouts/dialog.html" if asked_by_htmx(request) else "layouts/form_page.html"
