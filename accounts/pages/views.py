"""What every page's view needs: who asks, own rows or 404, and a service call whose refusal belongs to a form."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import View

from accounts.actor import Actor, actor_of
from accounts.deep_pages import DeepPaginator
from accounts.models import Role, User
from accounts.pages.kept_input import keep_input, looks_secret
from common.errors import ArchwayError, InputError, NotFound, NotSupported, RuleError

RowT = TypeVar("RowT", bound=Model)
ResultT = TypeVar("ResultT")


class PageView(View):
    """A page. ``roles``: who may open it (administrators always may); ``None``: everybody, signed in or not.

    A form that arrives after the session ended is kept and shown again after the next sign-in.
    """

    roles: ClassVar[tuple[Role, ...] | None] = tuple(Role)
    actor: Actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for a sign-in, or for the role, before anything is looked at. Raises ``NotAllowed``."""
        if isinstance(request.user, User):
            self.actor = actor_of(request.user)
            if self.roles is not None and self.roles != tuple(Role):
                self.actor.require_role(*self.roles)
        elif self.roles is not None:
            if request.method == "POST":
                keep_input(request, self.is_secret)
            return redirect_to_login(request.get_full_path())
        else:
            self.actor = Actor(name="")
        return super().dispatch(request, *args, **kwargs)

    def is_secret(self, name: str) -> bool:
        """Whether the input ``name`` of this page's form must never be kept."""
        return looks_secret(name)

    def show(self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """The rendered page; ``actor`` is in its context."""
        return render(self.request, template, {"actor": self.actor, **(context or {})}, status=status)


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
    for name, messages in error.fields.items():
        candidates = (name.replace(".", "__"), name.split(".")[-1].split("[")[0])
        field = next((candidate for candidate in candidates if candidate in form.fields), None)
        for message in map(_, messages):
            form.add_error(field, message if field else f"{name}: {message}")
    if not any(error.fields.values()):
        form.add_error(None, _(error.message))
    for sentence in getattr(error, "unmet", []):
        form.add_error(None, _(sentence))


def page_of(request: HttpRequest, rows: QuerySet[RowT], *, size: int = 25) -> Page[RowT]:
    """The page of ``rows`` that ``?page=`` asks for; the nearest one when there is no such page."""
    return DeepPaginator(rows, size).get_page(request.GET.get("page"))
