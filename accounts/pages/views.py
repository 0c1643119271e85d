"""What every page's view needs: who asks, own rows or 404, and a service call whose refusal belongs to a form."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View

from accounts.actor import Actor, actor_of
from accounts.deep_pages import DeepPaginator
from accounts.models import Role, User
from accounts.pages.htmx import asked_by_htmx, go_to, page_around
from accounts.pages.kept_input import LONGEST_FORM, keep_input, looks_secret
from common.errors import ArchwayError, InputError, NotFound, NotSupported, RuleError

RowT = TypeVar("RowT", bound=Model)
ResultT = TypeVar("ResultT")


class PageView(View):
    """A page. ``roles``: who may open it (administrators always may); ``None``: everybody, signed in or not.

    A form that arrives after the session ended is kept and shown again after the next sign-in; ``longest_kept``: up to
    how many compressed characters.
    """

    roles: ClassVar[tuple[Role, ...] | None] = tuple(Role)
    longest_kept: ClassVar[int] = LONGEST_FORM
    actor: Actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for a sign-in, or for the role, before anything is looked at. Raises ``NotAllowed``."""
        if isinstance(request.user, User):
            self.actor = actor_of(request.user)
            if self.roles is not None and self.roles != tuple(Role):
                self.actor.require_role(*self.roles)
        elif self.roles is not None:
            return self._sign_in_first(request)
        else:
            self.actor = Actor(name="")
        return super().dispatch(request, *args, **kwargs)

    def _sign_in_first(self, request: HttpRequest) -> HttpResponse:
        """Ask for a sign-in that leads back: to the form that was sent, else to the page that it was a part of."""
        back = request.get_full_path()
        if request.method == "POST":
            if hasattr(self, "get"):
                keep_input(request, self.is_secret, self.longest_kept)
            else:
                back = page_of_button(request)
        elif asked_by_htmx(request):
            back = page_around(request)
        return go_to(request, redirect_to_login(back).url)

    def is_secret(self, name: str) -> bool:
        """Whether the input ``name`` of this page's form must never be kept."""
        return looks_secret(name)

    def show(self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """The rendered page; ``actor`` is in its context."""
        return render(self.request, template, {"actor": self.actor, **(context or {})}, status=status)


def page_of_button(request: HttpRequest) -> str:
    """Where a button stands that was pressed too late; says that nothing was done. Its own address shows nothing."""
    messages.info(request, _("You had been signed out, so nothing was done."))
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(came_from)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def own(rows: QuerySet[RowT], **lookup: Any) -> RowT:
    """The one row, or ``NotFound``: unknown and not-yours answer alike."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise NotFound
    return row


def attempt(form: BaseForm, call: Callable[[], ResultT]) -> ResultT | None:
    """What the service answered, or ``None`` when it refused: then ``form`` says why, at the field where there is one.

    Everything that the call wrote is undone with the refusal.
    """
    try:
        with transaction.atomic():
            return call()
    except (InputError, RuleError, NotSupported) as error:
        blame(form, error)
        return None


def attempt_reading(form: BaseForm, call: Callable[[], ResultT]) -> ResultT | None:
    """As ``attempt``, for a call that writes nothing and may wait for another server: no transaction is open."""
    try:
        return call()
    except (InputError, RuleError, NotSupported) as error:
        blame(form, error)
        return None


def blame(form: BaseForm, error: ArchwayError) -> None:
    """Put a service's refusal into the form: at the named fields, else above them.

    ``config.issuer`` belongs to a field ``config__issuer``, ``credentials[0].scopes`` to a field ``scopes``.
    """
    for name, sentences in error.fields.items():
        candidates = (name.replace(".", "__"), name.split(".")[-1].split("[")[0])
        field = next((candidate for candidate in candidates if candidate in form.fields), None)
        for message in map(_, sentences):
            form.add_error(field, message if field else f"{name}: {message}")
    if not any(error.fields.values()):
        form.add_error(None, _(error.message))
    for sentence in getattr(error, "unmet", []):
        form.add_error(None, _(sentence))


def page_of(request: HttpRequest, rows: QuerySet[RowT], *, size: int = 25) -> Page[RowT]:
    """The page of ``rows`` that ``?page=`` asks for; the nearest one when there is no such page."""
    return DeepPaginator(rows, size).get_page(request.GET.get("page"))
