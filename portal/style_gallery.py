"""Every component of the portal in every state, on one page that exists in debug mode only."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages.forms import LinesField, PageForm
from keymanager.models import KeyManager, Registration
from keymanager.pages.registration_look import RegistrationLook, look_of
from keymanager.registrations.states import RegistrationKind, RegistrationState, Wish

_LOOKS: Final = ("ok", "wait", "bad", "off", "info")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CARDS: Final = (("", "ok", "Ready"), ("is-bad", "bad", "Registration failed"), ("is-off", "off", "Removed"))
_NOTES: Final = (("info", "info"), ("ok", "check"), ("wait", "clock"), ("bad", "alert"))


class GalleryForm(PageForm):
    """One field of each kind."""

    name = forms.CharField(label="Name", help_text="The teams whose APIs you use read this.")
    site = forms.URLField(label="Home page", required=False, assume_scheme="https")
    plan = forms.ChoiceField(label="Plan", choices=[("gold", "Gold"), ("free", "Free")])
    callbacks = LinesField(label="Callback URLs", required=False, help_text="One a line.")
    keep = forms.BooleanField(label="Keep the secret", required=False, help_text="Sealed in the database.")
    grants = forms.MultipleChoiceField(
        label="Grants",
        required=False,
        choices=[("client_credentials", "Machines"), ("authorization_code", "People")],
        widget=forms.CheckboxSelectMultiple,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """One state of a registration; ``title``: the state, and what is wished where that changes the look."""

    title: str
    look: RegistrationLook


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The gallery; 404 unless ``ARCHWAY_DEBUG`` is on."""
    if not settings.DEBUG:
        raise Http404
    context: dict[str, Any] = {
        "looks": _LOOKS,
        "methods": _METHODS,
        "notes": _NOTES,
        "cards": _CARDS,
        "names": ("Museum", "Train times", "Weather", "Hotels", "Library", "Ferries"),
        "times": _times(),
        "traces": [_traced(state, wish) for state in RegistrationState for wish in _wishes(state)],
        "form": GalleryForm(prefix="new", initial={"plan": "gold"}),
        "refused": GalleryForm({"refused-site": "no address", "refused-plan": "none"}, prefix="refused"),
        "page": Paginator(range(60), 25).page(2),
        "lifecycle": ("Draft", "Published", "Blocked", "Deprecated", "Retired"),
    }
    return render(request, "style/gallery.html", context)


def _times() -> list[Any]:
    now = timezone.now()
    spans = (timedelta(0), timedelta(minutes=5), timedelta(hours=-2), timedelta(days=40))
    return [now - span for span in spans]


def _wishes(state: RegistrationState) -> tuple[Wish, ...]:
    """A refused registration looks different when a removal was refused."""
    if state == RegistrationState.REFUSED:
        return Wish.PRESENT, Wish.ABSENT
    going = {RegistrationState.REMOVING, RegistrationState.REMOVED}
    return (Wish.ABSENT if state in going else Wish.PRESENT,)


def _traced(state: RegistrationState, wish: Wish) -> Traced:
    """From a row that is not saved."""
    now = timezone.now()
    tried = state not in {RegistrationState.REQUESTED, RegistrationState.HELD}
    row = Registration(
        key_manager=KeyManager(name="Organisation login", slug="login"),
        kind=RegistrationKind.CLIENT,
        state=state,
        wish=wish,
        actor_name="ada",
        attempts=2 if tried else 0,
        next_try_at=now + timedelta(minutes=3) if state == RegistrationState.WAITING else None,
        last_error="The redirect URI is not on the allow list." if state == RegistrationState.REFUSED else "",
        created_at=now - timedelta(minutes=9),
        updated_at=now - timedelta(minutes=1),
    )
    removal = wish == Wish.ABSENT and state == RegistrationState.REFUSED
    return Traced(title=f"{state.value}, removal" if removal else state.value, look=look_of(row))
