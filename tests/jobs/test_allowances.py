"""What a client may have follows the subscriptions of its application, by wishes that a job carries out."""

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.adapters.contract import RESOURCES, SCOPES
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.models import Credential, KeyManager
from keymanager.registrations.client_facts import metadata_of
from keymanager.services.allowances import allowed_scopes, follow_subscriptions
from publisher.services import block_subscription, change_api, unblock_subscription
from store.services import subscribe, unsubscribe
from subscriptions.models import ApiVersion, Application, Plan, Subscription
from subscriptions.services.apis import VersionFacts
from subscriptions.states import ApiState
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, person, registration_of, rfc_key_manager, wish
from tests.jobs.test_resources import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


@pytest.fixture
def fake(admin: Actor, server: RfcServer) -> KeyManager:
    return rfc_key_manager(server, admin=admin)


@pytest.fixture
def museum(publisher: Actor, fake: KeyManager) -> ApiVersion:
    return published(publisher, "museum", "museum:read", "museum:write")


def published(publisher: Actor, name: str, *scopes: str) -> ApiVersion:
    row = api(publisher, name, *scopes)
    row.plans.add(Plan.objects.get(slug="unlimited"))
    ApiVersion.objects.filter(pk=row.pk).update(state=ApiState.PUBLISHED, production_url="http://127.0.0.1:9000")
    row.refresh_from_db()
    return row


def subscribed(developer: Actor, owner: Application, version: ApiVersion) -> Subscription:
    plan = Plan.objects.get(slug="unlimited")
    return subscribe(actor=developer, application=owner, api_version=version, plan=plan)


def scope_there(server: RfcServer, row: Credential) -> str:
    """The scopes of the client at the key manager."""
    row.refresh_from_db()
    return " ".join(sorted(str(server.clients[row.client_id].metadata.get("scope", "")).split()))


def test_subscribing_and_unsubscribing_change_what_the_client_has(
    fake: KeyManager, museum: ApiVersion, publisher: Actor, server: RfcServer, developer: Actor, worker: Worker
) -> None:
    owner = application(developer)
    row = wish(developer, owner, fake)
    worker.settle()
    assert scope_there(server, row) == ""

    subscription = subscribed(developer, owner, museum)
    assert registration_of(row).state == "requested"
    worker.settle()
    assert scope_there(server, row) == "museum:read museum:write"

    subscribed(developer, owner, published(publisher, "garden", "plants:water"))
    unsubscribe(actor=developer, subscription=subscription)
    worker.settle()
    assert scope_there(server, row) == "plants:water"


def test_chosen_scopes_are_an_upper_bound(
    fake: KeyManager, museum: ApiVersion, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    subscribed(developer, owner, museum)
    row = wish(developer, owner, fake, scopes=["museum:read", "openid"])
    worker.settle()
    assert scope_there(server, row) == "museum:read openid"


def test_ten_subscriptions_at_once_are_one_call(
    fake: KeyManager, publisher: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    row = wish(developer, owner, fake)
    worker.settle()
    for number in range(10):
        subscribed(developer, owner, published(publisher, f"api-{number}", f"scope:{number}"))
    worker.settle()
    assert len(server.requests_of("update")) == 1
    assert len(scope_there(server, row).split()) == 10


def test_a_blocked_subscription_takes_its_scopes_away_and_gives_them_back(
    fake: KeyManager, museum: ApiVersion, publisher: Actor, developer: Actor
) -> None:
    owner = application(developer)
    production = wish(developer, owner, fake)
    sandbox = wish(developer, owner, fake, environment="sandbox")
    subscription = subscribed(developer, owner, museum)
    both = frozenset({"museum:read", "museum:write"})

    block_subscription(actor=publisher, subscription=subscription, production_only=True)
    assert (allowed_scopes(production), allowed_scopes(sandbox)) == (frozenset(), both)
    block_subscription(actor=publisher, subscription=subscription, production_only=False)
    assert (allowed_scopes(production), allowed_scopes(sandbox)) == (frozenset(), frozenset())
    assert registration_of(production).wanted["scopes"] == registration_of(sandbox).wanted["scopes"] == []
    unblock_subscription(actor=publisher, subscription=subscription)
    assert registration_of(production).wanted["scopes"] == sorted(both)


def test_an_api_that_no_longer_accepts_the_key_manager_takes_its_scopes_from_its_clients(
    fake: KeyManager, admin: Actor, museum: ApiVersion, publisher: Actor, developer: Actor, server: RfcServer
) -> None:
    rfc_key_manager(server, admin=admin, slug="other", issuer=f"{server.issuer}/other", token_endpoint=server.issuer)
    owner = application(developer)
    row = wish(developer, owner, fake)
    subscribed(developer, owner, museum)
    change_api(actor=publisher, api_version=museum, facts=VersionFacts(), key_managers=["other"])
    assert registration_of(row).wanted["scopes"] == []
    change_api(actor=publisher, api_version=museum, facts=VersionFacts(), key_managers="all")
    assert registration_of(row).wanted["scopes"] == ["museum:read", "museum:write"]


def test_where_an_update_replaces_the_secret_a_subscription_sends_nothing(
    admin: Actor, publisher: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    key_manager = rfc_key_manager(server, admin=admin, update_secret="new")
    owner = application(developer)
    wish(developer, owner, key_manager)
    worker.settle()
    subscribed(developer, owner, published(publisher, "museum", "museum:read"))
    worker.settle()
    assert server.requests_of("update") == []


def test_a_second_look_changes_nothing(fake: KeyManager, museum: ApiVersion, developer: Actor) -> None:
    owner = application(developer)
    wish(developer, owner, fake)
    subscribed(developer, owner, museum)
    assert follow_subscriptions(actor=developer, application_ids=[owner.pk]) == 0


def test_an_adapter_that_keeps_resources_is_told_those_of_the_subscribed_apis(
    fake: KeyManager, museum: ApiVersion, developer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RfcAdapter, "kept_on_clients", frozenset({SCOPES, RESOURCES}))
    owner = application(developer)
    row = wish(developer, owner, fake)
    subscribed(developer, owner, museum)
    metadata = metadata_of(row, registration_of(row).wanted)
    assert metadata.resources == frozenset({f"urn:archway:api:{museum.pk}"})
