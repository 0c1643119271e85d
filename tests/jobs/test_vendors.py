"""The registration engine on the fakes of hosted identity providers: whole lives, with lost answers in between."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager, RegistrationAttempt
from keymanager.services import credentials, key_managers
from keymanager.services.tokens import application_token
from tests.conformance.test_auth0 import auth0_values
from tests.conformance.test_okta import okta_values
from tests.fakes.auth0_server import Auth0Server
from tests.fakes.faults import Fault
from tests.fakes.okta_server import OktaServer
from tests.fakes.vendor_server import VendorServer
from tests.jobs.kit import Worker, application, person, registration_of, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A fake and the key manager on it. ``create`` and ``rotate``: what its calls are named by."""

    server: VendorServer
    key_manager: KeyManager
    create: str
    rotate: str

    @property
    def client_ids(self) -> set[str]:
        """Clients at the vendor that are not the portal's own."""
        if isinstance(self.server, OktaServer):
            return {app.client_id for app in self.server.state.apps.values()} - {self.server.gateway.client_id}
        assert isinstance(self.server, Auth0Server)
        return set(self.server.state.clients) - {self.server.manager.client_id}


def okta(admin: Actor, **more: Any) -> Iterator[Vendor]:
    with OktaServer(scopes=()) as server:
        row = key_managers.create_key_manager(
            actor=admin, slug="okta", name="Okta", adapter="okta", config=okta_values(server, **more)
        )
        apps = more.get("management") != "dcr"
        yield Vendor(
            server=server,
            key_manager=row,
            create="app_create" if apps else "client_create",
            rotate="secret_add" if apps else "client_secret",
        )
        assert server.undescribed == []


def auth0(admin: Actor) -> Iterator[Vendor]:
    with Auth0Server(scopes=()) as server:
        row = key_managers.create_key_manager(
            actor=admin, slug="auth0", name="Auth0", adapter="auth0", config=auth0_values(server)
        )
        yield Vendor(server=server, key_manager=row, create="client_create", rotate="rotate")
        assert server.undescribed == []


@pytest.fixture(params=["okta", "okta-dcr", "auth0"])
def vendor(request: pytest.FixtureRequest, admin: Actor) -> Iterator[Vendor]:
    match request.param:
        case "okta":
            yield from okta(admin)
        case "okta-dcr":
            yield from okta(admin, management="dcr")
        case _:
            yield from auth0(admin)


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def test_a_client_lives_from_the_wish_to_the_removal(
    vendor: Vendor, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), vendor.key_manager, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert vendor.client_ids == {row.client_id}
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"
    before = row.secret_sha256

    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert row.secret_sha256 != before
    assert application_token(credential=row, scopes=["plants:water"]).access_token

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert vendor.client_ids == set()


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_creation_whose_answer_was_lost_leaves_exactly_one_client_that_works(
    vendor: Vendor, publisher: Actor, developer: Actor, worker: Worker, fault: Fault
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    vendor.server.fault(vendor.create, fault)
    row = wish(developer, application(developer), vendor.key_manager, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert vendor.client_ids == {row.client_id}
    assert len(vendor.server.requests_of(vendor.create)) == 1
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_a_rotation_whose_answer_was_lost_ends_with_a_secret_that_works(
    vendor: Vendor, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), vendor.key_manager, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    vendor.server.fault(vendor.rotate, Fault.lost_answer())
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_a_client_that_was_wished_for_before_its_scope_is_mended(
    vendor: Vendor, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), vendor.key_manager, scopes=["plants:water"])
    worker.sweep()
    api(publisher, "garden", "plants:water")
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert application_token(credential=row, scopes=["plants:water"]).scope == "plants:water"


def test_no_attempt_shows_a_secret(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), vendor.key_manager)
    worker.settle()
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    revealed = credentials.reveal_secret(actor=developer, credential=row).client_secret
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    assert row.client_id in text
    assert revealed
    assert revealed not in text
