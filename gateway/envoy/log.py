"""Reading Envoy's log file."""

import os
import re
from pathlib import Path

_TAIL_BYTES = 65_536
_LONGEST_QUOTE = 500
_REFUSAL = re.compile(r"Filesystem config update (?:rejected|failure): ")


def log_tail(path: Path, *, lines: int = 20) -> str:
    """The last lines of the log; "" when there is none."""
    return "\n".join(_end(path)[-lines:])


def log_size(path: Path) -> int:
    """Where the log ends now, in bytes; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def last_refusal(path: Path, *, since: int = 0) -> str:
    """What Envoy last said about a configuration that it would not take; "" when it said nothing.

    ``since``: what stands before this byte is about something else.
    """
    lines = _end(path, since=since)
    starts = [number for number, line in enumerate(lines) if _REFUSAL.search(line)]
    if not starts:
        return ""
    first, *rest = lines[starts[-1] :]
    # What protobuf prints stands on the lines below, after a marker of its own.
    words = [_REFUSAL.split(first, maxsplit=1)[-1].removeprefix("goo.gle/debugonly")]
    for line in rest:
        if line.startswith("["):
            break
        words.append(line)
    return " ".join(" ".join(words).split())[:_LONGEST_QUOTE]


def _end(path: Path, *, since: int = 0) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(since, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
