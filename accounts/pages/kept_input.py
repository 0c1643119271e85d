"""A form that was sent after the session had ended: what was typed waits for the next sign-in, secrets excepted."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

_KEY: Final = "kept_input"
_NEVER_KEPT: Final = ("password", "secret", "token", "csrf")
_LONGEST: Final = 200_000


def keep_input(request: HttpRequest) -> None:
    """Remember the form of this POST in the visitor's own session, under its address."""
    kept = QueryDict(mutable=True)
    for name, values in request.POST.lists():
        if not any(word in name.lower() for word in _NEVER_KEPT):
            kept.setlist(name, values)
    text = kept.urlencode()
    if len(text) <= _LONGEST:
        request.session[_KEY] = {"path": request.path, "form": text}


def kept_input(request: HttpRequest) -> dict[str, Any] | None:
    """What was typed at this address before the session ended, as a form's ``initial``, once; ``None`` for nothing.

    The page says that it was not saved.
    """
    kept = request.session.get(_KEY)
    if not kept or kept["path"] != request.path:
        return None
    del request.session[_KEY]
    messages.info(request, _("You had been signed out, so this was not saved. What you typed is still here."))
    return {
        name: values if len(values) > 1 else values[0] for name, values in QueryDict(kept["form"]).lists() if values
    }
