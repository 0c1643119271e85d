"""Load on a gateway by ``wrk``, and what it cost the processes that served it."""

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.process_facts import cpu_seconds, machine_cpu_seconds
from tests.servers.process import require_program

CONNECTIONS = 32
_SCRIPT = Path(__file__).resolve().parent / "calls.lua"


class LoadFailed(RuntimeError):
    """Calls were refused or broke: the cell says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: gateway path and access token."""

    path: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scenario in one round. Latencies in milliseconds; ``foreign_cores``: CPU that nobody measured here used."""

    requests: int
    rps: float
    p50: float
    p99: float
    gateway_us: float
    validator_us: float
    upstream_us: float
    foreign_cores: float

    @property
    def served_us(self) -> float:
        """CPU microseconds per request of gateway and validator."""
        return self.gateway_us + self.validator_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Process ids of those who serve the load."""

    gateway: Sequence[int]
    validator: Sequence[int]
    upstream: Sequence[int]


def measure(url: str, calls: Sequence[Call], served: Served, *, seconds: float, once: bool = False) -> Cell:
    """Drive the calls from one thread with ``CONNECTIONS`` connections. Raises ``LoadFailed`` when any is refused."""
    groups = (served.gateway, served.validator, served.upstream)
    before = [cpu_seconds(pids) for pids in groups]
    machine, own, started = machine_cpu_seconds(), _children_seconds(), time.monotonic()
    answer = _wrk(url, calls, seconds=seconds, once=once)
    elapsed = time.monotonic() - started
    used = [cpu_seconds(pids) - start for pids, start in zip(groups, before, strict=True)]
    foreign = machine_cpu_seconds() - machine - sum(used) - (_children_seconds() - own)
    # Answers that were under way when a list of calls ended are not counted by wrk, but were worked on.
    worked_on = max(answer["requests"], len(calls)) if once else answer["requests"]
    gateway, validator, upstream = (value * 1e6 / worked_on for value in used)
    return Cell(
        requests=answer["requests"],
        rps=answer["requests"] * 1e6 / answer["microseconds"],
        p50=answer["p50"] / 1000,
        p99=answer["p99"] / 1000,
        gateway_us=gateway,
        validator_us=validator,
        upstream_us=upstream,
        foreign_cores=max(0.0, foreign) / elapsed,
    )


def _wrk(url: str, calls: Sequence[Call], *, seconds: float, once: bool) -> dict[str, int]:
    with tempfile.NamedTemporaryFile("w", suffix=".calls") as file:
        file.writelines(f"{call.path}\t{call.token}\n" for call in calls)
        file.flush()
        duration = 60 if once else max(1, round(seconds))
        command = [
            str(require_program("wrk")), "--threads", "1", "--connections", str(CONNECTIONS),
            "--duration", f"{duration}s", "--timeout", "10s", "--script", str(_SCRIPT),
            url, "--", file.name, "once" if once else "again",
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=duration + 30)
    if done.returncode:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr[-400:]}")
    answer: dict[str, int] = json.loads(done.stdout.rstrip().rsplit("\n", 1)[-1])
    if answer["refused"] or answer["broken"] or not answer["requests"]:
        raise LoadFailed(f"{answer['refused']} of {answer['requests']} calls refused, {answer['broken']} broken")
    return answer


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
