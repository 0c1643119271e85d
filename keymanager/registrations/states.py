"""States of a registration; pure data, tested without a database."""

from enum import StrEnum
from typing import Final


class RegistrationState(StrEnum):
    """Where the wish "this must exist (or not) at that key manager" stands."""

    REQUESTED = "requested"
    SENDING = "sending"
    ACTIVE = "active"
    WAITING = "waiting"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    REMOVING = "removing"
    REMOVED = "removed"
    NOT_KEPT = "not_kept"


class Wish(StrEnum):
    """What a registration wants."""

    PRESENT = "present"
    ABSENT = "absent"


class RegistrationKind(StrEnum):
    """What a registration is about."""

    CLIENT = "client"
    RESOURCE = "resource"
    SCOPE = "scope"


S = RegistrationState

# Every move that code may make, `old: {new, ...}`. A conditional update makes it; the row count says who won.
MOVES: Final[dict[RegistrationState, frozenset[RegistrationState]]] = {
    S.REQUESTED: frozenset({S.SENDING, S.ACTIVE, S.REFUSED, S.HELD, S.REMOVING, S.NOT_KEPT}),
    S.SENDING: frozenset({S.ACTIVE, S.REQUESTED, S.WAITING, S.REFUSED, S.UNKNOWN, S.REMOVING}),
    # To refused: somebody removed it there.
    S.ACTIVE: frozenset({S.REQUESTED, S.REFUSED, S.REMOVING}),
    S.WAITING: frozenset({S.SENDING, S.ACTIVE, S.REQUESTED, S.REFUSED, S.HELD, S.REMOVING, S.NOT_KEPT}),
    # From refused to active: the job that was thought dead delivers the answer that was missing.
    S.REFUSED: frozenset({S.REQUESTED, S.ACTIVE, S.REMOVING}),
    S.UNKNOWN: frozenset({S.SENDING, S.ACTIVE, S.REQUESTED, S.WAITING, S.REFUSED, S.HELD, S.REMOVING}),
    S.HELD: frozenset({S.SENDING, S.ACTIVE, S.REQUESTED, S.REFUSED, S.REMOVING, S.NOT_KEPT}),
    # Other than to removed or refused: a scope or resource that is wanted again while it is being removed.
    S.REMOVING: frozenset(
        {S.REMOVED, S.REFUSED, S.REQUESTED, S.SENDING, S.ACTIVE, S.WAITING, S.UNKNOWN, S.HELD, S.NOT_KEPT}
    ),
    S.REMOVED: frozenset({S.REQUESTED, S.NOT_KEPT}),
    S.NOT_KEPT: frozenset({S.REQUESTED, S.REMOVED}),
}

# What an active client says that somebody changed there (``last_error_code``).
CHANGED_OUTSIDE: Final = "changed_outside"

# States in which the engine itself acts when the row is due.
WORKABLE: Final = frozenset({S.REQUESTED, S.WAITING, S.UNKNOWN, S.HELD, S.REMOVING})
# States in which nothing more happens by itself.
SETTLED: Final = frozenset({S.ACTIVE, S.REFUSED, S.REMOVED, S.NOT_KEPT})


def may_move(old: RegistrationState, new: RegistrationState) -> bool:
    """True when the table has the move, or when there is none."""
    return old == new or new in MOVES[old]


def outcome_of(state: RegistrationState, error_code: str) -> str:
    """How a registration has ended, in a word that differs where people would hear of something new; "" for not yet."""
    if state == RegistrationState.REFUSED:
        return f"{state.value} {error_code}"
    return state.value if state in (RegistrationState.ACTIVE, RegistrationState.REMOVED) else ""
