"""Stores refusals in the background, in batches. A call never waits for it, and a flood is dropped and counted."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, close_old_connections, connection

from keymanager.models import RefusedCall

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 0.1
QUEUED_AT_MOST: Final = 2_000
_BATCH: Final = 500


def store(rows: list[RefusedCall]) -> None:
    """Insert rows; one that is there already is left alone."""
    RefusedCall.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


class RefusalLog:
    """A bounded queue and the thread that empties it. ``make`` builds a row, so that its cost is the thread's."""

    def __init__(
        self, *, queued_at_most: int = QUEUED_AT_MOST, write: Callable[[list[RefusedCall]], None] = store
    ) -> None:
        self._queue: deque[Callable[[], RefusedCall]] = deque()
        self._queued_at_most = queued_at_most
        self._write = write
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.stored = 0
        self.dropped = 0

    def add(self, make: Callable[[], RefusedCall]) -> None:
        """Queue one refusal, or count it as dropped when the queue is full."""
        if len(self._queue) >= self._queued_at_most:
            self.dropped += 1
            return
        self._queue.append(make)
        self._wake.set()

    def start(self) -> None:
        """Begin writing in the background."""
        self._thread = threading.Thread(target=self._run, name="refusal-log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued and end."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def flush(self) -> None:
        """Write what is queued now. Rows that the database does not take are dropped and counted."""
        rows: list[RefusedCall] = []
        while self._queue:
            rows.append(self._queue.popleft()())
        if not rows:
            return
        try:
            self._write(rows)
        except DatabaseError as exc:
            self.dropped += len(rows)
            logger.warning("%d refusals could not be stored: %s", len(rows), exc)
        else:
            self.stored += len(rows)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wake.wait()
                self._wake.clear()
                # Refusals come in bursts: one insert for all that arrive within a moment.
                self._stop.wait(FLUSH_SECONDS)
                close_old_connections()
                self.flush()
            self.flush()
        finally:
            connection.close()
