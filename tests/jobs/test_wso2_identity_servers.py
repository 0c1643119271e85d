"""The registration engine on the fakes of WSO2 Identity Servers: whole lives, with lost answers in between."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager, RegistrationAttempt
from keymanager.services import credentials, key_managers
from keymanager.services.tokens import application_token
from tests.conformance.test_wso2is import wso2is_values
from tests.conformance.test_wso2is7 import wso2is7_values
from tests.fakes.faults import Fault
from tests.fakes.wso2is7_server import Wso2Is7Server
from tests.fakes.wso2is_server import Wso2IsServer
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db
SCOPE = "plants:water"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A fake, and the key manager on it. ``rotate``: what the call for a new secret is named by.

    ``by_api``: scopes are there only with their API, so the engine does not look for them again by itself.
    """

    fake: Wso2Is7Server | Wso2IsServer
    key_manager: KeyManager
    rotate: str = "rotate"
    by_api: bool = False

    @property
    def client_ids(self) -> set[str]:
        """Clients there that are not the portal's own."""
        return {app.client_id for app in self.fake.state.apps.values()} - {"manager_000000000001"}


def made(admin: Actor, adapter: str, values: dict[str, str]) -> KeyManager:
    return key_managers.create_key_manager(actor=admin, slug=adapter, name=adapter, adapter=adapter, config=values)


@pytest.fixture(params=["wso2is7", "wso2is7 by API", "wso2is7 with two secrets", "wso2is"])
def server(request: pytest.FixtureRequest, admin: Actor) -> Iterator[Server]:
    if request.param == "wso2is":
        with Wso2IsServer(known=()) as old:
            yield Server(fake=old, key_manager=made(admin, "wso2is", wso2is_values(old)))
            assert old.undescribed == []
        return
    more = {
        "wso2is7 by API": {"resources": "per_api"},
        "wso2is7 with two secrets": {"secret_rotation": "overlap"},
    }.get(request.param, {})
    with Wso2Is7Server(scopes=()) as fake:
        rotate = "secret_create" if "secret_rotation" in more else "rotate"
        row = made(admin, "wso2is7", wso2is7_values(fake, **more))
        yield Server(fake=fake, key_manager=row, rotate=rotate, by_api="resources" in more)
        assert fake.undescribed == []


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def test_a_client_lives_from_the_wish_to_the_removal(
    server: Server, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", SCOPE)
    worker.settle()
    row = wish(developer, application(developer), server.key_manager, scopes=[SCOPE])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert server.client_ids == {row.client_id}
    assert application_token(credential=row, scopes=[SCOPE]).scope == SCOPE
    before = row.secret_sha256

    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert row.secret_sha256 != before
    assert application_token(credential=row, scopes=[SCOPE]).access_token

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert server.client_ids == set()


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_creation_whose_answer_was_lost_leaves_exactly_one_client_that_works(
    server: Server, publisher: Actor, developer: Actor, worker: Worker, fault: Fault
) -> None:
    api(publisher, "garden", SCOPE)
    worker.settle()
    server.fake.fault("client_create", fault)
    row = wish(developer, application(developer), server.key_manager, scopes=[SCOPE])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert server.client_ids == {row.client_id}
    assert application_token(credential=row, scopes=[SCOPE]).scope == SCOPE


def test_a_rotation_whose_answer_was_lost_ends_with_a_secret_that_works(
    server: Server, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", SCOPE)
    worker.settle()
    row = wish(developer, application(developer), server.key_manager, scopes=[SCOPE])
    worker.settle()
    row.refresh_from_db()
    server.fake.fault(server.rotate, Fault.lost_answer())
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=[SCOPE]).scope == SCOPE


def test_a_client_that_was_wished_for_before_its_scope_is_mended_or_with_its_next_change(
    server: Server, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), server.key_manager, scopes=[SCOPE])
    worker.sweep()
    api(publisher, "garden", SCOPE)
    worker.settle()
    if server.by_api:
        credentials.rotate_secret(actor=developer, credential=row)
        worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=[SCOPE]).scope == SCOPE


def test_no_attempt_shows_a_secret(server: Server, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), server.key_manager)
    worker.settle()
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    revealed = credentials.reveal_secret(actor=developer, credential=row).client_secret
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    assert row.client_id in text
    assert revealed
    assert revealed not in text
