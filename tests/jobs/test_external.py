"""The registration engine at a server where people make clients by hand."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from keymanager.adapters.contract import ClientHandle
from keymanager.models import Credential, KeyManager
from keymanager.registrations.client_facts import store_handle
from keymanager.services import credentials, key_managers
from keymanager.services.tokens import application_token
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, registration_of, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[RfcServer]:
    with RfcServer() as running:
        running.add_client("made-by-hand", "secret-of-hand", scope="museum:read")
        yield running


@pytest.fixture
def theirs(admin: Actor, server: RfcServer) -> KeyManager:
    return key_managers.create_key_manager(
        actor=admin, slug="theirs", name="Theirs", adapter="external", config={"issuer": server.issuer}
    )


def test_a_client_that_is_wished_for_is_refused_and_nothing_is_sent(
    theirs: KeyManager, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), theirs, scopes=["museum:read"])
    worker.settle()
    assert registration_of(row).state == "refused"
    assert server.requests == []


def test_a_mapped_client_gets_tokens_and_is_neither_changed_nor_removed(
    theirs: KeyManager, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), theirs, scopes=["museum:read"])
    Credential.objects.filter(pk=row.pk).update(mapped=True)
    row.refresh_from_db()
    store_handle(row, ClientHandle(client_id="made-by-hand", client_secret="secret-of-hand"))
    worker.settle()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=["museum:read"]).scope == "museum:read"

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert "made-by-hand" in server.clients
    assert {request.operation for request in server.requests} <= {"discovery", "token"}
