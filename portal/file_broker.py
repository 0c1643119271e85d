"""The broker of the embedded default: one file per message below ``ARCHWAY_HOME``.

Kombu's own file transport lets a reader see a message that is not written yet, which ends the worker, and moves what
it reads through the machine's folder for temporary files. Here a message appears whole under its name, and belongs to
whoever renames it.
"""

import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

SCHEME: Final = "archway-files"
LONGEST_WAIT_SECONDS: Final = 0.3


class Channel(filesystem.Channel):
    """Writes and reads messages; exchanges are as in kombu."""

    def _put(self, queue: str, *messages: Any, **_: Any) -> None:
        """Kombu gives one message at a time; its file has a name that sorts by time."""
        folder = Path(self.data_folder_out)
        draft = folder / f".{uuid.uuid4().hex}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(dumps(*messages))
        draft.rename(folder / f"{time.time_ns() // 1_000_000}_{uuid.uuid4().hex}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of ``queue``. Raises ``Empty``. One that cannot be read is lost: the sweep asks again."""
        folder = Path(self.data_folder_in)
        for name in _names_in(folder):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            mine = folder / f".{uuid.uuid4().hex}"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:
                continue  # another worker was faster
            try:
                return loads(mine.read_text())
            except ValueError:
                logger.error("The queue had a message that cannot be read: %s", name)
            finally:
                mine.unlink()
        raise Empty


def _names_in(folder: Path) -> list[str]:
    """Oldest first. A folder that is out of order has none: the worker must not end, and who sends a job says so."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


class Transport(filesystem.Transport):
    """See ``Channel``."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Wait for a message, a short time only: a worker that waits does not hear that it shall stop."""
        super().drain_events(connection, timeout=min(timeout or LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS))


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
