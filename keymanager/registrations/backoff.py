"""How long to wait before the next try; pure, the random number is given."""

from typing import Final

_FIRST_SECONDS: Final = 2.0
_LONGEST_SECONDS: Final = 3600.0
_LONGEST_ASKED_SECONDS: Final = 86400.0


def backoff_seconds(attempts: int, *, jitter: float, retry_after: float | None = None) -> float:
    """Seconds until the try after ``attempts`` tries: 2, 4, 8 … at most an hour, each by half to one and a half.

    ``jitter``: a random number from 0 to 1. ``retry_after``: what the key manager asked for; never less than that,
    but at most a day.
    """
    planned = min(_FIRST_SECONDS * 2.0 ** min(max(attempts, 1) - 1, 20), _LONGEST_SECONDS) * (0.5 + jitter)
    return max(planned, min(retry_after or 0.0, _LONGEST_ASKED_SECONDS))
