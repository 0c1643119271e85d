"""Registrations at SurfOAuth, through the engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager
from keymanager.services import credentials, key_managers
from keymanager.services.acceptance import accept_key_managers
from keymanager.services.resources import forget_api_version, registrations_of, sync_api_version
from keymanager.services.tokens import application_token
from subscriptions.models import ApiVersion
from subscriptions.services.apis import VersionFacts, create_api_version
from subscriptions.services.designs import DesignInput, OperationInput
from tests.fakes.faults import Fault
from tests.fakes.surfoauth import SurfOAuthServer
from tests.jobs.kit import Worker, application, choose, person, registration_of, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def surfoauth() -> Iterator[SurfOAuthServer]:
    with SurfOAuthServer() as running:
        running.add_admin_client("portal", "secret-of-the-portal")
        yield running


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def key_manager(server: SurfOAuthServer, admin: Actor, **values: Any) -> KeyManager:
    own = {"base_url": server.base_url, "admin_client_id": "portal", "admin_client_secret": "secret-of-the-portal"}
    return key_managers.create_key_manager(
        actor=admin, slug="surf", name="SURF", adapter="surfoauth", config={**own, **values}, keep_secrets=True
    )


def museum(publisher: Actor) -> ApiVersion:
    assert publisher.team_id is not None
    scopes = {key: key for key in ("museum:read", "museum:write")}
    operation = OperationInput(method="GET", path="/hours", scopes=("museum:read",))
    row = create_api_version(
        actor=publisher, team_id=publisher.team_id, name="museum", context="/museum", version="1",
        facts=VersionFacts(), design=DesignInput(operations=(operation,), scopes=scopes),
    )  # fmt: skip
    accept_key_managers(actor=publisher, api_version=row, slugs="all")
    sync_api_version(actor=publisher, api_version=row)
    return row


@pytest.mark.parametrize("mode", ["shared", "per_api"])
def test_scopes_client_token_new_secret_and_removal(
    mode: str, admin: Actor, publisher: Actor, developer: Actor, surfoauth: SurfOAuthServer, worker: Worker
) -> None:
    surf = key_manager(surfoauth, admin, resource_servers=mode)
    api = museum(publisher)
    worker.settle()
    kept = {row.kind: row.state for row in registrations_of(api)}
    assert sorted(kept.values()) == ["active", "not_kept"]

    row = wish(developer, application(developer), surf)
    worker.settle()
    choose(developer, row, "museum:read")
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    given = application_token(credential=row, scopes=["museum:read", "museum:write"])
    assert (given.status, given.scope) == (200, "museum:read")

    before = row.secret_sha256
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.secret_sha256 != before
    assert application_token(credential=row, scopes=["museum:read"]).status == 200

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert surfoauth.client(str(row.pk)) is None
    forget_api_version(actor=publisher, api_version=api)
    worker.settle()
    assert {item.state for item in registrations_of(api)} <= {"removed", "not_kept"}
    assert not [server for server in surfoauth.store.servers.values() if "museum:read" in server.scopes]


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500), Fault.empty(500), Fault.disconnect()])
def test_a_creation_with_an_unknown_outcome_ends_in_one_client(
    fault: Fault, admin: Actor, developer: Actor, surfoauth: SurfOAuthServer, worker: Worker
) -> None:
    surf = key_manager(surfoauth, admin)
    surfoauth.fault("client.create", fault)
    row = wish(developer, application(developer), surf)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.client_id == str(row.pk)
    assert [client.client_id for client in surfoauth.store.clients.values() if client.name == row.client_id] == [
        row.client_id
    ]
    assert application_token(credential=row, scopes=[]).status == 200


@pytest.mark.parametrize("broken_at", [1, 2])
def test_a_rotation_with_an_unknown_outcome_ends_in_a_client_that_works(
    broken_at: int, admin: Actor, developer: Actor, surfoauth: SurfOAuthServer, worker: Worker
) -> None:
    surf = key_manager(surfoauth, admin)
    row = wish(developer, application(developer), surf)
    worker.settle()
    row.refresh_from_db()
    if broken_at == 1:
        surfoauth.fault("client.create", Fault.lost_answer())
    else:
        surfoauth.meanwhile("client.create", lambda: surfoauth.fault("client.create", Fault.lost_answer()))
    before = row.secret_sha256
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.secret_sha256 != before
    assert row.client_id == str(row.pk)
    assert application_token(credential=row, scopes=[]).status == 200
