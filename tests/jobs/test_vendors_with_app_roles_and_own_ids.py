"""The engine at Entra ID and PingFederate: APIs, scopes and clients get there through lags and lost answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import Credential, KeyManager
from keymanager.services import credentials, key_managers
from keymanager.services.offered_grants import offered_grant_types
from keymanager.services.resources import forget_api_version, registrations_of
from keymanager.services.tokens import application_token
from subscriptions.models import ApiVersion
from subscriptions.services.apis import delete_api_version
from tests.conformance.test_entra import values_for as entra_values
from tests.conformance.test_pingfederate import values_for as pingfederate_values
from tests.fakes.entra_server import EntraServer
from tests.fakes.faults import Fault
from tests.fakes.pingfederate_server import PingFederateServer
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


@pytest.fixture
def directory() -> Iterator[EntraServer]:
    with EntraServer() as server:
        yield server


@pytest.fixture
def ping() -> Iterator[PingFederateServer]:
    with PingFederateServer() as server:
        yield server


def made(admin: Actor, slug: str, config: dict[str, Any]) -> KeyManager:
    return key_managers.create_key_manager(actor=admin, slug=slug, name=slug, adapter=slug, config=config)


def states(row: ApiVersion) -> set[str]:
    return {item.state for item in registrations_of(row)}


def token_scopes(row: Credential, *scopes: str) -> str:
    row.refresh_from_db()
    return str(application_token(credential=row, scopes=list(scopes)).scope)


def clients_in(directory: EntraServer) -> list[dict[str, Any]]:
    return [entry for entry in directory.directory.applications.values() if "archway-client" in entry["tags"]]


def test_an_api_and_a_client_reach_a_directory_whose_objects_appear_late(
    admin: Actor, publisher: Actor, developer: Actor, directory: EntraServer, worker: Worker
) -> None:
    entra = made(admin, "entra", entra_values(directory))
    directory.switches.replication_lag = 2
    directory.switches.assignment_lag = 1
    version = api(publisher, "museum", "museum:read", "museum:write")
    worker.settle()
    assert states(version) == {"active"}
    row = wish(developer, application(developer), entra, scopes=["museum:read"])
    worker.settle()
    assert registration_of(row).state == "active"
    assert token_scopes(row, "museum:read") == "museum:read"
    assert len(clients_in(directory)) == 1
    assert len(clients_in(directory)[0]["passwordCredentials"]) == 1


def test_a_client_whose_creation_was_never_answered_is_adopted_at_the_directory(
    admin: Actor, publisher: Actor, developer: Actor, directory: EntraServer, worker: Worker
) -> None:
    entra = made(admin, "entra", entra_values(directory))
    api(publisher, "museum", "museum:read")
    worker.settle()
    directory.fault("upsert", Fault.lost_answer())
    row = wish(developer, application(developer), entra, scopes=["museum:read"])
    worker.settle()
    assert registration_of(row).state == "active"
    assert token_scopes(row, "museum:read") == "museum:read"
    assert len(clients_in(directory)) == 1


def test_what_is_removed_here_is_removed_at_the_directory(
    admin: Actor, publisher: Actor, developer: Actor, directory: EntraServer, worker: Worker
) -> None:
    entra = made(admin, "entra", entra_values(directory))
    version = api(publisher, "museum", "museum:read")
    worker.settle()
    row = wish(developer, application(developer), entra, scopes=["museum:read"])
    worker.settle()
    credentials.remove_credential(actor=developer, credential=row)
    row.application.subscriptions.all().delete()
    forget_api_version(actor=publisher, api_version=version)
    delete_api_version(actor=publisher, api_version=version)
    worker.settle()
    left = list(directory.directory.applications.values())
    assert [entry["uniqueName"] for entry in left] == ["archway-api-archway"]
    assert left[0]["appRoles"] == []


def test_a_wish_that_is_taken_back_during_a_half_made_creation_leaves_nothing(
    admin: Actor, developer: Actor, directory: EntraServer, worker: Worker
) -> None:
    entra = made(admin, "entra", entra_values(directory))
    directory.fault("add_password", Fault.lost_answer(times=1))
    row = wish(developer, application(developer), entra)
    worker.sweep_at(200)
    assert len(clients_in(directory)) == 1
    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert clients_in(directory) == []


def test_only_grants_that_a_vendor_has_are_offered(
    admin: Actor, directory: EntraServer, ping: PingFederateServer
) -> None:
    machine_and_people = {"client_credentials", "authorization_code", "refresh_token"}
    assert offered_grant_types(made(admin, "entra", entra_values(directory))) == machine_and_people
    offered = offered_grant_types(made(admin, "pingfederate", pingfederate_values(ping)))
    assert offered == {*machine_and_people, "password"}


@pytest.mark.parametrize("management", ["admin_api", "client_service"])
def test_a_client_reaches_pingfederate_although_the_answer_is_lost(
    admin: Actor, publisher: Actor, developer: Actor, ping: PingFederateServer, worker: Worker, management: str
) -> None:
    by_admin_api = made(admin, "pingfederate", pingfederate_values(ping))
    api(publisher, "museum", "museum:read")
    worker.settle()
    key_managers.update_key_manager(
        actor=admin, key_manager=by_admin_api, config=pingfederate_values(ping, management=management)
    )
    ping.fault("create", Fault.lost_answer())
    ping.fault("service", Fault.lost_answer())
    row = wish(developer, application(developer), by_admin_api, scopes=["museum:read"])
    worker.settle()
    assert registration_of(row).state == "active"
    assert token_scopes(row, "museum:read") == "museum:read"
    assert len(ping.clients) == 1
