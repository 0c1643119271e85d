"""Runs the whole suite on the real servers: ``python -m tests.run_all``.

First what needs real identity providers or a browser, on SQLite: tests that share a slow server are in one process
(``tests/conftest.py``), and all processes share one Keycloak. Then everything that touches the database again, on a
real PostgreSQL and Redis. A skipped test makes the run fail: nothing is left out unseen.
"""

import os
import re
import subprocess
import sys

from tests.servers import keycloak
from tests.servers.postgres import start as start_postgres
from tests.servers.redis import start as start_redis

ON_SERVERS = ["-m", "(servers or browser) and not postgresql", "--dist", "loadscope", "-n", "2"]
ON_POSTGRESQL = ["-m", "postgresql or not (browser or servers)", "--dist", "loadscope", "-n", "2", "--create-db"]
POSTGRESQL_FOLDERS = ["tests/integration", "tests/jobs"]


def run(name: str, arguments: list[str], environment: dict[str, str]) -> bool:
    """One pytest run; True when it passed and skipped nothing."""
    print(f"=== {name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    skipped = [line for line in lines if re.search(r"\b\d+ skipped\b", line)]
    if skipped:
        print(f"{name}: tests were skipped, which is not allowed here")
    return process.wait() == 0 and not skipped


def main() -> int:
    """0 when every run passed."""
    # One Keycloak for all workers: each test class takes a realm of its own.
    with keycloak.start() as shared:
        good = run("real identity providers", ON_SERVERS, {keycloak.SHARED_VARIABLE: shared.server_url})
    with start_postgres() as postgres, start_redis() as redis:
        environment = {"ARCHWAY_DATABASE_URL": postgres.database_url, "ARCHWAY_REDIS_URL": redis.url}
        good = run("PostgreSQL and Redis", [*POSTGRESQL_FOLDERS, *ON_POSTGRESQL], environment) and good
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
