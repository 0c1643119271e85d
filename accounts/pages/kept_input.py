"""A form that was sent after the session had ended: what was typed waits for the next sign-in, secrets excepted."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

_KEY: Final = "kept_input"
_CSRF: Final = "csrfmiddlewaretoken"
_NEVER_KEPT: Final = ("password", "secret", "token", "csrf")
# Of RFC 7591 section 2; says how a client shows its secret, and is none.
_NO_SECRETS: Final = frozenset({"token_endpoint_auth_method"})
# Compressed characters in a session. Whoever is not signed in can have that much stored, so more is for pages that
# need it: there a definition of the largest size that is accepted fits in.
LONGEST_FORM: Final = 200_000
LONGEST_DEFINITION: Final = 1_500_000


class KeptInput(dict[str, Any]):
    """What was typed, as a form's ``initial``. ``sent``: the inputs that came; a box not among them was clear."""

    sent: frozenset[str] = frozenset()

    def over(self, initial: Mapping[str, Any]) -> "KeptInput":
        """The same, with ``initial`` for the fields that were not kept."""
        merged = KeptInput({**initial, **self})
        merged.sent = self.sent
        return merged


def looks_secret(name: str) -> bool:
    """Whether an input of this name must not be kept, for all that its name tells."""
    return name not in _NO_SECRETS and any(word in name.lower() for word in _NEVER_KEPT)


def keep_input(
    request: HttpRequest, is_secret: Callable[[str], bool] = looks_secret, longest: int = LONGEST_FORM
) -> None:
    """Remember the form of this POST in the visitor's own session, under its address, without its secrets.

    Of what has more than ``longest`` compressed characters, only that it was too long.
    """
    kept = QueryDict(mutable=True)
    left_out = False
    for name, values in request.POST.lists():
        if name == _CSRF:
            continue
        if is_secret(name):
            left_out = left_out or any(values)
        else:
            kept.setlist(name, values)
    packed = b64encode(zlib.compress(kept.urlencode().encode())).decode()
    request.session[_KEY] = {
        "path": request.path,
        "form": packed if len(packed) <= longest else "",
        "again": left_out or bool(request.FILES),
    }


def kept_input(request: HttpRequest) -> KeptInput | None:
    """What was typed at this address before the session ended, as a form's ``initial``, once; ``None`` for nothing.

    The page says that it was not saved, and what has to be given again.
    """
    kept = request.session.get(_KEY)
    if not kept or kept["path"] != request.path:
        return None
    del request.session[_KEY]
    if not kept["form"]:
        messages.error(request, _("You had been signed out, and this was too long to be kept. Nothing was saved."))
        return None
    messages.info(request, _("You had been signed out, so this was not saved. What you typed is still here."))
    if kept["again"]:
        messages.warning(request, _("Secrets and files were not kept: give them again."))
    form = QueryDict(zlib.decompress(b64decode(kept["form"])).decode())
    found = KeptInput(
        {name: values if len(values) > 1 else values[0] for name, values in cast(Any, form).lists() if values}
    )
    found.sent = frozenset(found)
    return found
