"""The registration engine on a fake AM 7: whole lives, with lost answers in between."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager, RegistrationAttempt
from keymanager.services import credentials, key_managers
from keymanager.services.allowances import follow_subscriptions
from keymanager.services.tokens import application_token
from tests.fakes.faults import Fault
from tests.fakes.forgerock_server import ADMIN, ForgeRockServer
from tests.fakes.forgerock_server.state import CORE, GATEWAY, PORTAL
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[ForgeRockServer]:
    with ForgeRockServer() as running:
        yield running


@pytest.fixture
def forgerock(admin: Actor, server: ForgeRockServer) -> KeyManager:
    config = {"issuer": server.issuer, "admin_user": ADMIN[0], "admin_password": ADMIN[1]}
    return key_managers.create_key_manager(actor=admin, slug="forgerock", name="AM", adapter="forgerock", config=config)


def made_by_us(server: ForgeRockServer) -> set[str]:
    """Ids of the clients that are no administrator's."""
    return {name for name in server.state.clients if name not in (PORTAL[0], GATEWAY[0])}


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def test_a_client_lives_from_the_wish_to_the_removal(
    forgerock: KeyManager, server: ForgeRockServer, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), forgerock, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.client_id == f"archway-{row.pk}"
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"
    before = row.secret_sha256

    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert row.secret_sha256 != before
    assert application_token(credential=row, scopes=["plants:water"]).access_token

    row.application.subscriptions.all().delete()
    follow_subscriptions(actor=developer, application_ids=[row.application_id])
    worker.settle()
    assert server.state.clients[row.client_id].groups[CORE]["scopes"] == []

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert made_by_us(server) == set()


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_creation_whose_answer_was_lost_leaves_exactly_one_client_that_works(
    forgerock: KeyManager, server: ForgeRockServer, developer: Actor, worker: Worker, fault: Fault
) -> None:
    server.fault("client_create", fault)
    row = wish(developer, application(developer), forgerock, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert made_by_us(server) == {row.client_id}
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_a_rotation_whose_answer_was_lost_ends_with_a_secret_that_works(
    forgerock: KeyManager, server: ForgeRockServer, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), forgerock, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    server.fault("client_put", Fault.lost_answer())
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_no_attempt_shows_a_secret(forgerock: KeyManager, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), forgerock)
    worker.settle()
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    revealed = credentials.reveal_secret(actor=developer, credential=row).client_secret
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    assert row.client_id in text
    assert revealed
    assert revealed not in text
