"""Reading Envoy's log file."""

import os
from pathlib import Path

_TAIL_BYTES = 65_536


def log_tail(path: Path, *, lines: int = 20) -> str:
    """The last lines of the log; "" when there is none."""
    return "\n".join(_end(path)[-lines:])


def last_refusal(path: Path) -> str:
    """What Envoy last said about a configuration that it would not take; "" when it said nothing."""
    said = [line for line in _end(path) if "rejected" in line or "Filesystem config update" in line]
    return said[-1][:500] if said else ""


def _end(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
