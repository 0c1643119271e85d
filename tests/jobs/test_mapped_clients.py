"""Clients that were made elsewhere: claimed, verified by a job, used, corrected, forgotten; never touched there."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from accounts.actor import Actor
from common.errors import InputError, RuleError
from keymanager.models import Credential, KeyManager, RegistrationAttempt
from keymanager.sealing import unseal_secret
from keymanager.services import credentials, key_managers
from keymanager.services.mapped_credentials import correct_secret, map_client
from keymanager.services.tokens import application_token
from tests.fakes.faults import Fault
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, registration_of, rfc_key_manager, wish
from tests.subscribed import subscribe_to

pytestmark = pytest.mark.django_db
SECRET = "secret-of-hand-5d20"


@pytest.fixture
def server() -> Iterator[RfcServer]:
    with RfcServer() as running:
        running.add_client("made-by-hand", SECRET, scope="museum:read")
        yield running


@pytest.fixture
def theirs(admin: Actor, server: RfcServer) -> KeyManager:
    return key_managers.create_key_manager(
        actor=admin, slug="theirs", name="Theirs", adapter="external", config={"issuer": server.issuer}
    )


def claim(developer: Actor, key_manager: KeyManager, name: str = "Guide", **changes: Any) -> Credential:
    wanted = {"client_id": "made-by-hand", "client_secret": SECRET, **changes}
    return map_client(actor=developer, application=application(developer, name), key_manager=key_manager, **wanted)


def now(credential: Credential) -> Credential:
    return Credential.objects.get(pk=credential.pk)


def test_a_client_with_its_secret_is_proved_and_gives_tokens(
    theirs: KeyManager, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, theirs)
    assert (now(row).client_id, registration_of(row).state) == ("", "requested")
    worker.settle()

    row = now(row)
    assert registration_of(row).state == "active"
    assert (row.client_id, unseal_secret(row)) == ("made-by-hand", SECRET)
    assert row.verification is not None
    assert (row.verification["exists"], row.verification["secret_works"]) == (True, True)
    assert [attempt.operation for attempt in RegistrationAttempt.objects.all()] == ["verify"]
    subscribe_to(row.application, "museum:read")
    assert application_token(credential=row, scopes=["museum:read"]).scope == "museum:read"


def test_a_wrong_secret_is_refused_with_the_reason_and_a_corrected_one_is_taken(
    theirs: KeyManager, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, theirs, client_secret="wrong")
    worker.settle()
    registration = registration_of(row)
    assert (registration.state, registration.last_error_code, now(row).client_id) == ("refused", "wrong_secret", "")
    assert "secret" in registration.last_error
    assert (now(row).verification or {})["secret_works"] is False

    correct_secret(actor=developer, credential=row, client_secret=SECRET)
    worker.settle()
    assert (registration_of(row).state, now(row).client_id) == ("active", "made-by-hand")


def test_a_proved_secret_stays_good_until_another_one_is_proved(
    theirs: KeyManager, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, theirs)
    worker.settle()
    correct_secret(actor=developer, credential=row, client_secret="wrong")
    worker.settle()
    assert registration_of(row).state == "refused"
    assert (now(row).client_id, unseal_secret(now(row))) == ("made-by-hand", SECRET)


def test_a_client_without_its_secret_says_what_nobody_proved(
    theirs: KeyManager, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, theirs, client_secret="")
    worker.settle()
    assert registration_of(row).state == "active"
    verification = now(row).verification
    assert verification is not None
    assert (verification["exists"], verification["secret_works"]) == (None, None)
    assert any("nothing proves" in note for note in verification["notes"])
    assert any("exists could not" in note for note in verification["notes"])


def test_a_key_manager_that_does_not_answer_is_asked_again_and_nothing_is_in_doubt(
    theirs: KeyManager, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    server.fault("revoke", Fault.lost_answer())
    row = claim(developer, theirs)
    worker.sweep_at(20)
    assert (registration_of(row).state, registration_of(row).in_doubt) == ("waiting", False)
    worker.settle()
    assert registration_of(row).state == "active"


def test_nothing_at_the_key_manager_is_changed_and_a_removal_only_forgets(
    theirs: KeyManager, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, theirs)
    worker.settle()
    credentials.change_credential(actor=developer, credential=row, scopes=["museum:read"])
    with pytest.raises(RuleError):
        credentials.rotate_secret(actor=developer, credential=row)
    credentials.application_renamed(actor=developer, application=row.application)
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert (now(row).sealed_secret, now(row).sealed_mapped_secret, now(row).secret_sha256) == ("", "", "")
    assert "made-by-hand" in server.clients
    assert {request.operation for request in server.requests} <= {"discovery", "revoke"}


def test_a_removed_claim_frees_the_client(theirs: KeyManager, developer: Actor, worker: Worker) -> None:
    credentials.remove_credential(actor=developer, credential=claim(developer, theirs, client_secret="wrong"))
    worker.settle()
    second = claim(developer, theirs, "Another")
    worker.settle()
    assert now(second).client_id == "made-by-hand"


def test_a_client_is_mapped_once_and_never_one_that_the_portal_registered_or_uses(
    admin: Actor, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    fake = rfc_key_manager(server, admin=admin)
    registered = wish(developer, application(developer, "Registered"), fake)
    claim(developer, fake, client_secret="wrong")
    worker.settle()
    registered.refresh_from_db()
    for client_id in ("made-by-hand", registered.client_id, server.gateway_client_id):
        with pytest.raises(RuleError) as caught:
            claim(developer, fake, f"Thief of {client_id}", client_id=client_id)
        assert "client_id" in caught.value.fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "x" * 256}, "client_id"),
        ({"client_id": "bell\x07"}, "client_id"),
        ({"client_secret": "müll"}, "client_secret"),
        ({"token_endpoint_auth_method": "none", "grant_types": ["refresh_token", "password"]}, "client_secret"),
        ({"grant_types": ["magic"]}, "grant_types"),
        ({"grant_types": ["authorization_code"]}, "redirect_uris"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_saved(
    theirs: KeyManager, developer: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        claim(developer, theirs, **changes)
    assert field in caught.value.fields
    assert not Credential.objects.exists()


def test_the_secret_of_a_registered_client_cannot_be_given(
    admin: Actor, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    worker.settle()
    with pytest.raises(RuleError) as caught:
        correct_secret(actor=developer, credential=row, client_secret="mine")
    assert "client_secret" in caught.value.fields


def test_where_secrets_are_not_kept_only_the_digest_of_a_mapped_one_stays(
    admin: Actor, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = claim(developer, rfc_key_manager(server, admin=admin, keep_secrets=False))
    worker.settle()
    assert registration_of(row).state == "active"
    assert (now(row).sealed_secret, now(row).sealed_mapped_secret, now(row).secret_unseen) == ("", "", False)
    assert now(row).secret_sha256
    with pytest.raises(RuleError, match="made elsewhere"):
        credentials.reveal_secret(actor=developer, credential=row)


@pytest.mark.django_db(transaction=True)
def test_of_two_teams_that_map_a_client_at_the_same_moment_one_gets_it(theirs: KeyManager, developer: Actor) -> None:
    owners = [application(developer, f"Racer {number}") for number in range(4)]
    start = threading.Barrier(len(owners))
    refused: list[RuleError] = []

    def run(number: int) -> None:
        try:
            start.wait(10)
            map_client(
                actor=developer,
                application=owners[number],
                key_manager=theirs,
                client_id="made-by-hand",
                client_secret=SECRET,
            )
        except RuleError as exc:
            refused.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(owners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Credential.objects.filter(mapped_client_id="made-by-hand").count() == 1
    assert [list(exc.fields) for exc in refused] == [["client_id"]] * 3
