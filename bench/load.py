"""Load on a gateway, and what it cost the processes that served it."""

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.each_once import Call, Driven, drive_each_once
from bench.process_facts import cpu_seconds, machine_cpu_seconds
from tests.servers.process import require_program

CONNECTIONS = 32
_SCRIPT = Path(__file__).resolve().parent / "calls.lua"


class LoadFailed(RuntimeError):
    """Calls were refused or broke: the cell says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scenario in one round. CPU per request; ``foreign_cores``: CPU that nobody measured here used."""

    driven: Driven
    gateway_us: float
    validator_us: float
    upstream_us: float
    foreign_cores: float

    @property
    def rps(self) -> float:
        """Requests per second."""
        return self.driven.requests / self.driven.seconds

    @property
    def served_us(self) -> float:
        """CPU microseconds per request of gateway and validator."""
        return self.gateway_us + self.validator_us

    @property
    def all_us(self) -> float:
        """The same with the backend: everything but the load generator."""
        return self.served_us + self.upstream_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a gateway listens, and the process ids of those who serve its load."""

    port: int
    gateway: Sequence[int]
    validator: Sequence[int]
    upstream: Sequence[int]


def saturate(served: Served, calls: Sequence[Call], *, seconds: float) -> Cell:
    """The calls again and again over ``CONNECTIONS`` connections. Raises ``LoadFailed`` when any is refused."""
    return _measured(served, lambda: _wrk(served.port, calls, seconds=seconds))


def once_each(served: Served, calls: Sequence[Call]) -> Cell:
    """Each call once. Raises ``LoadFailed`` when any is refused."""
    return _measured(served, lambda: drive_each_once(served.port, calls))


def _measured(served: Served, drive: Callable[[], Driven]) -> Cell:
    groups = (served.gateway, served.validator, served.upstream)
    before = [cpu_seconds(pids) for pids in groups]
    machine, own, started = machine_cpu_seconds(), _own_seconds(), time.monotonic()
    driven = drive()
    elapsed = time.monotonic() - started
    used = [cpu_seconds(pids) - start for pids, start in zip(groups, before, strict=True)]
    foreign = machine_cpu_seconds() - machine - sum(used) - (_own_seconds() - own)
    if driven.refused or not driven.requests:
        raise LoadFailed(f"{driven.refused} of {driven.requests} calls were refused")
    gateway, validator, upstream = (value * 1e6 / driven.requests for value in used)
    return Cell(
        driven=driven,
        gateway_us=gateway,
        validator_us=validator,
        upstream_us=upstream,
        foreign_cores=max(0.0, foreign) / elapsed,
    )


def _wrk(port: int, calls: Sequence[Call], *, seconds: float) -> Driven:
    with tempfile.NamedTemporaryFile("w", suffix=".calls") as file:
        file.writelines(f"{call.path}\t{call.token}\n" for call in calls)
        file.flush()
        command = [
            str(require_program("wrk")), "--threads", "1", "--connections", str(CONNECTIONS),
            "--duration", f"{max(1, round(seconds))}s", "--timeout", "10s", "--script", str(_SCRIPT),
            f"http://127.0.0.1:{port}", "--", file.name,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 30)
    if done.returncode:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr[-400:]}")
    answer: dict[str, int] = json.loads(done.stdout.rstrip().rsplit("\n", 1)[-1])
    return Driven(
        requests=answer["requests"],
        seconds=answer["microseconds"] / 1e6,
        refused=answer["refused"] + answer["broken"],
        p50=answer["p50"] / 1000,
        p99=answer["p99"] / 1000,
    )


def _own_seconds() -> float:
    """CPU time of the load generators: this process and the children that it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
