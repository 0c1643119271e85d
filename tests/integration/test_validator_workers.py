"""The validator's processes: killed, stopped, orphaned, and unable to start."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bench.process_facts import tree
from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.test_validator_process import ROOT, Validator, database, eventually

__all__ = ["database"]  # a fixture

SUPERVISOR = [sys.executable, "-m", "keymanager.validation.supervisor", "--port"]


@pytest.fixture
def validator(database: Path) -> Iterator[Validator]:
    with RfcServer(quirks=Quirks(token_format="jwt")) as idp:
        made = Validator(database, idp, "jwt", workers=2)
        try:
            yield made
        finally:
            made.stop()


def workers_of(validator: Validator) -> list[int]:
    return tree(validator.process.pid)[1:]


def is_allowed(validator: Validator, token: str) -> bool:
    """By a new connection, which any worker may get."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{validator.process.port}/check?/museum/1.0.0/hours"
    try:
        return httpx2.get(url, headers=headers, timeout=5, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Whoever inherits an orphan may take its time to bury it.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_worker_that_dies_is_replaced_and_its_successor_refuses_nobody_for_its_own_ignorance(
    validator: Validator,
) -> None:
    token = validator.idp.make_token("client-1", scope="read")
    eventually(lambda: all(is_allowed(validator, token) for _ in range(20)), 20.0)
    victim, survivor = workers_of(validator)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: ended(victim), 5.0)
    statuses = set()

    def replaced() -> bool:
        statuses.add(is_allowed(validator, token))
        now = workers_of(validator)
        return len(now) == 2 and victim not in now and survivor in now

    eventually(replaced, 10.0)
    until = time.monotonic() + 4
    while time.monotonic() < until:
        statuses.add(is_allowed(validator, token))
    assert statuses == {True}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_processes_within_seconds_even_while_a_key_manager_is_waited_for(
    database: Path, number: signal.Signals
) -> None:
    with RfcServer() as idp:
        validator = Validator(database, idp, "introspection", workers=2)
        pids = tree(validator.process.pid)
        idp.fault("introspect", Fault.hang(20))
        token = idp.make_token("client-1", scope="read")
        question = f"GET /check?/museum/1.0.0/hours HTTP/1.1\r\nhost: v\r\nauthorization: Bearer {token}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", validator.process.port), timeout=10) as busy:
            busy.sendall(question.encode())
            eventually(lambda: len(idp.requests_of("introspect")) > 0)
            began = time.monotonic()
            validator.process.stop(how=number)
            assert time.monotonic() - began < 4
        eventually(lambda: all(ended(pid) for pid in pids), 1.0)
        validator.http.close()


def test_workers_do_not_outlive_a_supervisor_that_is_killed(validator: Validator) -> None:
    pids = workers_of(validator)
    validator.process.stop(how=signal.SIGKILL)
    eventually(lambda: all(ended(pid) for pid in pids), 8.0)


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [*SUPERVISOR, str(port)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_cannot_run_at_all_ends_the_command(tmp_path: Path) -> None:
    environment = {**os.environ, "ARCHWAY_HOME": str(tmp_path), "ARCHWAY_VALIDATION_STEPS": "no.such.Step"}
    done = subprocess.run(
        [*SUPERVISOR, "0"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "no.such.Step" in done.stderr
