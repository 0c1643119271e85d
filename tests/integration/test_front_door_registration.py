"""``/register`` (RFC 7591, RFC 7592) over HTTP, with a worker that registers at a fake identity provider."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Role
from keymanager.front_door.waiting import MOST_WAITING
from keymanager.models import Credential, FrontDoorClient, KeyManager
from subscriptions.models import Application, AuditEvent
from tests.fakes.faults import Fault
from tests.fakes.rfc_server import RfcServer
from tests.integration.front_door_kit import CALLBACK, Person, Portal, fake, make_person, worker

pytestmark = pytest.mark.django_db(transaction=True)
MACHINE = {"client_name": "Tickets", "grant_types": ["client_credentials"], "scope": "read"}
WEB = {"client_name": "Tickets", "redirect_uris": [CALLBACK], "scope": "read"}


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture
def idp() -> Iterator[tuple[RfcServer, KeyManager]]:
    with fake() as running:
        yield running


def register(portal: Portal, person: Person, document: Any, **headers: str) -> httpx2.Response:
    return portal.http.post("/register", json=document, headers={**person.headers, **headers})


def registered(portal: Portal, person: Person, document: Any, **headers: str) -> dict[str, Any]:
    with worker():
        answer = register(portal, person, document, **headers)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def manage(portal: Portal, client: dict[str, Any], method: str, document: Any = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {client['registration_access_token']}"}
    return portal.http.request(method, client["registration_client_uri"], json=document, headers=headers)


def test_a_program_registers_a_client_and_gets_a_token_with_it(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    client = registered(portal, person, MACHINE)

    answer = portal.http.post(
        "/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"])
    )

    assert answer.status_code == 200, answer.text
    assert list(idp[0].clients) == [client["client_id"]]
    assert client["client_secret_expires_at"] == 0
    assert client["client_id_issued_at"] > 0
    assert client["registration_client_uri"] == f"{portal.url}/register/{client['client_id']}"
    assert (client["client_name"], client["scope"], client["grant_types"]) == (
        "Tickets",
        "read",
        ["client_credentials"],
    )
    assert Application.objects.get().team_id == person.actor.team_id


def test_the_registration_access_token_is_ours_and_only_its_hash_is_stored(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    client = registered(portal, person, MACHINE)

    value = client["registration_access_token"]

    assert value not in {known.registration_access_token for known in idp[0].clients.values()}
    assert value not in str(FrontDoorClient.objects.values())


def test_without_a_worker_a_registration_is_503_and_a_repeat_goes_on_with_it(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager], settings: Settings
) -> None:
    settings.ARCHWAY_REGISTER_WAIT_SECONDS = 0
    early = register(portal, person, MACHINE)
    settings.ARCHWAY_REGISTER_WAIT_SECONDS = 10

    client = registered(portal, person, MACHINE)

    assert (early.status_code, early.json()["error"]) == (503, "temporarily_unavailable")
    assert int(early.headers["retry-after"]) > 0
    assert list(idp[0].clients) == [client["client_id"]]
    assert Application.objects.count() == 1


def test_waiting_registrations_leave_threads_for_everybody_else(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager], settings: Settings
) -> None:
    settings.ARCHWAY_REGISTER_WAIT_SECONDS = 3
    seconds: list[float] = []

    def ask(number: int) -> None:
        started = time.monotonic()
        assert register(portal, person, {**MACHINE, "client_name": f"app {number}"}).status_code == 503
        seconds.append(time.monotonic() - started)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(MOST_WAITING + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(1 for waited in seconds if waited < 3) == 2


def test_key_manager_and_environment_can_be_chosen(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    with fake(slug="other") as (other, _):
        client = registered(portal, person, {**MACHINE, "key_manager": "other", "environment": "sandbox"})

        assert (client["key_manager"], client["environment"]) == ("other", "sandbox")
        assert list(other.clients) == [client["client_id"]]
        assert not idp[0].clients


@pytest.mark.parametrize("size", [300_000, 3_000_000])
def test_a_body_that_is_too_large_is_refused_as_json(portal: Portal, person: Person, size: int) -> None:
    answer = register(portal, person, {**MACHINE, "padding": "x" * size})

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")


@pytest.mark.parametrize(
    ("document", "headers"),
    [(MACHINE, {"Idempotency-Key": "k-1"}), ({**MACHINE, "software_id": "tickets.example"}, {})],
)
def test_a_repeat_gives_the_same_client(
    portal: Portal,
    person: Person,
    idp: tuple[RfcServer, KeyManager],
    document: dict[str, Any],
    headers: dict[str, str],
) -> None:
    first = registered(portal, person, document, **headers)

    again = registered(portal, person, document, **headers)

    assert (again["client_id"], again["client_secret"]) == (first["client_id"], first["client_secret"])
    assert len(idp[0].clients) == 1
    assert manage(portal, again, "GET").status_code == 200
    assert manage(portal, first, "GET").status_code == 401


def test_programs_may_register_many_clients_of_one_name_and_keep_what_they_call_theirs(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    first = registered(portal, person, MACHINE)
    second = registered(portal, person, MACHINE)
    with worker():
        answer = manage(portal, second, "PUT", {**MACHINE, "client_id": second["client_id"]})

    assert second["client_id"] != first["client_id"]
    assert first["client_name"] == "Tickets"
    assert second["client_name"].startswith("Tickets ")
    assert (answer.status_code, answer.json()["client_name"]) == (200, second["client_name"])


def test_an_idempotency_key_with_other_metadata_is_refused(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    registered(portal, person, MACHINE, **{"Idempotency-Key": "k-1"})

    answer = register(portal, person, {**MACHINE, "client_name": "Other"}, **{"Idempotency-Key": "k-1"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "Idempotency-Key" in answer.json()["error_description"]


def test_the_same_software_of_two_teams_is_two_clients(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    document = {**MACHINE, "software_id": "tickets.example"}

    mine = registered(portal, person, document)
    theirs = registered(portal, make_person("grace"), document)

    assert mine["client_id"] != theirs["client_id"]


def test_requests_at_the_same_time_make_one_client(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    document = {**MACHINE, "software_id": "tickets.example"}
    answers: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(register(portal, person, document))) for _ in range(4)]

    with worker():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["client_id"] for answer in answers}) == 1
    assert len(idp[0].clients) == 1


@pytest.mark.parametrize(
    ("document", "error", "member"),
    [
        ({"client_name": "Tickets"}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["no uri"]}, "invalid_redirect_uri", "redirect_uris"),
        ({**MACHINE, "grant_types": ["implicit"]}, "invalid_client_metadata", "grant_types"),
        ({**MACHINE, "key_manager": "nowhere"}, "invalid_client_metadata", "key_manager"),
        ({**MACHINE, "environment": "moon"}, "invalid_client_metadata", "environment"),
        ([], "invalid_client_metadata", ""),
    ],
)
def test_refused_metadata_names_the_member_and_leaves_nothing(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager], document: Any, error: str, member: str
) -> None:
    answer = register(portal, person, document)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert member in answer.json()["error_description"]
    assert not Application.objects.exists()


def test_a_refusal_of_the_key_manager_is_said_and_leaves_nothing(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    idp[0].fault("register", Fault.refused(400, error="invalid_client_metadata"))
    with worker():
        refused = register(portal, person, MACHINE)

    again = registered(portal, person, MACHINE)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_metadata")
    assert list(idp[0].clients) == [again["client_id"]]


def test_registering_needs_an_api_token_of_an_app_developer(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    nobody = portal.http.post("/register", json=MACHINE)
    unknown = portal.http.post("/register", json=MACHINE, headers={"Authorization": "Bearer awt_made_up"})
    other = register(portal, make_person("grace", Role.API_DEVELOPER), MACHINE)

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="archway"')
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_token")
    assert (other.status_code, other.json()["error"]) == (403, "insufficient_scope")


def test_a_client_is_read_with_its_registration_access_token_only(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    client = registered(portal, person, {**WEB, "client_uri": "https://tickets.example"})
    other = registered(portal, person, {**WEB, "client_name": "Other"})

    answer = manage(portal, client, "GET")
    foreign = manage(portal, {**client, "registration_access_token": other["registration_access_token"]}, "GET")
    with_api_token = portal.http.get(client["registration_client_uri"], headers=person.headers)

    assert answer.status_code == 200
    assert answer.json() == client
    assert answer.json()["client_uri"] == "https://tickets.example"
    assert (foreign.status_code, with_api_token.status_code) == (401, 401)


def test_an_update_replaces_the_metadata_at_the_key_manager(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    client = registered(portal, person, {**WEB, "client_uri": "https://tickets.example"})
    wanted = {
        "client_id": client["client_id"],
        "client_name": "Better tickets",
        "redirect_uris": [f"{CALLBACK}/2"],
        "scope": "read museum:read",
    }

    with worker():
        answer = manage(portal, client, "PUT", wanted)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["client_name"], answer.json()["scope"]) == ("Better tickets", "museum:read read")
    assert "client_uri" not in answer.json()
    assert answer.json()["registration_access_token"] == client["registration_access_token"]
    at_the_idp = idp[0].clients[client["client_id"]].metadata
    assert at_the_idp["redirect_uris"] == [f"{CALLBACK}/2"]
    assert "Better tickets" in at_the_idp["client_name"]


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"client_id": "another"}, "client_id"),
        ({"registration_access_token": "x"}, "registration_access_token"),
        ({"client_id_issued_at": 1}, "client_id_issued_at"),
        ({"client_secret": "of my own choice"}, "client_secret"),
        ({"key_manager": "nowhere"}, "key_manager"),
        ({"environment": "sandbox"}, "environment"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"redirect_uris": []}, "redirect_uris"),
    ],
)
def test_an_update_that_cannot_be_names_the_member(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager], change: dict[str, Any], member: str
) -> None:
    client = registered(portal, person, WEB)

    answer = manage(portal, client, "PUT", {**WEB, "client_id": client["client_id"], **change})

    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert member in answer.json()["error_description"]


def test_a_deleted_client_gets_no_token_at_once_and_is_removed_by_the_worker(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]
) -> None:
    client = registered(portal, person, MACHINE)

    deleted = manage(portal, client, "DELETE")
    token = portal.http.post(
        "/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"])
    )
    read = manage(portal, client, "GET")
    again = registered(portal, person, MACHINE)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (token.status_code, token.json()["error"]) == (401, "invalid_client")
    assert (read.status_code, read.json()["error"]) == (401, "invalid_token")
    assert again["client_id"] != client["client_id"]


def test_a_secret_that_is_not_kept_is_in_the_201_only(portal: Portal, person: Person) -> None:
    with fake() as (_, key_manager):
        KeyManager.objects.filter(pk=key_manager.pk).update(keep_secrets=False)
        client = registered(portal, person, MACHINE)
        read = manage(portal, client, "GET")

    assert client["client_secret"]
    assert "client_secret" not in read.json()
    assert not Credential.objects.get().sealed_secret


def test_no_secret_is_in_the_audit_log(portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager]) -> None:
    client = registered(portal, person, MACHINE)

    told = str(list(AuditEvent.objects.values()))

    assert client["client_secret"] not in told
    assert client["registration_access_token"] not in told
