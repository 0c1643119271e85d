"""The registration engine on a fake Hydra: whole lives, with lost answers in between."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager, RegistrationAttempt
from keymanager.services import credentials, key_managers
from keymanager.services.allowances import follow_subscriptions
from keymanager.services.tokens import application_token
from tests.fakes.faults import Fault
from tests.fakes.hydra_server import HydraServer
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[HydraServer]:
    with HydraServer() as running:
        yield running


@pytest.fixture(params=["replace", "overlap"])
def hydra(request: pytest.FixtureRequest, admin: Actor, server: HydraServer) -> KeyManager:
    config = {"issuer": server.issuer, "admin_url": server.admin_url, "secret_rotation": request.param}
    return key_managers.create_key_manager(actor=admin, slug="hydra", name="Hydra", adapter="hydra", config=config)


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def test_a_client_lives_from_the_wish_to_the_removal(
    hydra: KeyManager, server: HydraServer, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), hydra, scopes=["plants:water"])
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
    assert server.clients[row.client_id].document["scope"] == ""

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert server.clients == {}


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_creation_whose_answer_was_lost_leaves_exactly_one_client_that_works(
    hydra: KeyManager, server: HydraServer, developer: Actor, worker: Worker, fault: Fault
) -> None:
    server.fault("create", fault)
    row = wish(developer, application(developer), hydra, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert set(server.clients) == {row.client_id}
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


@pytest.mark.parametrize("operation", ["replace", "rotate"])
def test_a_rotation_whose_answer_was_lost_ends_with_a_secret_that_works(
    hydra: KeyManager, server: HydraServer, developer: Actor, worker: Worker, operation: str
) -> None:
    row = wish(developer, application(developer), hydra, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    server.fault(operation, Fault.lost_answer())
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_no_attempt_shows_a_secret(hydra: KeyManager, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), hydra)
    worker.settle()
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    revealed = credentials.reveal_secret(actor=developer, credential=row).client_secret
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    assert row.client_id in text
    assert revealed
    assert revealed not in text
