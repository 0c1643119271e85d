"""One server process: started, awaited by polling, logged to a file, ended by its own process id."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_SECONDS = 5.0
POLL_SECONDS = 0.02


class ServerDidNotStart(RuntimeError):
    """A server is not installed, ended early or never became ready; the message ends with the tail of its log."""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def require_program(name: str, *, folders: Sequence[Path] = ()) -> Path:
    """Path of an installed program; looks in ``folders`` first, then on PATH. Raises ``ServerDidNotStart``."""
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise ServerDidNotStart(f"{name} is not installed: run `python -m tests.servers.install`")
    return Path(found)


class ServerProcess:
    """A started server with a work folder of its own; use as a context manager, or call ``stop`` yourself.

    ``home`` holds the server's data and its ``server.log``. It is removed on ``stop`` when it was made here;
    a folder that the caller named is left alone. ``port`` 0 means a free one.
    """

    def __init__(self, name: str, *, port: int = 0, home: Path | None = None) -> None:
        self.name = name
        self.port = port or free_port()
        self.home = home or Path(tempfile.mkdtemp(prefix=f"archway-{name}-"))
        self._keep_home = home is not None
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = self.home / "server.log"
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server; 0 when it is not running."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else 0

    def start(
        self,
        command: Sequence[str | Path],
        *,
        ready: Callable[[], bool],
        seconds: float = 20.0,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Starts the command and returns when ``ready`` answers True. ``user``: the account to run as (root only).

        Raises ``ServerDidNotStart``, also when the port is taken already, and then leaves nothing behind.
        """
        if accepts_connections(self.port):
            self.stop()
            raise ServerDidNotStart(f"{self.name}: port {self.port} is taken by another program")
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env={**os.environ, **(environment or {})},
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        try:
            self._await(ready, seconds)
        except BaseException:
            self.stop()
            raise

    def _await(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            code = self._popen.poll() if self._popen else None
            if code is not None:
                raise ServerDidNotStart(f"{self.name} ended with status {code}.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerDidNotStart(f"{self.name} was not ready after {seconds:g} s.\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def log_tail(self, *, lines: int = 30) -> str:
        """The last lines of the log, for error messages."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends the server (kills it after ``STOP_SECONDS``) and removes the folder made for it. Repeatable."""
        popen, self._popen = self._popen, None
        if popen is not None and popen.poll() is None:
            popen.send_signal(how)
            try:
                popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
        if not self._keep_home:
            shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
