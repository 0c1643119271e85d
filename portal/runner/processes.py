"""Child processes: started together, watched, and stopped together within a few seconds."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import ConfigurationError

STOP_SECONDS = 4.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One process: its command, environment and log file. ``ready`` says whether it serves yet."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start it in a process group of its own, output to the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self.process.poll() if self.process else None

    def log_tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class ChildFailed(ConfigurationError):
    """A child ended, or did not become ready in time."""


class Children:
    """All children of one run."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self, child: Child, *, seconds: float = 40.0) -> None:
        """Start a child and wait until it is ready. Raises ``ChildFailed`` with the end of its log."""
        self.children.append(child)
        child.start()
        deadline = time.monotonic() + seconds
        while not child.ready():
            if child.exit_code() is not None:
                raise ChildFailed(f"{child.name} ended at once (exit {child.exit_code()}):\n{child.log_tail()}")
            if time.monotonic() > deadline:
                raise ChildFailed(f"{child.name} is not ready after {seconds:.0f} s:\n{child.log_tail()}")
            time.sleep(0.05)

    def ended(self) -> Child | None:
        """A child that ended by itself, if there is one."""
        return next((child for child in self.children if child.exit_code() is not None), None)

    def stop(self) -> None:
        """Ask every child to end, then end what is left."""
        running = [child for child in reversed(self.children) if child.process and child.exit_code() is None]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.exit_code() is None for child in running) and time.monotonic() < deadline:
            time.sleep(0.02)
        for child in self.children:
            _signal(child, signal.SIGKILL)


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is None:
        return
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return
    if number == signal.SIGKILL:
        child.process.wait()


def answers(port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """A readiness check: something accepts connections on the port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((host, port)) == 0

    return check


def require_free(port: int, variable: str, host: str = "127.0.0.1") -> None:
    """Raise ``ConfigurationError`` naming the variable when the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise ConfigurationError(
                f"Port {port} is taken. Stop what listens there, or choose another: {variable}={port + 1}"
            ) from exc


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()
