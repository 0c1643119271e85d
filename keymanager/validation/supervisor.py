"""Keeps the validator's workers running: ``python -m keymanager.validation.supervisor``. Knows no Django itself.

The workers share the port (``SO_REUSEPORT``), so that the kernel spreads connections over them.
"""

import argparse
import contextlib
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

from keymanager.validation.shared_port import shared_socket, unix_socket

logger = logging.getLogger(__name__)

# Shorter than whoever supervises this process waits, or workers would be left behind.
STOP_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.1
_AT_ONCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0


class _Worker:
    """One place for a worker, filled anew when its process ends."""

    def __init__(self, command: list[str], inherited: tuple[int, ...]) -> None:
        self._command = command
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self._starts = 0

    def fill(self) -> int | None:
        """Start a process when none runs; the exit status when the first one ended at once by itself, else ``None``.

        Such an end (a wrong setting, say) would only repeat itself.
        """
        status = self._process.poll() if self._process is not None else None
        if self._process is not None and status is None:
            return None
        lived = time.monotonic() - self._started_at
        if status is not None and status > 0 and self._starts == 1 and lived < _AT_ONCE_SECONDS:
            return status
        if lived < _PAUSE_SECONDS:
            return None
        if self._process is not None:
            logger.error("Worker %s ended with status %s; starting another", self._process.pid, status)
            self._close()
        later = ["--when-ready"] if self._starts else []
        self._process = subprocess.Popen([*self._command, *later], stdin=subprocess.PIPE, pass_fds=self._inherited)
        self._started_at = time.monotonic()
        self._starts += 1
        return None

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Return when the process has ended; at ``deadline`` it is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def main(arguments: list[str]) -> int:
    """Run workers until SIGTERM or SIGINT (0). 1: the port is taken; else the status of a worker that cannot run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--socket", default="", help="a Unix socket besides the port")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error("--workers must be 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    place = f"{options.host}, port {options.port}"
    with contextlib.ExitStack() as held:
        try:
            port = held.enter_context(reserved(options.host, options.port)).getsockname()[1]
            place = options.socket or place
            local = held.enter_context(unix_socket(Path(options.socket))) if options.socket else None
        except OSError as exc:
            logger.error("The validator cannot listen on %s: %s", place, exc.strerror or exc)
            return 1
        inherited = (local.fileno(),) if local is not None else ()
        command = [sys.executable, "-m", "keymanager.validation.worker", "--host", options.host, "--port", str(port)]
        command += [f"--inherited={number}" for number in inherited]
        return _run([_Worker(command, inherited) for _ in range(options.workers)], stop)


def _run(workers: list[_Worker], stop: threading.Event) -> int:
    status = 0
    while not status and not stop.is_set():
        status = next((ended for worker in workers if (ended := worker.fill())), 0)
        stop.wait(_POLL_SECONDS)
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.wait(deadline)
    return status


def reserved(host: str, port: int) -> socket.socket:
    """Hold the port for the workers: bound, not listening. Raises ``OSError`` when anybody else has it.

    Sharing is allowed only in the second step: another program that shares its port would otherwise not be noticed.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        address = probe.getsockname()
    return shared_socket(*address[:2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
