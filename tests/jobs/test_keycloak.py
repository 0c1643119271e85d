"""The registration engine on a real Keycloak: whole lives, with lost answers in between."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from accounts.actor import Actor
from accounts.models import Role
from common.errors import RuleError
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.models import Credential, KeyManager, Registration, RegistrationAttempt
from keymanager.registrations.states import RegistrationKind
from keymanager.sealing import secret_digest
from keymanager.services import credentials, key_managers, outside_changes
from keymanager.services.adapters import build_adapter, stored_config
from keymanager.services.allowances import follow_subscriptions
from keymanager.services.tokens import application_token
from subscriptions.models import AuditEvent
from tests.conformance.world import Wire, lost_answer
from tests.integration.keycloak_kit import LOOPBACK, Bench, config_of
from tests.jobs.kit import Worker, application, choose, person, registration_of, wish
from tests.jobs.test_resources import api
from tests.servers.keycloak import Realm, new_realm

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    return new_realm(keycloak_url)


@pytest.fixture
def bench(realm: Realm) -> Iterator[Bench]:
    made = Bench(realm)
    yield made
    made.close()


@pytest.fixture(params=["replace", "overlap"])
def keycloak_manager(request: pytest.FixtureRequest, admin: Actor, realm: Realm) -> KeyManager:
    config = config_of(realm, secret_rotation=request.param)
    return key_managers.create_key_manager(
        actor=admin, slug="keycloak", name="Keycloak", adapter="keycloak", config=config
    )


@pytest.fixture
def publisher(db: None) -> Actor:
    return person("api-developer", Role.API_DEVELOPER, Role.PUBLISHER)


def test_an_api_and_a_client_live_from_the_wish_to_the_removal(
    keycloak_manager: KeyManager, bench: Bench, publisher: Actor, developer: Actor, worker: Worker
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    assert "plants:water" in bench.adapter.list_scopes()
    kept = Registration.objects.filter(kind=RegistrationKind.RESOURCE)
    assert {row.state for row in kept} == {"active"}

    row = wish(developer, application(developer), keycloak_manager, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert row.client_id == f"archway-{row.pk}"
    assert granted(row) == "plants:water"
    before = row.secret_sha256

    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert row.secret_sha256 != before
    assert granted(row) == "plants:water"

    row.application.subscriptions.all().delete()
    follow_subscriptions(actor=developer, application_ids=[row.application_id])
    worker.settle()
    assert bench.document(row.client_id)["optionalClientScopes"] == []

    credentials.remove_credential(actor=developer, credential=row)
    worker.settle()
    assert registration_of(row).state == "removed"
    assert bench.admin("GET", f"/clients?clientId={row.client_id}") == []


def granted(row: Credential) -> str:
    """The scope of a token of the credential."""
    return application_token(credential=row, scopes=["plants:water"]).scope


@pytest.fixture
def losing(realm: Realm) -> Iterator[Callable[[Callable[[httpx2.Request], bool]], Worker]]:
    """A worker that does not hear the first answer to what matches."""
    wire = Wire(PooledTransport(LOOPBACK))

    def worker_that_loses(match: Callable[[httpx2.Request], bool]) -> Worker:
        def once(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
            wire.heal()
            return lost_answer(request, inner)

        wire.plan(match, once)

        def adapters(row: KeyManager) -> KeyManagerAdapter:
            return build_adapter(row.adapter, stored_config(row), HttpClient(transport=wire))

        return Worker(adapters=adapters)

    yield worker_that_loses
    wire.close()


def making(request: httpx2.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/clients")


def rotating(request: httpx2.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/client-secret")


def removing(request: httpx2.Request) -> bool:
    return request.method == "DELETE"


def test_a_creation_whose_answer_was_lost_leaves_exactly_one_client_that_works(
    keycloak_manager: KeyManager,
    bench: Bench,
    developer: Actor,
    publisher: Actor,
    worker: Worker,
    losing: Callable[[Callable[[httpx2.Request], bool]], Worker],
) -> None:
    api(publisher, "garden", "plants:water")
    worker.settle()
    row = wish(developer, application(developer), keycloak_manager, scopes=["plants:water"])
    losing(making).settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert len(bench.admin("GET", f"/clients?clientId={row.client_id}")) == 1
    assert granted(row) == "plants:water"


@pytest.mark.parametrize("lost", [rotating, removing])
def test_a_rotation_or_removal_whose_answer_was_lost_ends_as_it_should(
    keycloak_manager: KeyManager,
    bench: Bench,
    developer: Actor,
    publisher: Actor,
    worker: Worker,
    losing: Callable[[Callable[[httpx2.Request], bool]], Worker],
    lost: Callable[[httpx2.Request], bool],
) -> None:
    api(publisher, "garden", "plants:water")
    row = wish(developer, application(developer), keycloak_manager, scopes=["plants:water"])
    worker.settle()
    row.refresh_from_db()
    unheard = losing(lost)
    unheard.clock.ahead = worker.clock.ahead
    if lost is rotating:
        credentials.rotate_secret(actor=developer, credential=row)
        unheard.settle()
        row.refresh_from_db()
        assert registration_of(row).state == "active"
        assert granted(row) == "plants:water"
    credentials.remove_credential(actor=developer, credential=row)
    unheard.settle()
    assert registration_of(row).state == "removed"
    assert bench.admin("GET", f"/clients?clientId={row.client_id}") == []


def test_no_attempt_shows_a_secret(keycloak_manager: KeyManager, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), keycloak_manager)
    worker.settle()
    row.refresh_from_db()
    secrets = [credentials.reveal_secret(actor=developer, credential=row).client_secret]
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    secrets.append(credentials.reveal_secret(actor=developer, credential=row).client_secret)
    text = str(list(RegistrationAttempt.objects.values_list("exchanges", flat=True)))
    assert row.client_id in text
    assert all(secrets)
    assert not [secret for secret in secrets if secret in text]


# --- what others change -----------------------------------------------------------------------------------------------
@pytest.fixture
def watched(keycloak_manager: KeyManager, developer: Actor, worker: Worker) -> Credential:
    """An active client, from whose creation on changes by others are seen."""
    row = wish(
        developer,
        application(developer),
        keycloak_manager,
        grant_types=["client_credentials", "authorization_code"],
        redirect_uris=["https://app.example/back"],
    )
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    outside_changes.follow(keycloak_manager.pk)
    return row


def told_of(row: Credential) -> tuple[str, str]:
    """State and code of the registration, after another look at the feed."""
    outside_changes.follow(row.key_manager_id)
    registration = registration_of(row)
    return registration.state, registration.last_error_code


one_way = pytest.mark.parametrize("keycloak_manager", ["replace"], indirect=True)


@one_way
def test_a_client_that_somebody_removed_there_is_marked_and_registered_anew_by_a_retry(
    watched: Credential, bench: Bench, developer: Actor, worker: Worker
) -> None:
    assert told_of(watched) == ("active", "")
    bench.admin("DELETE", f"/clients/{watched.remote_id}")

    assert told_of(watched) == ("refused", "client_gone")
    assert "removed this client" in registration_of(watched).last_error
    assert registration_of(watched).outcome == "refused client_gone"
    assert AuditEvent.objects.filter(action="credential.gone_outside", object_id=str(watched.pk)).count() == 1

    credentials.retry(actor=developer, registration=registration_of(watched))
    worker.settle()
    assert told_of(watched) == ("active", "")
    assert bench.document(watched.client_id)["enabled"] is True


@one_way
def test_what_somebody_changed_there_is_said_until_it_is_as_it_was(
    watched: Credential, bench: Bench, developer: Actor, worker: Worker
) -> None:
    path = f"/clients/{watched.remote_id}"
    bench.admin("PUT", path, {"description": "Nothing of ours"})
    assert told_of(watched) == ("active", "")

    bench.admin("PUT", path, {"redirectUris": ["https://evil.example/back"], "enabled": False})
    assert told_of(watched) == ("active", "changed_outside")
    [words] = outside_changes.outside_warnings(Credential.objects.get(pk=watched.pk))
    assert "enabled, redirect_uris" in words
    with pytest.raises(RuleError, match="switched on there"):
        credentials.retry(actor=developer, registration=registration_of(watched))
    choose(developer, watched, "openid")
    worker.settle()
    assert registration_of(watched).last_error_code == "changed_outside"
    assert "switched on there" in registration_of(watched).last_error
    assert bench.document(watched.client_id)["enabled"] is False

    bench.admin("PUT", path, {"redirectUris": ["https://app.example/back"], "enabled": True})
    assert told_of(watched) == ("active", "")

    # A new secret too, which the retry takes over.
    bench.admin("PUT", path, {"redirectUris": ["https://evil.example/back"]})
    secret = bench.admin("POST", f"{path}/client-secret")["value"]
    assert told_of(watched) == ("active", "changed_outside")
    assert "client_secret, redirect_uris" in registration_of(watched).last_error
    credentials.retry(actor=developer, registration=registration_of(watched))
    worker.settle()
    assert told_of(watched) == ("active", "")
    assert bench.document(watched.client_id)["redirectUris"] == ["https://app.example/back"]
    watched.refresh_from_db()
    assert watched.secret_sha256 == secret_digest(watched.pk, secret)


@one_way
def test_a_key_manager_that_does_not_tell_is_asked_again_from_the_same_place(
    watched: Credential, bench: Bench, keycloak_manager: KeyManager
) -> None:
    assert outside_changes.key_managers_that_tell() == [keycloak_manager.pk]
    bench.admin("DELETE", f"/clients/{watched.remote_id}")
    rows = KeyManager.objects.filter(pk=keycloak_manager.pk)
    rows.update(config={**keycloak_manager.config, "admin_url": "http://127.0.0.1:9/"}, revision=2)
    assert told_of(watched) == ("active", "")
    rows.update(config=keycloak_manager.config, revision=3)
    assert told_of(watched) == ("refused", "client_gone")
