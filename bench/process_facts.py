"""CPU time and memory of processes, read from ``/proc``."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """Process ids of ``root`` and everything below it."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _fields(int(folder.name))):
            children[int(fields[1])].append(int(folder.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def named(pids: Iterable[int], name: str) -> list[int]:
    """Those whose program has this name."""
    return [pid for pid in pids if (_PROC / str(pid) / "comm").read_text().strip() == name]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have used since they started."""
    return sum((int(fields[11]) + int(fields[12])) * _TICK for pid in pids if (fields := _fields(pid)))


def machine_cpu_seconds() -> float:
    """Busy time of all cores since the machine started."""
    words = (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (int(word) for word in words)
    return (user + nice + system + irq + softirq) * _TICK


def pss_megabytes(pids: Iterable[int]) -> float:
    """Proportional set size: memory that several processes share is counted once."""
    return sum(_pss_kilobytes(pid) for pid in pids) / 1024


def _pss_kilobytes(pid: int) -> int:
    lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _fields(pid: int) -> list[str]:
    """The fields of ``stat`` behind the name, which may hold spaces; empty when the process is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
