"""Scopes of APIs follow their life at a real identity provider that is not ours: glewlwyd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager
from keymanager.services import key_managers
from keymanager.services.resources import forget_api_version, registrations_of, sync_api_version
from keymanager.services.tokens import application_token
from subscriptions.models import ApiVersion
from subscriptions.services.apis import delete_api_version, replace_design
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api, design
from tests.servers import glewlwyd

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[glewlwyd.GlewlwydServer]:
    home: Path = tmp_path_factory.mktemp("glewlwyd")
    with glewlwyd.start(home=home) as started:
        yield started


@pytest.fixture
def foreign(server: glewlwyd.GlewlwydServer, admin: Actor) -> KeyManager:
    config = {
        "preset": "glewlwyd",
        "issuer": server.issuer,
        "registration_client_id": server.options.dcr_client_id,
        "registration_client_secret": server.options.dcr_client_secret,
        "introspection_client_id": server.options.gateway_client_id,
        "introspection_client_secret": server.options.gateway_client_secret,
        "admin_url": server.admin_url,
        "admin_api_key": server.admin_api_key,
    }
    return key_managers.create_key_manager(actor=admin, slug="glewlwyd", name="Glewlwyd", adapter="rfc", config=config)


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def known(server: glewlwyd.GlewlwydServer) -> set[str]:
    """Scopes that the server itself lists."""
    return {item["name"] for item in server.admin("GET", "/scope/")}


def states(row: ApiVersion) -> dict[str, str]:
    return {f"{item.kind} {item.subject}": item.state for item in registrations_of(row)}


def test_the_scopes_of_an_api_come_change_and_go_with_it(
    server: glewlwyd.GlewlwydServer, foreign: KeyManager, publisher: Actor, worker: Worker
) -> None:
    row = api(publisher, "planetarium", "stars:read", "stars:move")
    assert not {"stars:read", "stars:move"} & known(server)
    worker.settle()
    assert {"stars:read", "stars:move"} <= known(server)
    assert states(row)["scope stars:read"] == "active"
    assert states(row)[f"resource {row.pk}"] == "not_kept"

    replace_design(actor=publisher, api_version=row, design=design("stars:read"))
    sync_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert "stars:read" in known(server)
    assert "stars:move" not in known(server)

    forget_api_version(actor=publisher, api_version=row)
    delete_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert "stars:read" not in known(server)


def test_a_scope_of_two_apis_goes_with_the_last(
    server: glewlwyd.GlewlwydServer, foreign: KeyManager, publisher: Actor, worker: Worker
) -> None:
    first, second = api(publisher, "zoo", "animals:feed"), api(publisher, "aquarium", "animals:feed")
    worker.settle()
    forget_api_version(actor=publisher, api_version=first)
    delete_api_version(actor=publisher, api_version=first)
    worker.settle()
    assert "animals:feed" in known(server)
    forget_api_version(actor=publisher, api_version=second)
    delete_api_version(actor=publisher, api_version=second)
    worker.settle()
    assert "animals:feed" not in known(server)


def test_a_client_gets_a_token_with_a_scope_that_the_portal_registered(
    server: glewlwyd.GlewlwydServer, foreign: KeyManager, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), foreign, scopes=["plants:water"])
    worker.settle()
    assert registration_of(row).state == "active"
    row.refresh_from_db()
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"
