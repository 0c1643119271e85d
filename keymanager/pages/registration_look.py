"""How a registration looks everywhere: its state as a word and a colour, its path as a trace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from keymanager.models import Registration
from keymanager.registrations.states import CHANGED_OUTSIDE, SETTLED, RegistrationKind, RegistrationState, Wish

S = RegistrationState

_WORDS: Final[dict[RegistrationState, tuple[str, Any]]] = {
    S.REQUESTED: ("wait", _("Requested")),
    S.SENDING: ("wait", _("Registering")),
    S.ACTIVE: ("ok", _("Ready")),
    S.WAITING: ("wait", _("Waiting to retry")),
    S.REFUSED: ("bad", _("Registration failed")),
    S.UNKNOWN: ("wait", _("Looking for it")),
    S.HELD: ("off", _("Held")),
    S.REMOVING: ("wait", _("Removing")),
    S.REMOVED: ("off", _("Removed")),
    S.NOT_KEPT: ("off", _("Not kept there")),
}
_SENTENCES: Final[dict[RegistrationState, Any]] = {
    S.WAITING: _("It is tried again by itself."),
    S.REFUSED: _("It is not tried again by itself."),
    S.UNKNOWN: _("It was sent and no answer came. Before anything is made again, the key manager is searched for it."),
    S.HELD: _("The key manager does not answer. No attempt is used up; it goes on when the key manager is back."),
    S.NOT_KEPT: _("This key manager keeps no such thing; the gateway checks it all the same."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One step of the path. ``look``: ``done``, ``now``, ``fail`` or "" (not reached)."""

    look: str
    words: Any
    detail: Any = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationLook:
    """What a page shows of one registration. ``settled``: nothing changes by itself, so that polling may end.

    ``attempts``: how many of how many, as "2 of 12". ``sentence``: what that state means for the reader.
    """

    state: str
    look: str
    words: Any
    sentence: Any
    trace: tuple[TraceStep, ...]
    settled: bool
    may_retry: bool
    attempts: str
    next_try_at: datetime | None
    error: str
    error_code: str


def look_of(row: Registration) -> RegistrationLook:
    """The look of ``row``, from the database alone."""
    state = RegistrationState(row.state)
    look, words = _WORDS[state]
    if state == S.ACTIVE and row.kind != RegistrationKind.CLIENT:
        words = _("Registered")
    if state == S.REFUSED and row.wish == Wish.ABSENT:
        words = _("Removal failed")
    return RegistrationLook(
        state=row.state,
        look=look,
        words=words,
        sentence=_SENTENCES.get(state, ""),
        trace=_trace(row, state),
        settled=state in SETTLED,
        may_retry=state in {S.REFUSED, S.WAITING, S.UNKNOWN, S.HELD} or row.last_error_code == CHANGED_OUTSIDE,
        attempts=f"{row.attempts} of {settings.ARCHWAY_REGISTRATION_MAX_ATTEMPTS}",
        next_try_at=row.next_try_at,
        error=row.last_error if state not in {S.ACTIVE, S.REMOVED} else "",
        error_code=row.last_error_code if state not in {S.ACTIVE, S.REMOVED} else "",
    )


def _trace(row: Registration, state: RegistrationState) -> tuple[TraceStep, ...]:
    removal = row.wish == Wish.ABSENT
    name = row.key_manager.name
    end = _("Removed") if removal else _("Ready")
    work = _("Removing at %(name)s") if removal else _("Registering at %(name)s")
    asked = TraceStep(look="done", words=_("Requested"), detail=row.actor_name, at=row.created_at)
    tried = _("attempt %(number)s") % {"number": row.attempts} if row.attempts else ""
    if state in {S.ACTIVE, S.REMOVED, S.NOT_KEPT}:
        sent = TraceStep(look="done", words=work % {"name": name}, detail=tried)
        return asked, sent, TraceStep(look="done", words=end, at=row.updated_at)
    looks = {S.REFUSED: "fail", S.REQUESTED: ""}
    detail = _("waits for its turn") if state == S.REQUESTED else tried
    queued = TraceStep(look="now" if state == S.REQUESTED else "done", words=_("Queued"))
    middle = TraceStep(
        look=looks.get(state, "now"),
        words=_("Refused by %(name)s") % {"name": name} if state == S.REFUSED else work % {"name": name},
        detail=detail,
    )
    return asked, queued, middle, TraceStep(look="", words=end)
