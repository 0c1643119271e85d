"""A real Better Auth for tests: installed by npm once from the lock file, in memory, on a free loopback port."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_FILES = ("package.json", "package-lock.json", "server.mjs")


def install(cache: Path) -> Path:
    """The folder with Better Auth in it. ``cache`` is kept between runs; a changed lock file installs anew."""
    folder = cache / "betterauth"
    wanted = (_HERE / "package-lock.json").read_bytes()
    installed = folder / "node_modules" / "installed-from.json"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copy(_HERE / name, folder / name)
    if not installed.exists() or installed.read_bytes() != wanted:
        command = ["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        installed.write_bytes(wanted)
    return folder


@contextmanager
def running_server(cache: Path, scopes: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The adapter's configuration for a server that knows ``scopes`` and forgets everything at the end."""
    account = {"email": "archway@example.org", "password": secrets.token_urlsafe(24)}
    audience = "https://apis.example.org"
    started = {"secret": secrets.token_urlsafe(32), **account, "audience": audience, "scopes": ["openid", *scopes]}
    process = subprocess.Popen(
        ["node", "server.mjs"],
        cwd=install(cache),
        env={"PATH": os.environ["PATH"], "BETTERAUTH_TEST": json.dumps(started)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"Better Auth did not start (exit code {process.wait(10)}).")
        yield {"base_url": line.strip(), **account, "audience": audience}
    finally:
        process.terminate()
        process.communicate(timeout=10)
