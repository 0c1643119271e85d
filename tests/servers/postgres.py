"""A throwaway PostgreSQL cluster: made by initdb in a temporary folder, not durable, loopback only, no passwords."""

import getpass
import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.servers.process import ServerDidNotStart, ServerProcess, require_program

DEBIAN_CLUSTER_ROOT = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"


class PostgresServer(ServerProcess):
    """A running cluster. ``database_url`` names its database ``archway``; other databases by ``url_of``."""

    def __init__(self, *, port: int, home: Path | None) -> None:
        super().__init__("postgres", port=port, home=home)

    @property
    def database_url(self) -> str:
        """URL of the database ``archway``, as ``ARCHWAY_DATABASE_URL`` takes it."""
        return self.url_of("archway")

    def url_of(self, database: str) -> str:
        """URL of any database of this cluster (it need not exist)."""
        return f"postgres://{ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the cluster at once, open connections included (SIGINT is PostgreSQL's fast shutdown)."""
        super().stop(how=how)


def programs() -> Path:
    """Folder of the newest installed initdb, postgres and pg_isready. Raises ``ServerDidNotStart``."""
    versions = [path for path in DEBIAN_CLUSTER_ROOT.glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    return require_program("initdb").resolve().parent


def start(*, port: int = 0, home: Path | None = None) -> PostgresServer:
    """Makes and starts a cluster on ``port`` (0: a free one) and returns when it answers queries.

    PostgreSQL refuses to run as root: as root it runs as the account ``postgres`` that its package makes.
    """
    folder = programs()
    user = ACCOUNT if os.geteuid() == 0 else None
    server = PostgresServer(port=port, home=home)
    if user is not None:
        shutil.chown(server.home, user, user)
    try:
        _run(server, [folder / "initdb", "-D", server.home / "data", "-U", ACCOUNT, *_INITDB_OPTIONS], user)
    except BaseException:
        server.stop()
        raise
    command: list[str | Path] = [
        folder / "postgres",
        *("-D", server.home / "data", "-p", str(server.port), "-h", "127.0.0.1", "-k", server.home),
        *_settings(fsync="off", synchronous_commit="off", full_page_writes="off", max_connections="100"),
    ]
    probe = [str(folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(server.port), "-U", ACCOUNT]
    server.start(command, ready=lambda: subprocess.run(probe, check=False).returncode == 0, user=user)
    try:
        _run(server, [folder / "createdb", "-h", "127.0.0.1", "-p", str(server.port), "-U", ACCOUNT, "archway"], user)
    except BaseException:
        server.stop()
        raise
    return server


_INITDB_OPTIONS = ("-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8")


def _settings(**values: str) -> list[str]:
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def _run(server: PostgresServer, command: list[str | Path], user: str | None) -> None:
    with server.log.open("ab") as log:
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdout=log,
            stderr=log,
            cwd=server.home,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    if done.returncode:
        who = user or getpass.getuser()
        raise ServerDidNotStart(f"{command[0]} failed as {who} ({done.returncode}).\n{server.log_tail()}")
