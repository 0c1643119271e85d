"""Following the change feed without missing a row, however late it commits.

Ids are given when a transaction inserts, rows appear when it commits: asking for ``id > last`` misses the row of a
transaction that took a lower id and committed later. So every id that is missing below the highest one seen is watched
for a window that is longer than any transaction; ids of transactions that were rolled back leave the watch by age.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

# More changes than this wait for the next round, which follows at once.
READ_AT_ONCE: Final = 5_000
_ASKED_AT_ONCE: Final = 500
# Ids are missing because of transactions under way or rolled back; more than this at once is no such thing.
_WATCHED_AT_MOST: Final = 2_000
# At start, how far below the newest row missing ids are watched.
START_DEPTH: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the feed."""

    id: int
    kind: str
    object_id: str


class ChangeSource(Protocol):
    """The feed's table."""

    def newest_ids(self, limit: int) -> list[int]:
        """The newest ids, in any order."""
        ...

    def after(self, number: int, limit: int) -> list[Change]:
        """Rows with a higher id, lowest id first, at most ``limit``."""
        ...

    def among(self, numbers: Sequence[int]) -> list[Change]:
        """Those of these rows that are visible now."""
        ...


class ChangeReader:
    """Hands out each change once. ``monotonic``: seconds; ``window``: how long a missing id is watched."""

    def __init__(self, source: ChangeSource, *, monotonic: Callable[[], float], window: float) -> None:
        self._source = source
        self._monotonic = monotonic
        self._window = window
        self._high = 0
        self._missing: dict[int, float] = {}

    @property
    def position(self) -> int:
        """The highest id seen."""
        return self._high

    @property
    def watched(self) -> int:
        """How many missing ids are watched."""
        return len(self._missing)

    def start(self) -> None:
        """Stand at the end of the feed. Call it before reading the objects themselves: nothing falls between then."""
        seen = set(self._source.newest_ids(START_DEPTH))
        self._high = max(seen, default=0)
        now = self._monotonic()
        lowest = max(1, self._high - START_DEPTH)
        self._missing = {number: now for number in range(lowest, self._high) if number not in seen}

    def poll(self) -> list[Change]:
        """The changes that became visible since the last poll, lowest id first."""
        late = [row for numbers in _chunks(list(self._missing)) for row in self._source.among(numbers)]
        fresh = self._source.after(self._high, READ_AT_ONCE)
        now = self._monotonic()
        for row in late:
            self._missing.pop(row.id, None)
        for row in fresh:
            self._watch(range(self._high + 1, row.id), now)
            self._high = row.id
        self._forget_old()
        return sorted([*late, *fresh], key=lambda row: row.id)

    def _watch(self, numbers: range, now: float) -> None:
        self._missing.update((number, now) for number in numbers[-_WATCHED_AT_MOST:])
        while len(self._missing) > _WATCHED_AT_MOST:
            del self._missing[next(iter(self._missing))]

    def _forget_old(self) -> None:
        now = self._monotonic()
        for number in [number for number, since in self._missing.items() if now - since > self._window]:
            del self._missing[number]


def _chunks(numbers: list[int]) -> list[list[int]]:
    return [numbers[start : start + _ASKED_AT_ONCE] for start in range(0, len(numbers), _ASKED_AT_ONCE)]
