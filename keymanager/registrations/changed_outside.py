"""How an active registration says that somebody changed its client at the key manager."""

from collections.abc import Sequence
from typing import Final

from keymanager.models import Registration
from keymanager.registrations.states import CHANGED_OUTSIDE

# As adapters name it among what they observe (RFC 7591 has no such member).
OFF: Final = "enabled"


def say_changed(row: Registration, names: Sequence[str]) -> bool:
    """Put it on ``row``, which the caller saves; False when it said just that already."""
    what_helps = "Switched off, it has to be switched on there." if OFF in names else "A retry makes it as it was."
    words = f"Somebody changed this client at the key manager: {', '.join(names)}. {what_helps}"
    if (row.last_error_code, row.last_error) == (CHANGED_OUTSIDE, words):
        return False
    row.last_error_code, row.last_error = CHANGED_OUTSIDE, words
    return True


def is_off(row: Registration) -> bool:
    """Whether the key manager last said that the client is switched off. Nothing that we do there switches it."""
    return (row.observed or {}).get(OFF) is False
