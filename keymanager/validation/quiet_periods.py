"""Key managers that are left alone for a while: they asked for it (429, ``Retry-After``), or just did not answer."""

import math
import time
from collections.abc import Callable
from typing import Final

from common.errors import KeyManagerUnavailable
from keymanager.validation.facts import Id, KeyManagerFacts
from keymanager.validation.resolved import NoAnswer

# One that does not answer is asked again this soon; many calls at once must not all wait for the same silence.
SECONDS_AFTER_SILENCE: Final = 1.0
# Longer than this nobody is believed to mean it; the key manager is asked again and can repeat itself.
LONGEST_SECONDS: Final = 300.0


class QuietPeriods:
    """Safe to use from several threads. ``monotonic`` is the clock, in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[Id, tuple[int, float, str]] = {}

    def answer(self, key_manager: KeyManagerFacts) -> NoAnswer | None:
        """What to say instead of asking; ``None`` when the key manager may be asked."""
        kept = self._until.get(key_manager.id)
        if kept is None or kept[0] != key_manager.revision:
            return None
        left = kept[1] - self._monotonic()
        return NoAnswer(reason=kept[2], retry_after=max(1, math.ceil(left))) if left > 0 else None

    def begin(self, key_manager: KeyManagerFacts, error: KeyManagerUnavailable) -> NoAnswer:
        """It did not answer: leave it alone for as long as it asked, or for a moment."""
        asked = error.retry_after
        seconds = SECONDS_AFTER_SILENCE if asked is None else min(asked, LONGEST_SECONDS)
        said = "does not answer" if asked is None else f"asks to be left alone for {math.ceil(seconds)} s"
        reason = f"The key manager {key_manager.slug} {said}."
        self._until[key_manager.id] = (key_manager.revision, self._monotonic() + seconds, reason)
        return NoAnswer(reason=reason, retry_after=5 if asked is None else max(1, math.ceil(seconds)))

    def end(self, key_manager_id: Id) -> None:
        """Ask it again at once: it was changed."""
        self._until.pop(key_manager_id, None)

    def end_all(self) -> None:
        """Ask everybody again."""
        self._until.clear()
