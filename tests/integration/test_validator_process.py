"""The validator as it runs: its processes, a database file that other processes write, a key manager on a socket."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.servers.process import ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]


class Validator:
    """A running validator over a portal of its own, whose home is the folder of ``database``."""

    def __init__(
        self, database: Path, idp: RfcServer, mode: str, *, workers: int = 1, local: Path | None = None
    ) -> None:
        self.idp = idp
        self.database = database
        home = database.parent
        self.environment = {
            **os.environ,
            "ARCHWAY_HOME": str(home),
            "ARCHWAY_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ARCHWAY_DATABASE_URL": f"sqlite:///{self.database}",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PYTHONPATH": str(ROOT),
        }
        self.act("seed", idp.issuer, mode, idp.gateway_client_id, idp.gateway_client_secret)
        self.process = ServerProcess("validator", home=home)
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.process.port}", timeout=10)
        self.process.start(
            [
                sys.executable,
                ROOT / "manage.py",
                "run_validator",
                "--port",
                str(self.process.port),
                "--workers",
                str(workers),
                "--socket",
                local or "",
            ],
            ready=self.is_ready,
            seconds=60.0,
            environment=self.environment,
        )

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def act(self, *arguments: str) -> str:
        return self.run("-m", "tests.integration.validator_actions", *arguments)

    def failed_steps(self, reference: str) -> list[str]:
        """Names of the steps that failed in the stored verdict."""
        with closing(sqlite3.connect(self.database)) as database:
            query = "SELECT steps FROM keymanager_refusedcall WHERE reference = ?"
            row = database.execute(query, (reference,)).fetchone()
        return [step["name"] for step in json.loads(row[0]) if step["outcome"] == "failed"] if row else []

    def is_ready(self) -> bool:
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx2.HTTPError:
            return False

    def ask(self, token: str = "", *, method: str = "GET", path: str = "/museum/1.0.0/hours") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.request(method, f"/check{path}", headers=headers)

    def stop(self) -> None:
        self.http.close()
        self.process.stop()


def eventually(check: Callable[[], bool], seconds: float = 5.0) -> float:
    """Seconds until ``check`` was true; fails when it never is."""
    began = time.monotonic()
    while not check():
        assert time.monotonic() - began < seconds
        time.sleep(0.005)
    return time.monotonic() - began


@pytest.fixture
def database(new_portal_database: Path, tmp_path: Path) -> Path:
    return shutil.copyfile(new_portal_database, tmp_path / "portal.sqlite3")


@pytest.fixture
def validator(database: Path) -> Iterator[Validator]:
    with RfcServer(quirks=Quirks(token_format="jwt")) as idp:
        made = Validator(database, idp, "jwt")
        try:
            yield made
        finally:
            made.stop()


def test_a_call_is_followed_from_the_first_allow_to_the_deleted_client(validator: Validator) -> None:
    token = validator.idp.make_token("client-1", scope="read")
    allowed = validator.ask(token)
    assert (allowed.status_code, allowed.headers["x-archway-environment"]) == (200, "production")
    assert validator.ask(token, method="POST", path="/museum/1.0.0/tickets").status_code == 403
    assert validator.ask(path="/museum/1.0.0/open").status_code == 200
    assert validator.ask().headers["www-authenticate"] == 'Bearer realm="archway"'
    assert validator.ask("no-such-token").status_code == 401
    assert validator.ask(validator.idp.make_token("client-1", seconds=-5)).status_code == 401

    validator.act("block")
    eventually(lambda: validator.ask(token).status_code == 403, 2.0)
    refused = validator.ask(token)
    reference = refused.json()["reference"]
    assert (refused.json()["code"], refused.headers["x-archway-reference"]) == ("subscription_blocked", reference)
    eventually(lambda: validator.failed_steps(reference) == ["subscription"])
    assert validator.http.get("/statz").json()["refusals_stored"] >= 1

    validator.act("remove")
    eventually(lambda: validator.ask(token).status_code == 401, 2.0)


def test_a_key_manager_that_is_away_is_503_on_the_gateways_wire(database: Path) -> None:
    with RfcServer() as idp:
        validator = Validator(database, idp, "introspection")
        try:
            warm = idp.make_token("client-1", scope="read")
            assert validator.ask(warm).status_code == 200
            cold = idp.make_token("client-1", scope="read")
            idp.fault("introspect", Fault.refused(503, times=3))
            answer = validator.ask(cold)
            assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (
                463, 503, "key_manager_unavailable",
            )  # fmt: skip
            assert int(answer.headers["retry-after"]) >= 1
            assert validator.ask(warm).status_code == 200
            idp.clear_faults()
            # It is left alone for a moment after it did not answer.
            deadline = time.monotonic() + 10
            while validator.ask(cold).status_code != 200:
                assert time.monotonic() < deadline
        finally:
            validator.stop()


def test_the_same_answers_come_from_a_unix_socket_that_a_killed_validator_left_behind(database: Path) -> None:
    local = database.parent / "validator.sock"
    with RfcServer(quirks=Quirks(token_format="jwt")) as idp:
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(local))
        validator = Validator(database, idp, "jwt", local=local)
        try:
            assert (local.stat().st_mode & 0o777) == 0o660
            token = idp.make_token("client-1", scope="read")
            with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(local)), base_url="http://validator") as http:
                headers = {"Authorization": f"Bearer {token}"}
                assert http.get("/check?/museum/1.0.0/hours", headers=headers).status_code == 200
                assert http.get("/check?/museum/1.0.0/hours").status_code == 401
            again = subprocess.run(
                [sys.executable, ROOT / "manage.py", "run_validator", "--port", str(free_port()), "--socket", local],
                cwd=ROOT, env=validator.environment, capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert again.returncode == 1
            assert f"cannot listen on {local}" in again.stderr
        finally:
            validator.stop()
        assert not local.exists()
