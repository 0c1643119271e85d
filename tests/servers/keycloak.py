"""A real Keycloak 26.7 as a key manager, and as the identity provider of the portal's people.

What ``start`` gives is a copy of a distribution that was built and seeded once (``tests/servers/keycloak_install.py``):
the realm ``archway`` of ``keycloak_realm.json`` and, for the tests' own set-up, an administrator of everything.

* ``archway-km``: what Archway is at Keycloak; its service account has the roles manage-clients and view-events only.
* ``archway-portal``: a confidential client for logging in to the portal; PKCE is required; ID token and userinfo carry
  ``groups`` (no claim at all for somebody without groups) and ``roles``.
* People: alice (groups api-developers and museum), bob (app-developers), carol (no group, no role), root. The
  password of each is the name and ``-password``.
* A client policy lets a replaced client secret work for another day.

Everybody who changes the settings of a realm, and every test class, takes a realm of its own: ``new_realm``.
"""

import json
import os
import shutil
import signal
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.layout import KEYCLOAK_FOLDER
from tests.servers.process import ServerDidNotStart, ServerProcess, free_port, require_program
from tests.servers.readiness import answers

REALM_FILE = Path(__file__).resolve().parent / "keycloak_realm.json"
REALM = "archway"
KM_CLIENT_ID = "archway-km"
KM_CLIENT_SECRET = "archway-km-secret"
PORTAL_CLIENT_ID = "archway-portal"
PORTAL_CLIENT_SECRET = "archway-portal-secret"
ADMIN = "admin"
SHARED_VARIABLE = "ARCHWAY_TEST_KEYCLOAK"
START_SECONDS = 240.0
JAVA_STOP_SECONDS = 20.0
# A small heap and the first compiler only: half the start time and memory, and fast enough for tests.
ENVIRONMENT = {
    "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx384m",
    "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
    "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """One realm of a running server."""

    server_url: str
    name: str

    @property
    def issuer(self) -> str:
        """Its issuer, the root of its public endpoints."""
        return f"{self.server_url}/realms/{self.name}"

    @property
    def admin_url(self) -> str:
        """Root of its administration REST API."""
        return f"{self.server_url}/admin/realms/{self.name}"

    @property
    def token_endpoint(self) -> str:
        """Where tokens are issued."""
        return f"{self.issuer}/protocol/openid-connect/token"


class KeycloakServer(ServerProcess):
    """A running Keycloak; ``server_url`` has no trailing slash."""

    def __init__(self, *, port: int = 0, home: Path | None = None) -> None:
        super().__init__("keycloak", port=port, home=home)
        self.management_port = free_port()
        self.server_url = f"http://127.0.0.1:{self.port}"
        self.realm = Realm(server_url=self.server_url, name=REALM)

    def run(self, distribution: Path, *more: str) -> None:
        """Start the built distribution in this folder; return when it is ready. Raises ``ServerDidNotStart``."""
        command: list[str | Path] = [
            *(distribution / "bin" / "kc.sh", "start", "--optimized"),
            # Without it the cluster's ports are opened outside loopback, whatever the host is.
            "--cache=local",
            *("--http-enabled=true", "--hostname-strict=false"),
            *("--http-host=127.0.0.1", f"--http-port={self.port}"),
            *("--http-management-host=127.0.0.1", f"--http-management-port={self.management_port}"),
            *more,
        ]
        # The main port opens earlier and answers 503.
        ready = f"http://127.0.0.1:{self.management_port}/health/ready"
        self.start(command, ready=lambda: answers(ready), seconds=START_SECONDS, environment=ENVIRONMENT)

    def stop(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends kc.sh and the Java process that it started."""
        java = _children_of(self.pid)
        keep, self._keep_home = self._keep_home, True
        super().stop(how=how)
        self._keep_home = keep
        for pid in java:
            _await_end(pid)
        super().stop()


def start(*, port: int = 0, home: Path | None = None) -> KeycloakServer:
    """Starts a Keycloak on ``port`` (0: a free one); ``home`` keeps what is changed there for the next start.

    Raises ``ServerDidNotStart`` when it is not installed or does not come up.
    """
    require_program("java")
    if not (built() / "bin" / "kc.sh").exists() or not seed().is_dir():
        raise ServerDidNotStart("Keycloak is not installed: run `python -m tests.servers.install keycloak`")
    server = KeycloakServer(port=port, home=home)
    distribution = server.home / "keycloak"
    if not distribution.exists():
        copy_distribution(built(), distribution)
        shutil.copytree(seed(), distribution / "data" / "h2")
    server.run(distribution)
    return server


@contextmanager
def shared() -> Iterator[str]:
    """The server URL of one Keycloak: the one that a whole run of tests shares, else one started for this while."""
    address = os.environ.get(SHARED_VARIABLE, "")
    if address:
        yield address
        return
    with start() as server:
        yield server.server_url


def built() -> Path:
    """The distribution that was built once."""
    return KEYCLOAK_FOLDER / "built"


def seed() -> Path:
    """The database that holds the realm of the realm file."""
    return KEYCLOAK_FOLDER / f"seed-{uuid.uuid5(uuid.NAMESPACE_OID, REALM_FILE.read_text()).hex[:12]}"


def copy_distribution(source: Path, target: Path) -> None:
    """A copy without data; programs are linked where the file system allows it."""

    def link(old: str, new: str) -> str:
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)
        return new

    shutil.copytree(source, target, copy_function=link, ignore=shutil.ignore_patterns("data"))


def new_realm(server_url: str, **changes: object) -> Realm:
    """Another realm as the realm file says, with other members at its top. Whoever takes one need not remove it."""
    name = f"archway-{uuid.uuid4().hex[:12]}"
    document = {**json.loads(REALM_FILE.read_text()), **changes, "realm": name}
    administer(server_url, "POST", "", document)
    return Realm(server_url=server_url, name=name)


def administer(server_url: str, method: str, path: str, body: object = None) -> Any:
    """A call with every right below ``/admin/realms``: the answer's JSON, or its ``Location``, or ``None``.

    Raises ``urllib.error.HTTPError`` for any status from 400 up.
    """
    request = urllib.request.Request(f"{server_url}/admin/realms{path}", method=method)
    request.add_header("Authorization", f"Bearer {_master_token(server_url)}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
        return json.loads(text) if text else answer.headers.get("Location")


def _master_token(server_url: str) -> str:
    form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": ADMIN}
    url = f"{server_url}/realms/master/protocol/openid-connect/token"
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=60) as answer:
        return str(json.loads(answer.read())["access_token"])


def _children_of(pid: int) -> list[int]:
    if not pid:
        return []
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _await_end(pid: int) -> None:
    """H2 is of one process: whoever copies or opens the database next must find it closed."""
    deadline = time.monotonic() + JAVA_STOP_SECONDS
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)
