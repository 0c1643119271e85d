"""The registration engine at a server where people make clients by hand."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from keymanager.models import KeyManager
from keymanager.services import key_managers
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
