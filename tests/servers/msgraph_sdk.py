"""Microsoft's own SDK for Graph, a reader that we did not write, in a folder of its own: it is large."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.layout import INSTALLED, ROOT, CannotInstall

LOCK = ROOT / "requirements-msgraph.lock"
FOLDER = INSTALLED / "msgraph-sdk"
READER = Path(__file__).with_name("msgraph_reader.py")


def install() -> None:
    """Installs the packages of the committed lock file. Raises ``CannotInstall``."""
    stamp = FOLDER / "installed.lock"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "msgraph-sdk.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
            return
        shutil.rmtree(FOLDER, ignore_errors=True)
        command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]
        command += ["--target", str(FOLDER), "-r", str(LOCK)]
        if subprocess.run([sys.executable, "-m", *command], check=False, stdout=sys.stderr).returncode:
            raise CannotInstall(f"`{' '.join(command)}` failed")
        shutil.copyfile(LOCK, stamp)


def read(*, graph: str, token: str, unique_name: str, tag: str) -> dict[str, Any]:
    """What the SDK makes of one application at ``graph``: see ``msgraph_reader``."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(READER)],
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        input=json.dumps({"graph": graph, "token": token, "unique_name": unique_name, "tag": tag}),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise AssertionError(f"the SDK could not read it: {done.stderr[-2000:]}")
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown
