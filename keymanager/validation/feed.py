"""Following the change feed without missing a row, however late it commits.

Ids are given when a transaction inserts, rows appear when it commits: asking for ``id > last`` misses the row of a
transaction that took a lower id and committed later. So every id that is missing below the highest one seen is watched
for a window that is longer than any transaction; ids of transactions that were rolled back leave the watch by age.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

# Above this many watched ids one range is read instead of a list.
_LISTED_AT_MOST: Final = 500
_READ_AT_ONCE: Final = 5_000
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

    def read(self, *, after: int, also: tuple[int, ...], limit: int) -> list[Change]:
        """Rows with an id above ``after`` or among ``also``, lowest id first, at most ``limit``."""
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
        """The changes that became visible since the last poll, oldest first."""
        found: list[Change] = []
        while True:
            batch = self._read()
            found += batch
            if len(batch) < _READ_AT_ONCE:
                break
        self._forget_old()
        return found

    def _read(self) -> list[Change]:
        if len(self._missing) <= _LISTED_AT_MOST:
            rows = self._source.read(after=self._high, also=tuple(self._missing), limit=_READ_AT_ONCE)
        else:
            rows = self._source.read(after=min(self._missing) - 1, also=(), limit=_READ_AT_ONCE + len(self._missing))
        fresh = [row for row in rows if row.id > self._high or row.id in self._missing]
        now = self._monotonic()
        for row in fresh:
            self._missing.pop(row.id, None)
            if row.id > self._high:
                self._missing.update((number, now) for number in range(max(self._high + 1, row.id - 10_000), row.id))
                self._high = row.id
        return fresh

    def _forget_old(self) -> None:
        now = self._monotonic()
        for number in [number for number, since in self._missing.items() if now - since > self._window]:
            del self._missing[number]
