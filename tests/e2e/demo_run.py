"""``manage.py demo`` as its user sees it: what it prints, and what it leaves behind."""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from portal.runner.layout import ROOT

READY = "Archway is ready"


class DemoRun:
    """A started demo. ``ports``: web, gateway, validator, backend."""

    def __init__(self, home: Path, ports: Mapping[str, int]) -> None:
        self.home = home
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ARCHWAY_", "DJANGO_"))}
        self.environment = {
            **inherited,
            "ARCHWAY_HOME": str(home),
            **{name: str(port) for name, port in ports.items()},
        }
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "demo"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.printed = ""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def read_until_ready(self, seconds: float = 90) -> str:
        """What was printed up to the line that says it is ready."""
        while READY not in self.printed:
            line = self._lines.get(timeout=seconds)
            assert line is not None, self.printed
            self.printed += line
        return self.printed

    def end(self, seconds: float = 60) -> int:
        """Its exit status, once it has ended by itself or because it was told to."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        while (line := self._lines.get_nowait()) is not None:
            self.printed += line
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def processes(self) -> list[int]:
        """Processes of this run that live: those that were told its data folder."""
        mark = f"ARCHWAY_HOME={self.home}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found


def first_calls_of(printed: str) -> str:
    """The commands between the invitation and the line that says it is ready."""
    found = re.search(r"First call .*?:\n(.*)^Archway is ready", printed, re.DOTALL | re.MULTILINE)
    assert found is not None, printed
    return found[1]
