"""Downloads, builds and seeds a Keycloak once, so that a start takes seconds; see ``tests/servers/keycloak.py``."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.keycloak import ENVIRONMENT, REALM_FILE, KeycloakServer, built, copy_distribution, seed
from tests.servers.layout import INSTALLED, KEYCLOAK_FOLDER, KEYCLOAK_VERSION, CannotInstall
from tests.servers.maven import Artifact, fetch
from tests.servers.process import ServerDidNotStart

KEYCLOAK = Artifact(
    group="org.keycloak",
    name="keycloak-quarkus-dist",
    version=KEYCLOAK_VERSION,
    sha256="27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f",
    packaging="zip",
)
BUILD_OPTIONS = ("--db=dev-file", "--health-enabled=true", "--features=client-secret-rotation")


def install() -> None:
    """Makes what ``keycloak.start`` copies. Raises ``CannotInstall``."""
    with _alone():
        if not built().is_dir():
            _build(fetch(KEYCLOAK))
        if not seed().is_dir():
            _seed()


@contextmanager
def _alone() -> Iterator[None]:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "keycloak.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(archive: Path) -> None:
    KEYCLOAK_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEYCLOAK_FOLDER) as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        unpacked = Path(folder) / f"keycloak-{KEYCLOAK_VERSION}"
        program = unpacked / "bin" / "kc.sh"
        program.chmod(0o755)
        done = subprocess.run(
            [program, "build", *BUILD_OPTIONS],
            env={**os.environ, **ENVIRONMENT},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CannotInstall(f"`kc.sh build` failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        unpacked.rename(built())


def _seed() -> None:
    """Starts it once on an empty database with the realm file, and keeps the database."""
    with tempfile.TemporaryDirectory(dir=KEYCLOAK_FOLDER) as folder:
        distribution = Path(folder) / "keycloak"
        copy_distribution(built(), distribution)
        imported = distribution / "data" / "import"
        imported.mkdir(parents=True)
        shutil.copyfile(REALM_FILE, imported / "archway-realm.json")
        server = KeycloakServer(home=Path(folder))
        try:
            server.run(distribution, "--import-realm")
        except ServerDidNotStart as exc:
            raise CannotInstall(str(exc)) from exc
        server.stop()
        (distribution / "data" / "h2").rename(seed())
