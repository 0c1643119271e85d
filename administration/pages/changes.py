"""What happened to key managers, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from subscriptions.models import AuditEvent

_WORDS: Final[dict[str, Any]] = {
    "key_manager.create": _("added"),
    "key_manager.change": _("changed"),
    "key_manager.check": _("started the check of"),
    "key_manager.enable": _("turned on"),
    "key_manager.disable": _("turned off"),
    "key_manager.stop_for_deletion": _("asked for the deletion of"),
    "key_manager.delete": _("deleted"),
    "key_manager.rotate_signing_key": _("replaced the signing key of"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line. ``detail``: which settings, when the event says so."""

    at: datetime
    who: str
    words: Any
    about: str
    detail: str


def said(events: Iterable[AuditEvent]) -> list[Change]:
    """The events in words; one that has none keeps its name."""
    return [
        Change(
            at=event.at,
            who=event.actor_name,
            words=_WORDS.get(event.action, event.action),
            about=event.object_name,
            detail=", ".join(event.detail.get("changed", [])),
        )
        for event in events
    ]
