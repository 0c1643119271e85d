"""The registration engine on a real MITREid Connect: APIs as protected resources, clients through lost answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.contract import KeyManagerAdapter, TokenFacts
from keymanager.adapters.rfc import RfcAdapter
from keymanager.adapters.rfc.mitreid import MitreidSession
from keymanager.models import KeyManager, RegistrationAttempt
from keymanager.services import credentials, key_managers
from keymanager.services.adapters import adapter_for
from keymanager.services.resources import forget_api_version, registrations_of, sync_api_version
from keymanager.services.tokens import application_token
from subscriptions.models import ApiVersion
from subscriptions.services.apis import delete_api_version, replace_design
from tests.conformance.world import Match, Wire, lost_answer, registering
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api, design
from tests.servers import mitreid

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(scope="module")
def server(mitreid_server: mitreid.MitreidServer) -> mitreid.MitreidServer:
    return mitreid_server


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire(PooledTransport(AddressGuard.of("127.0.0.0/8")))
    yield wire
    wire.close()


@pytest.fixture
def worker(wire: Wire) -> Worker:
    """Its adapters speak over a wire that can lose an answer."""

    def on_the_wire(key_manager: KeyManager) -> KeyManagerAdapter:
        return RfcAdapter(adapter_for(key_manager).config, HttpClient(transport=wire), SystemClock())

    return Worker(adapters=on_the_wire)


@pytest.fixture
def foreign(server: mitreid.MitreidServer, admin: Actor) -> KeyManager:
    options = server.options
    config = {
        "preset": "mitreid",
        "issuer": server.issuer,
        "introspection_client_id": options.gateway_client_id,
        "introspection_client_secret": options.gateway_client_secret,
        "admin_url": server.admin_url,
        "admin_user": options.admin_user,
        "admin_password": options.admin_password,
    }
    return key_managers.create_key_manager(actor=admin, slug="mitreid", name="MITREid", adapter="rfc", config=config)


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def at_the_server(foreign: KeyManager, wire: Wire) -> list[dict[str, Any]]:
    return MitreidSession.of(adapter_for(foreign).config, HttpClient(transport=wire)).clients()


def resources_of(row: ApiVersion, foreign: KeyManager, wire: Wire) -> list[set[str]]:
    """The scopes of each resource that the server has for an API."""
    registration = next(item for item in registrations_of(row) if item.kind == "resource")
    mark = registration.wanted["identifier"]
    return [set(found["scope"]) for found in at_the_server(foreign, wire) if found["softwareId"] == mark]


def states(row: ApiVersion) -> set[str]:
    return {item.state for item in registrations_of(row)}


def test_an_api_is_a_resource_with_its_scopes_from_its_creation_to_its_deletion(
    foreign: KeyManager, publisher: Actor, worker: Worker, wire: Wire
) -> None:
    row = api(publisher, "planetarium", "stars:read", "stars:move")
    worker.settle()
    assert states(row) == {"active"}
    assert resources_of(row, foreign, wire) == [{"stars:read", "stars:move"}]

    replace_design(actor=publisher, api_version=row, design=design("stars:read"))
    sync_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert resources_of(row, foreign, wire) == [{"stars:read"}]
    assert adapter_for(foreign).list_scopes() & {"stars:read", "stars:move"} == {"stars:read"}

    mark = next(item for item in registrations_of(row) if item.kind == "resource").wanted["identifier"]
    forget_api_version(actor=publisher, api_version=row)
    delete_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert mark not in {found["softwareId"] for found in at_the_server(foreign, wire)}
    assert "stars:read" not in adapter_for(foreign).list_scopes()


def test_a_lost_answer_to_a_resource_leaves_one_resource(
    foreign: KeyManager, publisher: Actor, worker: Worker, wire: Wire
) -> None:
    wire.plan(_first(lambda request: request.url.path.endswith("/resource")), lost_answer)
    row = api(publisher, "aquarium", "fish:feed")
    worker.settle()
    assert states(row) == {"active"}
    assert resources_of(row, foreign, wire) == [{"fish:feed"}]


def test_a_client_lives_from_the_wish_to_the_removal(
    foreign: KeyManager, publisher: Actor, developer: Actor, worker: Worker, wire: Wire
) -> None:
    api(publisher, "garden", "plants:water", "plants:cut")
    worker.settle()
    row = wish(developer, application(developer), foreign, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    given = application_token(credential=row, scopes=["plants:water"])
    assert given.scope == "plants:water"
    facts = adapter_for(foreign).introspect(given.access_token)
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, facts.scopes) == (row.client_id, frozenset({"plants:water"}))
    before = row.secret_sha256

    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert row.secret_sha256 != before
    assert application_token(credential=row, scopes=["plants:water"]).access_token

    row = credentials.change_credential(actor=developer, credential=row, scopes=["plants:cut"])
    worker.settle()
    row.refresh_from_db()
    assert application_token(credential=row, scopes=["plants:cut"]).scope == "plants:cut"

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert row.client_id not in {found["clientId"] for found in at_the_server(foreign, wire)}


def test_a_creation_whose_answer_was_lost_is_adopted_and_can_be_managed(
    foreign: KeyManager, publisher: Actor, developer: Actor, worker: Worker, wire: Wire
) -> None:
    wire.plan(_first(registering), lost_answer)
    row = wish(developer, application(developer), foreign)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    marked = [found["clientId"] for found in at_the_server(foreign, wire) if found["softwareId"] == str(row.pk)]
    assert marked == [row.client_id]
    assert application_token(credential=row, scopes=[]).access_token
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert row.client_id not in {found["clientId"] for found in at_the_server(foreign, wire)}


def test_a_rotation_whose_answer_was_lost_ends_with_a_secret_that_works(
    foreign: KeyManager, developer: Actor, worker: Worker, wire: Wire
) -> None:
    row = wish(developer, application(developer), foreign)
    worker.settle()
    row.refresh_from_db()
    wire.plan(_first(lambda request: b"generateClientSecret" in request.content), lost_answer)
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=[]).access_token


def test_no_attempt_shows_a_secret_of_ours_or_of_anybody_else(
    foreign: KeyManager, publisher: Actor, developer: Actor, worker: Worker, wire: Wire
) -> None:
    api(publisher, "zoo", "animals:feed")
    wire.plan(_first(registering), lost_answer)
    row = wish(developer, application(developer), foreign)
    worker.settle()
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    secrets = [found["clientSecret"] for found in at_the_server(foreign, wire) if len(found["clientSecret"] or "") > 9]
    assert secrets
    assert str(row.pk) in text
    assert [secret for secret in secrets if secret in text] == []
    assert "eyJ" not in text
    assert "JSESSIONID=" not in text


def _first(match: Match) -> Match:
    """Only the first request that matches."""
    met: list[bool] = []

    def matches(request: Any) -> bool:
        if not met and match(request):
            met.append(True)
            return True
        return False

    return matches
