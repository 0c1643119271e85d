"""Each process is taken away in turn: what still works, what is refused, what is made up for later."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.runner.calls import until
from portal.runner.processes import Child, await_child
from tests.e2e.installed import TOKEN_CACHE_SECONDS, Client, Installation
from tests.fakes.gateway_peers import Peer, echo
from tests.fakes.rfc_server import RfcServer

# A busy machine takes its time to start so many processes.
pytestmark = pytest.mark.timeout(300)

PATH = "/outages/1.0.0/things"


@pytest.fixture(scope="module")
def api(installation: Installation) -> Iterator[str]:
    with Peer(echo) as backend:
        here = f"http://127.0.0.1:{backend.port}"
        yield installation.publish("/outages", endpoints={"production": here, "sandbox": here})


@pytest.fixture(scope="module")
def client(installation: Installation, api: str) -> Client:
    made = installation.create_client("outages")
    installation.subscribe(made, api)
    return made


def test_without_the_worker_tokens_are_issued_and_registrations_wait_and_without_web_they_are_completed(
    installation: Installation, client: Client
) -> None:
    installation.stop_process("worker")
    asked = installation.request_client("asked without a worker")
    credential = str(asked["credentials"][0]["id"])
    assert installation.ask_token(client).status_code == 200
    assert installation.state_of(credential) == "requested"

    installation.stop_process("web")
    installation.start_process("worker")
    until(lambda: (registration_state(installation, credential) == "active", "it is not active"), 25)

    installation.start_process("web")
    assert installation.state_of(credential) == "active"


def test_a_broken_queue_delays_registrations_and_never_loses_them(installation: Installation) -> None:
    queue = installation.layout.home / "queue"
    kept = queue.with_name("queue-kept")
    queue.rename(kept)
    queue.write_text("not a folder")
    credential = str(installation.request_client("asked without a queue")["credentials"][0]["id"])
    assert installation.state_of(credential) == "requested"
    worker = installation.child("worker")
    until(lambda: ("NotADirectoryError" in worker.log_since_start(), "the worker did not notice"), 15)

    queue.unlink()
    kept.rename(queue)

    installation.await_active(credential)
    assert worker.exit_code() is None


def test_without_the_validator_every_call_is_503_and_after_a_restart_it_remembers_what_was_revoked(
    installation: Installation, client: Client
) -> None:
    good, revoked = installation.token(client), installation.token(client)
    installation.await_status(200, PATH, revoked)
    installation.revoke(client, revoked)
    installation.await_status(401, PATH, revoked)

    installation.kill_process("validator")
    for token in (good, revoked, ""):
        assert installation.call(PATH, token).status_code == 503
    assert installation.call("/outages/1.0.0/open").status_code == 503

    installation.start_process("validator")
    installation.await_status(200, PATH, good)
    assert installation.call(PATH, revoked).status_code == 401


def test_an_envoy_that_is_killed_is_started_again(installation: Installation, client: Client) -> None:
    token = installation.token(client)
    installation.await_status(200, PATH, token)
    (envoy,) = processes_started_by(installation.child("gateway"))

    os.kill(envoy, signal.SIGKILL)

    until(lambda: (processes_started_by(installation.child("gateway")) not in ([], [envoy]), "no new Envoy"), 15)
    await_child(installation.child("gateway"))
    installation.await_status(200, PATH, token)


def test_without_the_key_manager_known_tokens_work_for_a_bounded_time_and_unknown_ones_are_503(
    installation: Installation, api: str
) -> None:
    with RfcServer(scopes=("books:read", "books:order")) as key_manager:
        config = {
            "issuer": key_manager.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": key_manager.initial_access_token,
            "introspection_client_id": key_manager.gateway_client_id,
            "introspection_client_secret": key_manager.gateway_client_secret,
        }
        row = {"slug": "mortal", "name": "Mortal", "adapter": "rfc", "config": config}
        installation.admin.post("/key-managers/", row, 201)
        client = installation.create_client("of a mortal key manager", key_manager="mortal")
        installation.subscribe(client, api)
        unknown, known = installation.token(client), installation.token(client)
        asked = time.monotonic()
        installation.await_status(200, PATH, known)

    assert installation.call(PATH, known).status_code == 200
    refused = installation.call(PATH, unknown)
    assert (refused.status_code, refused.json()["code"]) == (503, "key_manager_unavailable")
    assert int(refused.headers["retry-after"]) >= 1

    aged = installation.await_status(503, PATH, known, seconds=TOKEN_CACHE_SECONDS + 5)
    assert aged.json()["code"] == "key_manager_unavailable"
    assert time.monotonic() - asked < TOKEN_CACHE_SECONDS + 5


def registration_state(installation: Installation, credential: str) -> str:
    """As the database file has it."""
    query = "SELECT state FROM keymanager_registration WHERE credential_id = ?"
    ((state,),) = installation.rows(query, credential.replace("-", ""))
    return str(state)


def processes_started_by(child: Child) -> list[int]:
    """Ids of the processes that the child's main thread started and that still run."""
    assert child.process is not None
    listed = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]
