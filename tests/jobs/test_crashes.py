"""The worker dies between each two steps; afterwards nothing is lost, doubled, or left behind unsaid."""

from collections.abc import Callable

import pytest
from django.db import connection

from accounts.actor import Actor
from common.errors import RuleError
from keymanager import jobs
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.models import Credential, KeyManager, RegistrationAttempt
from keymanager.registrations.engine import CHECKPOINTS
from keymanager.resident.models import Client
from keymanager.services import credentials, key_managers
from keymanager.services.adapters import adapter_for
from keymanager.services.tokens import application_token
from subscriptions.services import applications
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Crash, Worker, application, choose, registration_of, rfc_key_manager, wish

pytestmark = pytest.mark.django_db(transaction=True)

# Steps after which the answer of a call is lost with the worker.
LOSES_THE_ANSWER = ("claimed", "answered", "kept", "committing")


def dies_at(name: str) -> Callable[[str], None]:
    def checkpoint(reached: str) -> None:
        if reached == name:
            raise Crash

    return checkpoint


def crash(worker: Worker, credential: Credential, name: str) -> None:
    with pytest.raises(Crash):
        worker.process(registration_of(credential).pk, dies_at(name))


@pytest.fixture
def resident(db: None) -> KeyManager:
    return key_managers.ensure_resident()


@pytest.fixture
def fake(admin: Actor, server: RfcServer) -> KeyManager:
    return rfc_key_manager(server, admin=admin)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_creation_that_can_be_searched_ends_as_one_client(
    developer: Actor, resident: KeyManager, worker: Worker, name: str
) -> None:
    row = wish(developer, application(developer), resident)
    crash(worker, row, name)
    worker.settle()
    row.refresh_from_db()
    client = Client.objects.get()
    assert registration_of(row).state == "active"
    assert row.client_id == client.client_id
    assert client.marker == str(row.pk)
    assert credentials.reveal_secret(actor=developer, credential=row).client_secret
    assert token_works(row)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_creation_that_cannot_be_searched_is_active_or_says_that_a_client_may_be_left(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker, name: str
) -> None:
    row = wish(developer, application(developer), fake)
    crash(worker, row, name)
    worker.settle()
    row.refresh_from_db()
    registration = registration_of(row)
    assert len(server.clients) <= 1
    if name in LOSES_THE_ANSWER:
        assert (registration.state, registration.last_error_code) == ("refused", "outcome_unknown")
        assert row.client_id == ""
        assert RegistrationAttempt.objects.get(registration=registration).outcome == "lost"
    else:
        assert registration.state == "active"
        assert list(server.clients) == [row.client_id]


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_an_update_is_carried_out_in_the_end(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker, name: str
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    choose(developer, row, "write")
    crash(worker, row, name)
    worker.settle()
    (client,) = server.clients.values()
    assert client.metadata["scope"] == "write"
    assert registration_of(row).state == "active"
    assert token_works(row)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_rotation_ends_with_a_secret_that_works(
    developer: Actor, resident: KeyManager, worker: Worker, name: str
) -> None:
    row = wish(developer, application(developer), resident)
    worker.settle()
    row.refresh_from_db()
    first = credentials.reveal_secret(actor=developer, credential=row).client_secret
    credentials.rotate_secret(actor=developer, credential=row)
    crash(worker, row, name)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert credentials.reveal_secret(actor=developer, credential=row).client_secret != first
    assert token_works(row)


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.parametrize("place", ["fake", "resident"])
def test_a_removal_is_carried_out_in_the_end(
    request: pytest.FixtureRequest, developer: Actor, server: RfcServer, worker: Worker, name: str, place: str
) -> None:
    row = wish(developer, application(developer), request.getfixturevalue(place))
    worker.settle()
    credentials.remove_credential(actor=developer, credential=row)
    crash(worker, row, name)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "removed"
    assert row.removed_at is not None
    assert not server.clients
    assert not Client.objects.exists()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_removal_after_a_lost_creation_leaves_nothing_behind(
    developer: Actor, resident: KeyManager, worker: Worker, name: str
) -> None:
    row = wish(developer, application(developer), resident)
    crash(worker, row, name)
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert not Client.objects.exists()


def test_a_removal_after_a_lost_creation_that_cannot_be_searched_says_so_until_a_person_confirms(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    crash(worker, row, "answered")
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    refused = registration_of(row)
    assert (refused.state, refused.last_error_code) == ("refused", "outcome_unknown")
    assert len(server.clients) == 1
    credentials.retry(actor=developer, registration=refused)
    worker.settle()
    assert registration_of(row).state == "removed"


def test_a_job_that_was_thought_dead_still_delivers_its_answer(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)

    def lease_ends(name: str) -> None:
        if name == "answered":
            late = Worker()
            late.sweep_at(100)
            assert registration_of(row).state == "refused"

    worker.process(registration_of(row).pk, lease_ends)
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert list(server.clients) == [row.client_id]


def test_an_answer_that_comes_after_another_job_took_over_is_on_record_with_the_client_left_behind(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)

    def somebody_starts_over(name: str) -> None:
        if name == "answered" and len(server.clients) == 1:
            late = Worker()
            late.sweep_at(100)
            credentials.retry(actor=developer, registration=registration_of(row))
            late.sweep_at(100)

    worker.process(registration_of(row).pk, somebody_starts_over)
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    (left,) = set(server.clients) - {row.client_id}
    attempt = RegistrationAttempt.objects.get(registration__credential=row, outcome="superseded")
    assert left in attempt.error


def test_two_jobs_of_one_registration_make_one_call(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.process(
        registration_of(row).pk, lambda name: worker.process(registration_of(row).pk) if name == "claimed" else None
    )
    assert len(server.requests_of("register")) == 1
    assert registration_of(row).state == "active"


def test_a_job_that_read_before_another_claimed_does_nothing(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.process(
        registration_of(row).pk, lambda name: worker.process(registration_of(row).pk) if name == "read" else None
    )
    assert len(server.requests_of("register")) == 1
    assert registration_of(row).state == "active"


def test_no_transaction_is_open_while_the_key_manager_is_called(
    developer: Actor, fake: KeyManager, worker: Worker
) -> None:
    seen = {}

    def look(name: str) -> None:
        seen[name] = connection.in_atomic_block

    wish_row = wish(developer, application(developer), fake)
    worker.process(registration_of(wish_row).pk, look)
    assert seen["claimed"] is False
    assert seen["answered"] is False
    assert seen["committing"] is True


def token_works(row: Credential) -> bool:
    row.refresh_from_db()
    return bool(application_token(credential=row, scopes=[]).access_token)


class BrokenAdapter(RfcAdapter):
    """An adapter with a fault in its own code."""

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        raise ZeroDivisionError


def test_a_fault_in_the_code_is_on_record_and_not_repeated_for_ever(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    choose(developer, row, "write")
    sound = adapter_for(fake)
    worker.adapters = lambda key_manager: BrokenAdapter(sound.config, sound.http, sound.clock)
    for _ in range(12):
        worker.clock.ahead += 100
        with pytest.raises(ZeroDivisionError):
            worker.process(registration_of(row).pk)
    worker.settle()
    refused = registration_of(row)
    assert refused.state == "refused"
    assert refused.last_error.startswith("Given up after 12 tries")


def test_the_job_records_that_it_failed_and_fails(
    developer: Actor, fake: KeyManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = wish(developer, application(developer), fake)

    def create_client(self: RfcAdapter, metadata: ClientMetadata) -> RegisteredClient:
        raise ZeroDivisionError

    monkeypatch.setattr(RfcAdapter, "create_client", create_client)
    with pytest.raises(ZeroDivisionError):
        jobs.process_registration(str(registration_of(row).pk))
    attempt = RegistrationAttempt.objects.get(registration__credential=row)
    assert (attempt.outcome, attempt.error_code) == ("crashed", "internal_error")
    assert registration_of(row).state == "sending"


def test_a_removed_application_gets_no_client_any_more(developer: Actor, fake: KeyManager) -> None:
    owner = application(developer)
    applications.start_removal(actor=developer, application=owner)
    with pytest.raises(RuleError):
        wish(developer, owner, fake)
