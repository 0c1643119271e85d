"""The check of an endpoint in words: what the portal found without sending a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common.address_guard import AddressGuard
from common.reachability import Finding, Part, ReachStep, reach
from subscriptions.rules import check_endpoint

F = Finding
_PARTS: Final[dict[Part, Any]] = {
    Part.NAME: _("Address"),
    Part.CONNECTION: _("Connection"),
    Part.TLS: _("TLS certificate"),
}
# Look of the step (a class of the checklist) and the sentence; ``%(detail)s`` is what the step found.
_SENTENCES: Final[dict[Finding, tuple[str, Any]]] = {
    F.FOUND: ("done", _("%(detail)s")),
    F.NAME_UNKNOWN: ("fix", _("The name of the host is not known here. Look for a typing error.")),
    F.NAME_SILENT: ("", _("Not checked: its name could not be looked up in time. Try again.")),
    F.PRIVATE: (
        "",
        _(
            "Not checked: it is inside a private network. The portal connects to public addresses and to those that an "
            "administrator allows (ARCHWAY_ALLOWED_NETWORKS). The gateway may call it all the same: send a call to "
            "find out."
        ),
    ),
    F.CONNECTED: ("done", _("%(detail)s")),
    F.REFUSED: ("fix", _("Nothing listens there (%(detail)s). Start the backend, or correct the port.")),
    F.SILENT: ("fix", _("No answer in time. A firewall may stand between, or the backend hangs.")),
    F.UNREACHABLE: ("fix", _("There is no way to it from here (%(detail)s).")),
    F.TRUSTED: ("done", _("Trusted, and issued to this host (%(detail)s).")),
    F.UNTRUSTED: (
        "fix",
        _("The certificate is refused: %(detail)s. The gateway refuses it too, unless it knows its authority."),
    ),
    F.NO_TLS: ("fix", _("It does not speak TLS there. Is http:// meant, or another port?")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One line of the list. ``look``: ``done``, ``fix`` or "" for not checked."""

    look: str
    name: Any
    words: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedEndpoint:
    """One endpoint. ``look`` and ``words``: the status of the whole."""

    label: Any
    url: str
    look: str
    words: Any
    steps: tuple[StepLine, ...]


def check_endpoints(given: Iterable[tuple[str, Any, str]]) -> list[CheckedEndpoint]:
    """Each of ``given`` (field, label, URL) that is not empty, checked under the rule for outgoing addresses.

    Waits some seconds for a silent backend. Raises ``InputError`` naming ``endpoints.<field>`` for a URL that could
    not be saved, before anything is connected to.
    """
    urls = [(label, check_endpoint(url.strip(), f"endpoints.{field}")) for field, label, url in given]
    guard = AddressGuard.of(*settings.ARCHWAY_ALLOWED_NETWORKS)
    return [_checked(label, url, reach(url, guard=guard)) for label, url in urls if url]


def _checked(label: Any, url: str, steps: tuple[ReachStep, ...]) -> CheckedEndpoint:
    lines = tuple(_line(step) for step in steps)
    last = lines[-1].look
    look, words = {
        "done": ("ok", _("Reachable")),
        "fix": ("bad", _("Not reachable")),
    }.get(last, ("off", _("Not checked")))
    return CheckedEndpoint(label=label, url=url, look=look, words=words, steps=lines)


def _line(step: ReachStep) -> StepLine:
    look, sentence = _SENTENCES[step.finding]
    return StepLine(
        look=look,
        name=_PARTS[step.part],
        words=str(sentence) % {"detail": step.detail},
        milliseconds=step.milliseconds,
    )
