"""Resources and scopes at key managers follow the APIs."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.models import KeyManager, Registration
from keymanager.resident.models import Resource, Scope
from keymanager.services import key_managers
from keymanager.services.acceptance import accept_key_managers
from keymanager.services.resources import forget_api_version, registrations_of, sync_api_version
from subscriptions.models import ApiVersion
from subscriptions.services.apis import VersionFacts, create_api_version, delete_api_version, replace_design
from subscriptions.services.designs import DesignInput, OperationInput
from tests.fakes.faults import Fault
from tests.fakes.quirks import GLEWLWYD, Quirks
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, person, registration_of, rfc_key_manager, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


@pytest.fixture
def resident(db: None) -> KeyManager:
    return key_managers.ensure_resident()


def design(*scopes: str) -> DesignInput:
    operation = OperationInput(method="GET", path="/hours", scopes=tuple(scopes))
    return DesignInput(operations=(operation,), scopes={key: f"May {key}" for key in scopes})


def api(publisher: Actor, name: str, *scopes: str) -> ApiVersion:
    assert publisher.team_id is not None
    row = create_api_version(
        actor=publisher,
        team_id=publisher.team_id,
        name=name,
        context=f"/{name}",
        version="1",
        facts=VersionFacts(),
        design=design(*scopes),
    )
    accept_key_managers(actor=publisher, api_version=row, slugs="all")
    sync_api_version(actor=publisher, api_version=row)
    return row


def states(row: ApiVersion) -> dict[str, str]:
    return {f"{item.key_manager.slug} {item.kind}": item.state for item in registrations_of(row)}


def test_creating_an_api_registers_its_resource_and_scopes(
    publisher: Actor, resident: KeyManager, worker: Worker
) -> None:
    row = api(publisher, "museum", "museum:read", "museum:write")
    assert set(states(row).values()) == {"requested"}
    worker.settle()
    assert set(states(row).values()) == {"active"}
    assert set(Scope.objects.values_list("key", flat=True)) == {"museum:read", "museum:write"}
    assert Resource.objects.get().scopes == ["museum:read", "museum:write"]


def test_a_scope_is_registered_once_and_removed_with_the_last_api_that_uses_it(
    publisher: Actor, resident: KeyManager, worker: Worker
) -> None:
    first = api(publisher, "first", "shared", "own")
    second = api(publisher, "second", "shared")
    worker.settle()
    assert Registration.objects.filter(kind="scope", subject="shared").count() == 1

    forget_api_version(actor=publisher, api_version=first)
    delete_api_version(actor=publisher, api_version=first)
    worker.settle()
    assert set(Scope.objects.values_list("key", flat=True)) == {"shared"}
    assert Resource.objects.count() == 1

    forget_api_version(actor=publisher, api_version=second)
    delete_api_version(actor=publisher, api_version=second)
    worker.settle()
    assert not Scope.objects.exists()
    assert not Resource.objects.exists()
    assert {row.state for row in Registration.objects.all()} == {"removed"}


def test_changing_the_scopes_updates_the_resource_and_a_scope_that_returns_is_registered_again(
    publisher: Actor, resident: KeyManager, worker: Worker
) -> None:
    row = api(publisher, "museum", "old")
    worker.settle()
    for scopes in (["new"], ["old"]):
        replace_design(actor=publisher, api_version=row, design=design(*scopes))
        sync_api_version(actor=publisher, api_version=row)
        worker.settle()
        assert set(Scope.objects.values_list("key", flat=True)) == set(scopes)
        assert Resource.objects.get().scopes == scopes
    assert set(states(row).values()) == {"active"}


def test_a_key_manager_without_resources_says_not_kept_and_gets_no_call(
    publisher: Actor, admin: Actor, server: RfcServer, worker: Worker
) -> None:
    rfc_key_manager(server, admin=admin)
    row = api(publisher, "museum", "museum:read")
    assert states(row) == {"fake resource": "not_kept", "fake scope": "not_kept"}
    worker.settle()
    assert states(row) == {"fake resource": "not_kept", "fake scope": "not_kept"}
    assert server.requests == []
    forget_api_version(actor=publisher, api_version=row)
    assert {item.state for item in Registration.objects.all()} == {"removed"}


def test_a_key_manager_that_is_added_later_gets_the_existing_apis(publisher: Actor, worker: Worker) -> None:
    row = api(publisher, "museum", "museum:read")
    assert states(row) == {}
    key_managers.ensure_resident()
    worker.settle()
    assert states(row) == {"resident resource": "active", "resident scope": "active"}


def test_a_key_manager_that_is_no_longer_accepted_loses_resource_and_scopes(
    publisher: Actor, admin: Actor, resident: KeyManager, server: RfcServer, worker: Worker
) -> None:
    rfc_key_manager(server, admin=admin)
    row = api(publisher, "museum", "museum:read")
    worker.settle()
    accept_key_managers(actor=publisher, api_version=row, slugs=["fake"])
    sync_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert states(row) == {"fake resource": "not_kept", "fake scope": "not_kept", "resident resource": "removed"}
    assert not Scope.objects.exists()
    assert not Resource.objects.exists()


def test_an_unchanged_api_is_not_sent_again(publisher: Actor, resident: KeyManager, worker: Worker) -> None:
    row = api(publisher, "museum", "museum:read")
    worker.settle()
    sync_api_version(actor=publisher, api_version=row)
    assert set(states(row).values()) == {"active"}


def test_a_scope_that_is_wanted_again_while_it_is_being_deleted_exists_in_the_end(
    publisher: Actor, resident: KeyManager, worker: Worker
) -> None:
    row = api(publisher, "museum", "museum:read")
    worker.settle()
    replace_design(actor=publisher, api_version=row, design=design("other"))
    sync_api_version(actor=publisher, api_version=row)
    scope = Registration.objects.get(kind="scope", subject="museum:read")

    def want_it_back(name: str) -> None:
        if name == "answered":
            replace_design(actor=publisher, api_version=row, design=design("museum:read"))
            sync_api_version(actor=publisher, api_version=row)

    worker.process(scope.pk, want_it_back)
    worker.settle()
    assert set(Scope.objects.values_list("key", flat=True)) == {"museum:read"}
    scope.refresh_from_db()
    assert scope.state == "active"


@pytest.fixture
def administered(admin: Actor) -> Iterator[tuple[RfcServer, KeyManager]]:
    """A foreign server whose scopes are managed through an interface of its own."""
    with RfcServer(quirks=GLEWLWYD) as server:
        row = key_managers.create_key_manager(
            actor=admin,
            slug="glewlwyd",
            name="glewlwyd",
            adapter="rfc",
            config={
                "preset": "glewlwyd",
                "issuer": server.issuer,
                "registration_client_id": server.dcr_client_id,
                "registration_client_secret": server.dcr_client_secret,
                "introspection_client_id": server.gateway_client_id,
                "introspection_client_secret": server.gateway_client_secret,
                "admin_url": server.admin_url,
                "admin_api_key": server.admin_api_key,
            },
        )
        yield server, row


def test_a_foreign_server_with_an_administration_api_gets_the_scopes(
    publisher: Actor, administered: tuple[RfcServer, KeyManager], worker: Worker
) -> None:
    server, _ = administered
    row = api(publisher, "museum", "tickets:buy")
    worker.settle()
    assert states(row) == {"glewlwyd resource": "not_kept", "glewlwyd scope": "active"}
    assert server.scopes["tickets:buy"].description == "May tickets:buy"
    forget_api_version(actor=publisher, api_version=row)
    worker.settle()
    assert "tickets:buy" not in server.scopes


def test_a_client_whose_scopes_could_not_be_given_is_not_called_active_until_they_are(
    developer: Actor, administered: tuple[RfcServer, KeyManager], worker: Worker
) -> None:
    server, row = administered
    server.fault("administer", Fault.refused(503, times=2))
    credential = wish(developer, application(developer), row, scopes=["read"])
    worker.sweep_at(20)
    waiting = registration_of(credential)
    assert (waiting.state, waiting.last_error_code) == ("waiting", "metadata_ignored")
    credential.refresh_from_db()
    assert list(server.clients) == [credential.client_id]
    worker.settle()
    assert registration_of(credential).state == "active"
    assert server.clients[credential.client_id].scopes == ["read"]


def test_what_a_key_manager_drops_for_good_is_said_beside_active(
    developer: Actor, admin: Actor, worker: Worker
) -> None:
    with RfcServer(quirks=Quirks(registration_scope="unknown_dropped")) as server:
        row = rfc_key_manager(server, admin=admin)
        credential = wish(developer, application(developer), row, scopes=["read", "nonsense"])
        worker.settle()
        registration = registration_of(credential)
        assert registration.state == "active"
        assert registration.last_error == "The key manager did not keep: scope."
