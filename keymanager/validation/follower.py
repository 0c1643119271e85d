"""The thread that keeps the snapshot true: loads it, follows the change feed, and says how fresh it is."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, connection

from keymanager.validation.feed import READ_AT_ONCE, Change, ChangeReader
from keymanager.validation.feed_tables import Wake
from keymanager.validation.snapshot import Snapshot

logger = logging.getLogger(__name__)


def close_connection() -> None:
    """End this thread's database connection; the next query opens one."""
    connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedActions:
    """What the follower does to the rest: ``load`` everything anew, ``apply`` one change, ``flush`` all caches."""

    load: Callable[[], Snapshot]
    apply: Callable[[Snapshot, Change], None]
    flush: Callable[[], None]


class Follower:
    """Owns the snapshot. ``fresh()`` is asked on every call; everything else happens in the follower's threads.

    ``poll_seconds``: how often the feed is read without being woken. ``stale_seconds``: how long the database may be
    out of reach before ``fresh()`` is false; when it is back after that, everything is loaded anew. ``close``: ends the
    calling thread's own connection.
    """

    def __init__(
        self,
        *,
        reader: ChangeReader,
        actions: FeedActions,
        wake: Wake,
        poll_seconds: float,
        stale_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        close: Callable[[], None] = close_connection,
    ) -> None:
        self._reader = reader
        self._actions = actions
        self._wake = wake
        self._poll_seconds = poll_seconds
        self._stale_seconds = stale_seconds
        self._monotonic = monotonic
        self._close = close
        self._poked = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._read_at = float("-inf")
        self.snapshot: Snapshot | None = None
        self.applied = 0
        self.loads = 0

    def fresh(self) -> bool:
        """Whether the snapshot is loaded and was compared with the database recently enough to allow anything."""
        return self._monotonic() - self._read_at <= self._stale_seconds

    def step(self) -> None:
        """One round: load when needed, else apply what is new. Raises ``DatabaseError`` when the database is away.

        The time of the round is the time at which it began: what is written after that is not promised yet.
        """
        began = self._monotonic()
        if self.snapshot is None or not self.fresh():
            self._reader.start()
            snapshot = self._actions.load()
            self._actions.flush()
            self.snapshot = snapshot
            self.loads += 1
            # Loading may take longer than the bound; what was written meanwhile is read before anything is allowed.
            began = self._monotonic()
        snapshot = self.snapshot
        changes = self._reader.poll()
        try:
            for change in _last_of_each(changes):
                self._actions.apply(snapshot, change)
                self.applied += 1
        except BaseException:
            # The changes were handed out and would not come again: nothing but a full load makes up for one.
            self._read_at = float("-inf")
            raise
        if len(changes) >= READ_AT_ONCE:
            # There is more: it is read at once, and until then nothing new is promised.
            self._poked.set()
            return
        self._read_at = began

    def start(self) -> None:
        """Follow in the background."""
        for name, target in (("change-feed", self._run), ("change-wake", self._listen)):
            thread = threading.Thread(target=target, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the threads."""
        self._stop.set()
        self._poked.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def poke(self) -> None:
        """Read the feed now."""
        self._poked.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = self._poll_seconds
            try:
                self.step()
            except DatabaseError as exc:
                logger.warning("The database cannot be read: %s", exc)
                self._close()
                wait = min(1.0, self._poll_seconds * 2)
            except Exception:
                # This thread is a job without end: it records, lets every call be refused, and tries again.
                logger.exception("The change feed could not be applied")
                self._read_at = float("-inf")
                self._close()
                wait = 1.0
            self._poked.wait(wait)
            self._poked.clear()
        self._close()

    def _listen(self) -> None:
        self._wake.listen(self.poke, self._stop)


def _last_of_each(changes: list[Change]) -> list[Change]:
    """Ten changes of one object are one re-read."""
    latest = {(change.kind, change.object_id): change for change in changes}
    return sorted(latest.values(), key=lambda change: change.id)
