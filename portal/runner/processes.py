"""Child processes: started together, watched, and stopped together within a few seconds."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import ConfigurationError

STOP_SECONDS = 3.5
_POLL_SECONDS = 0.02


@dataclass(slots=True, kw_only=True)
class Child:
    """One process: its command, whole environment and log file. ``ready`` says whether it serves yet."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    ready: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    def start(self) -> None:
        """Start it in a process group of its own, output to the end of the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )

    def exit_code(self) -> int | None:
        """``None`` while it runs, and before it was started."""
        return self.process.poll() if self.process else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to the processes that it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return
        if number == signal.SIGKILL:
            self.process.wait()

    def log_since_start(self) -> str:
        """What it logged since it was started last."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    def log_tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class ChildFailed(ConfigurationError):
    """A child ended, or did not become ready in time."""


class Children:
    """All children of one run."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self, *children: Child) -> None:
        """Start children, side by side; ``await_ready`` waits for them."""
        for child in children:
            self.children.append(child)
            child.start()

    def await_ready(self, *, seconds: float = 60.0) -> None:
        """Return when every child is ready. Raises ``ChildFailed`` with the end of the log of one that is not."""
        deadline = time.monotonic() + seconds
        for child in self.children:
            await_child(child, seconds=deadline - time.monotonic())

    def ended(self) -> Child | None:
        """A child that ended by itself, if there is one."""
        return next((child for child in self.children if child.exit_code() is not None), None)

    def stop(self) -> None:
        """Ask every child to end, then end what is left."""
        stop_children(*reversed(self.children))


def await_child(child: Child, *, seconds: float = 60.0) -> None:
    """Return when the child is ready. Raises ``ChildFailed`` with the end of its log."""
    deadline = time.monotonic() + seconds
    while not child.ready():
        if child.exit_code() is not None:
            raise ChildFailed(f"{child.name} ended at once (exit {child.exit_code()}):\n{child.log_tail()}")
        if time.monotonic() > deadline:
            raise ChildFailed(f"{child.name} did not become ready:\n{child.log_tail()}")
        time.sleep(_POLL_SECONDS)


def stop_children(*children: Child) -> None:
    """Ask these to end, then end what is left of them; takes a little more than ``STOP_SECONDS`` at most."""
    running = [child for child in children if child.process and child.exit_code() is None]
    for child in running:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while any(child.exit_code() is None for child in running) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for child in children:
        child.signal(signal.SIGKILL)


def listens(port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """A readiness check: something accepts connections on the port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((host, port)) == 0

    return check


def answers(port: int, path: str, host: str = "127.0.0.1") -> Callable[[], bool]:
    """A readiness check: GET of the path is answered with 200."""

    def check() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

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
