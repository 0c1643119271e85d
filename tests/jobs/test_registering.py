"""Registrations of clients over a real HTTP server with faults."""

import uuid

import pytest

from accounts.actor import Actor
from common.errors import InputError, NotSupported, RuleError
from keymanager.models import Credential, KeyManager, Registration, RegistrationAttempt
from keymanager.sealing import secret_digest
from keymanager.services import credentials, key_managers
from subscriptions.models import AuditEvent, ChangeEvent, ChangeKind
from subscriptions.services import applications
from subscriptions.states import ApplicationState
from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, choose, registration_of, rfc_key_manager, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(admin: Actor, server: RfcServer) -> KeyManager:
    return rfc_key_manager(server, admin=admin)


def test_a_wish_becomes_a_client_with_everything_persisted(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    assert registration_of(row).state == "requested"

    worker.settle()

    row.refresh_from_db()
    (client,) = server.clients.values()
    assert registration_of(row).state == "active"
    assert row.client_id == client.client_id
    assert row.registration_client_uri.endswith(client.client_id)
    assert row.secret_sha256 == secret_digest(row.pk, client.client_secret)
    assert client.client_secret not in row.sealed_secret
    assert credentials.reveal_secret(actor=developer, credential=row).client_secret == client.client_secret
    assert AuditEvent.objects.filter(action="credential.reveal_secret", object_id=str(row.pk)).exists()
    assert ChangeEvent.objects.filter(kind=ChangeKind.CREDENTIAL, object_id=str(row.pk)).count() == 2


def test_an_attempt_shows_what_was_said_without_secrets(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    attempt = RegistrationAttempt.objects.get(registration__credential=row)
    (client,) = server.clients.values()
    assert attempt.outcome == "succeeded"
    assert attempt.operation == "create"
    assert attempt.actor_name == "app-developer"
    assert attempt.correlation_id
    text = str(attempt.exchanges)
    assert client.client_id in text
    assert client.client_secret not in text
    assert client.registration_access_token not in text
    assert server.initial_access_token not in text


def test_ten_quick_edits_give_one_call(developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    for number in range(10):
        choose(developer, row, f"read:{number}")
    for _ in range(10):
        worker.process(registration_of(row).pk)
    assert len(server.requests_of("update")) == 1
    (client,) = server.clients.values()
    assert client.metadata["scope"] == "read:9"
    assert registration_of(row).state == "active"


def test_an_edit_during_the_call_is_carried_out_after_it(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    row = wish(developer, owner, fake)

    def edit(name: str) -> None:
        if name == "answered" and not server.requests_of("update"):
            applications.change_application(actor=developer, application=owner, name="Renamed")
            credentials.application_renamed(actor=developer, application=owner)

    worker.process(registration_of(row).pk, edit)
    assert registration_of(row).state == "requested"
    worker.settle()
    (client,) = server.clients.values()
    assert client.metadata["client_name"] == "Renamed"
    assert registration_of(row).state == "active"


def test_an_edit_of_a_client_keeps_the_rotated_registration_access_token(
    admin: Actor, developer: Actor, worker: Worker
) -> None:
    with RfcServer(quirks=Quirks(rotate_registration_access_token=True)) as server:
        fake = rfc_key_manager(server, admin=admin, rotates_registration_token=True)
        row = wish(developer, application(developer), fake)
        worker.settle()
        for scope in ("read", "write"):
            choose(developer, row, scope)
            worker.settle()
        (client,) = server.clients.values()
        assert client.metadata["scope"] == "write"
        assert registration_of(row).state == "active"


def test_too_many_requests_waits_as_long_as_it_was_told(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    server.fault("register", Fault.too_many(retry_after=300))
    row = wish(developer, application(developer), fake)
    worker.sweep_at(20)
    waiting = registration_of(row)
    assert waiting.state == "waiting"
    assert waiting.next_try_at is not None
    assert 295 < (waiting.next_try_at - worker.clock.moment()).total_seconds() <= 300
    worker.settle()
    assert registration_of(row).state == "active"
    assert len(server.clients) == 1


def test_a_refusal_shows_the_key_managers_words_and_waits_for_a_person(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    server.fault("register", Fault.refused(400, error="invalid_client_metadata"))
    row = wish(developer, application(developer), fake)
    worker.settle()
    refused = registration_of(row)
    assert refused.state == "refused"
    assert refused.last_error_code == "invalid_client_metadata"
    assert "a queued fault" in refused.last_error
    credentials.retry(actor=developer, registration=refused)
    worker.settle()
    assert registration_of(row).state == "active"
    assert len(server.clients) == 1


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500), Fault.html(), Fault.spoilt_json()])
def test_a_lost_creation_at_a_server_that_cannot_be_searched_is_said_and_not_repeated(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker, fault: Fault
) -> None:
    server.fault("register", fault)
    row = wish(developer, application(developer), fake)
    worker.sweep_at(20)
    assert registration_of(row).state == "unknown"
    worker.settle()
    refused = registration_of(row)
    assert refused.state == "refused"
    assert refused.last_error_code == "outcome_unknown"
    assert "may exist there" in refused.last_error
    assert len(server.clients) == 1

    # A person looked, removed the orphan, and retries.
    server.forget_client(next(iter(server.clients)))
    credentials.retry(actor=developer, registration=refused)
    worker.settle()
    assert registration_of(row).state == "active"
    assert len(server.clients) == 1


def test_a_lost_answer_to_an_update_is_repeated(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    server.fault("update", Fault.lost_answer())
    choose(developer, row, "write")
    worker.settle()
    assert registration_of(row).state == "active"
    assert len(server.requests_of("update")) == 2


def test_a_client_whose_management_token_died_is_refused_and_replaced_when_a_person_retries(
    admin: Actor, developer: Actor, worker: Worker
) -> None:
    with RfcServer(quirks=Quirks(rotate_registration_access_token=True)) as server:
        fake = rfc_key_manager(server, admin=admin, rotates_registration_token=True)
        row = wish(developer, application(developer), fake)
        worker.settle()
        row.refresh_from_db()
        first = row.client_id
        server.fault("update", Fault.lost_answer())
        choose(developer, row, "write")
        worker.settle()
        refused = registration_of(row)
        assert refused.state == "refused"
        assert refused.last_error_code == "registration_access_token_lost"
        credentials.retry(actor=developer, registration=refused)
        worker.settle()
        row.refresh_from_db()
        assert registration_of(row).state == "active"
        assert row.client_id not in ("", first)
        assert AuditEvent.objects.get(action="registration.retry").detail == {"left_behind": first}


def test_a_key_manager_that_does_not_answer_opens_the_circuit_and_holds_without_using_up_attempts(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    server.fault("register", Fault.refused(503, times=5))
    rows = [wish(developer, application(developer, f"Application {number}"), fake) for number in range(8)]
    worker.sweep_at(20)
    states = sorted(registration_of(row).state for row in rows)
    assert states == ["held"] * 3 + ["waiting"] * 5
    held = Registration.objects.filter(state="held")
    assert {row.attempts for row in held} == {0}
    assert len(server.requests_of("register")) == 5
    worker.settle()
    assert {registration_of(row).state for row in rows} == {"active"}
    assert len(server.clients) == 8


def test_one_probe_goes_out_when_the_circuit_may_close(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    server.fault("register", Fault.refused(503, times=6))
    for number in range(5):
        wish(developer, application(developer, f"Application {number}"), fake)
    worker.sweep_at(20)
    assert len(server.requests_of("register")) == 5
    worker.sweep_at(40)
    assert len(server.requests_of("register")) == 6


def test_after_the_last_try_the_registration_says_that_it_was_given_up(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    server.fault("register", Fault.refused(503, times=100))
    row = wish(developer, application(developer), fake)
    worker.settle(step=5000.0, rounds=80)
    refused = registration_of(row)
    assert refused.state == "refused"
    assert refused.last_error.startswith("Given up after 12 tries")


def test_removing_a_client_ends_the_credential_and_erases_its_secrets(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    before = ChangeEvent.objects.filter(kind=ChangeKind.CREDENTIAL, object_id=str(row.pk)).count()
    credentials.remove_credential(actor=developer, credential=row)
    assert registration_of(row).state == "removing"
    assert ChangeEvent.objects.filter(kind=ChangeKind.CREDENTIAL, object_id=str(row.pk)).count() == before + 1
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "removed"
    assert row.removed_at is not None
    assert (row.sealed_secret, row.sealed_registration_access_token, row.secret_sha256) == ("", "", "")
    assert server.clients == {}


def test_removing_a_client_that_is_already_gone_succeeds(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    server.forget_client(next(iter(server.clients)))
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"


def test_a_registration_that_was_never_sent_is_removed_without_a_call(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert server.requests == []


def test_a_removal_during_the_creation_removes_the_client_that_came_of_it(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)

    def remove(name: str) -> None:
        if name == "answered" and registration_of(row).wish == "present":
            credentials.remove_credential(actor=developer, credential=row)
            assert registration_of(row).state == "removing"

    worker.process(registration_of(row).pk, remove)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert server.clients == {}


def test_an_application_is_removed_with_its_last_client(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    for environment in ("production", "sandbox"):
        wish(developer, owner, fake, environment=environment)
    worker.settle()
    assert len(server.clients) == 2
    applications.start_removal(actor=developer, application=owner)
    assert len(credentials.remove_all_credentials(actor=developer, application=owner)) == 2
    server.fault("delete", Fault.refused(503))
    worker.sweep_at(20)
    owner.refresh_from_db()
    assert owner.state == ApplicationState.REMOVING
    worker.settle()
    owner.refresh_from_db()
    assert owner.state == ApplicationState.REMOVED
    assert server.clients == {}


def test_a_mapped_client_is_never_deleted_at_the_key_manager(
    developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    Credential.objects.filter(pk=row.pk).update(mapped=True)
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert len(server.clients) == 1


def test_a_secret_that_is_not_kept_is_shown_exactly_once(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    fake = rfc_key_manager(server, admin=admin, keep_secrets=False)
    row = wish(developer, application(developer), fake)
    worker.settle()
    (client,) = server.clients.values()
    assert credentials.reveal_secret(actor=developer, credential=row).client_secret == client.client_secret
    with pytest.raises(RuleError, match="keep none"):
        credentials.reveal_secret(actor=developer, credential=row)
    row.refresh_from_db()
    assert row.sealed_secret == ""
    # The server repeats the secret with every update; it is known already and stays erased.
    choose(developer, row, "write")
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.sealed_secret == ""


def test_a_rotation_gives_a_new_secret_where_an_update_does(admin: Actor, developer: Actor, worker: Worker) -> None:
    with RfcServer(quirks=Quirks(new_secret_on_update=True)) as server:
        fake = rfc_key_manager(server, admin=admin, update_secret="new")
        row = wish(developer, application(developer), fake)
        worker.settle()
        first = credentials.reveal_secret(actor=developer, credential=row).client_secret
        credentials.rotate_secret(actor=developer, credential=row)
        worker.settle()
        second = credentials.reveal_secret(actor=developer, credential=row).client_secret
        (client,) = server.clients.values()
        assert second == client.client_secret != first
        assert registration_of(row).state == "active"
        assert len(server.requests_of("update")) == 1


def test_rotation_is_refused_where_the_key_manager_cannot(developer: Actor, fake: KeyManager, worker: Worker) -> None:
    row = wish(developer, application(developer), fake)
    worker.settle()
    with pytest.raises(NotSupported):
        credentials.rotate_secret(actor=developer, credential=row)


def test_a_second_client_in_the_same_environment_is_a_conflict(developer: Actor, fake: KeyManager) -> None:
    owner = application(developer)
    wish(developer, owner, fake)
    with pytest.raises(RuleError):
        wish(developer, owner, fake)


def test_a_disabled_key_manager_takes_no_wish_and_holds_what_is_under_way(
    admin: Actor, developer: Actor, fake: KeyManager, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), fake)
    key_managers.disable_key_manager(actor=admin, key_manager=fake)
    fake.refresh_from_db()
    with pytest.raises(RuleError, match="switched off"):
        wish(developer, application(developer, "Another"), fake)
    worker.sweep_at(20)
    assert registration_of(row).state == "held"
    assert server.requests_of("register") == []
    key_managers.enable_key_manager(actor=admin, key_manager=fake)
    worker.settle()
    assert registration_of(row).state == "active"


def test_a_grant_that_the_key_manager_does_not_offer_is_refused_before_anything_is_saved(
    developer: Actor, fake: KeyManager
) -> None:
    owner = application(developer)
    with pytest.raises(InputError) as caught:
        wish(developer, owner, fake, grant_types=["password"])
    assert list(caught.value.fields) == ["grant_types"]
    assert not Credential.objects.exists()


def test_a_job_for_a_registration_that_is_gone_does_nothing(worker: Worker) -> None:
    worker.process(uuid.uuid4())
