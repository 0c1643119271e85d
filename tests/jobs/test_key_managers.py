"""Key managers: configuration, masks, guards, checks, keys of secrets at rest."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, NotAllowed, RuleError
from common.secretbox import format_keys, generate_key
from keymanager import jobs
from keymanager.models import Credential, KeyManager
from keymanager.sealing import secret_box
from keymanager.services import credentials, key_managers
from keymanager.services.adapters import adapter_for
from keymanager.services.configuration import shown_config
from keymanager.validation.signing import current_signing_key
from subscriptions.models import AuditEvent, ChangeEvent, ChangeKind
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, person, registration_of, rfc_key_manager, wish
from tests.servers.process import free_port

pytestmark = pytest.mark.django_db


def test_secrets_come_back_masked_and_sending_the_mask_keeps_them(admin: Actor, server: RfcServer) -> None:
    row = rfc_key_manager(server, admin=admin)
    shown = shown_config(row)
    assert shown["initial_access_token"] == "*****"
    assert shown["registration_client_secret"] == ""
    assert server.initial_access_token not in str(row.config)
    key_managers.update_key_manager(actor=admin, key_manager=row, config={**shown, "registration_scope": "dcr"})
    row.refresh_from_db()
    assert adapter_for(row).config.initial_access_token == server.initial_access_token
    assert adapter_for(row).config.registration_scope == "dcr"


def test_every_change_is_audited_without_secrets_and_announced(admin: Actor, server: RfcServer) -> None:
    row = rfc_key_manager(server, admin=admin)
    key_managers.update_key_manager(actor=admin, key_manager=row, config={"initial_access_token": "another-secret"})
    events = AuditEvent.objects.filter(object_id=str(row.pk))
    assert set(events.values_list("action", flat=True)) == {"key_manager.create", "key_manager.change"}
    assert "another-secret" not in str(list(events.values()))
    assert ChangeEvent.objects.filter(kind=ChangeKind.KEY_MANAGER, object_id=str(row.pk)).count() == 2


def test_wrong_settings_name_their_field(admin: Actor) -> None:
    with pytest.raises(InputError) as caught:
        key_managers.create_key_manager(
            actor=admin, slug="x", name="x", adapter="rfc", config={"issuer": "no url", "nonsense": 1}
        )
    assert {"config.issuer", "config.nonsense"} <= set(caught.value.fields)


def test_the_adapter_cannot_be_changed(admin: Actor, server: RfcServer) -> None:
    row = rfc_key_manager(server, admin=admin)
    with pytest.raises(InputError) as caught:
        key_managers.update_key_manager(actor=admin, key_manager=row, adapter="resident")
    assert list(caught.value.fields) == ["adapter"]


def test_two_enabled_key_managers_cannot_have_one_issuer(admin: Actor, server: RfcServer) -> None:
    first = rfc_key_manager(server, admin=admin)
    with pytest.raises(InputError) as caught:
        rfc_key_manager(server, admin=admin, slug="second")
    assert list(caught.value.fields) == ["issuer"]
    key_managers.disable_key_manager(actor=admin, key_manager=first)
    rfc_key_manager(server, admin=admin, slug="second")
    with pytest.raises(InputError):
        key_managers.enable_key_manager(actor=admin, key_manager=first)


def test_an_alias_is_an_issuer_that_nobody_else_can_have(admin: Actor, server: RfcServer) -> None:
    alias = "https://alias.example"
    first = rfc_key_manager(server, admin=admin, issuer_aliases=[alias])
    with pytest.raises(InputError) as caught:
        rfc_key_manager(server, admin=admin, slug="second", issuer="https://own.example", issuer_aliases=[alias])
    assert list(caught.value.fields) == ["config.issuer_aliases"]
    assert not KeyManager.objects.filter(slug="second").exists()
    with pytest.raises(InputError) as caught:
        rfc_key_manager(server, admin=admin, slug="second", issuer=alias)
    assert list(caught.value.fields) == ["issuer"]
    key_managers.update_key_manager(actor=admin, key_manager=first, config={"issuer_aliases": []})
    rfc_key_manager(server, admin=admin, slug="second", issuer=alias)


@pytest.mark.django_db(transaction=True)
def test_of_two_key_managers_that_claim_an_issuer_at_the_same_moment_one_gets_it(server: RfcServer) -> None:
    admin = person("administrator", Role.ADMINISTRATOR)
    start = threading.Barrier(2)

    def make(number: int) -> str:
        own = f"https://own-{number}.example"
        start.wait(5)
        try:
            rfc_key_manager(server, admin=admin, slug=f"idp-{number}", issuer=own, issuer_aliases=["https://a.example"])
        except InputError as exc:
            return next(iter(exc.fields))
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = sorted(pool.map(make, range(2)))
    assert outcomes == ["config.issuer_aliases", "made"]
    assert KeyManager.objects.count() == 1


def test_only_administrators_change_key_managers(developer: Actor, server: RfcServer) -> None:
    with pytest.raises(NotAllowed):
        rfc_key_manager(server, admin=developer)


def test_a_used_key_manager_is_not_deleted_and_says_who_uses_it(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = rfc_key_manager(server, admin=admin)
    credential = wish(developer, application(developer), row)
    worker.settle()
    with pytest.raises(RuleError) as caught:
        key_managers.delete_key_manager(actor=admin, key_manager=row)
    assert caught.value.unmet == ["The application Museum guide has a production client there."]
    credentials.remove_credential(actor=developer, credential=credential)
    worker.settle()
    key_managers.delete_key_manager(actor=admin, key_manager=row)
    assert not KeyManager.objects.exists()
    assert not Credential.objects.exists()


def test_the_resident_key_manager_is_made_once_and_follows_the_portals_address(settings: Settings) -> None:
    first = key_managers.ensure_resident()
    assert key_managers.ensure_resident().pk == first.pk
    assert (first.slug, first.adapter, first.sealed_config) == ("resident", "resident", "")
    settings.ARCHWAY_PUBLIC_URL = "http://127.0.0.1:9999"
    moved = key_managers.ensure_resident()
    assert moved.issuer == "http://127.0.0.1:9999/resident"
    assert moved.revision == first.revision + 1


def test_an_adapter_is_kept_until_its_configuration_changes(admin: Actor, server: RfcServer) -> None:
    row = rfc_key_manager(server, admin=admin)
    before = adapter_for(row)
    assert adapter_for(KeyManager.objects.get()) is before
    row = key_managers.update_key_manager(actor=admin, key_manager=row, config={"revocation": False})
    assert adapter_for(row) is not before


def test_a_check_shows_its_steps(admin: Actor, server: RfcServer) -> None:
    row = rfc_key_manager(server, admin=admin)
    check = key_managers.start_check(actor=admin, key_manager=row)
    assert check.steps == []
    jobs.run_check(str(check.pk))
    check.refresh_from_db()
    assert check.finished_at is not None
    assert {"discovery", "introspection"} <= {step["name"] for step in check.steps}
    assert {step["state"] for step in check.steps} <= {"passed", "skipped"}


def test_discovery_says_what_was_found_and_what_is_missing(server: RfcServer) -> None:
    found = key_managers.discover(url=server.issuer)
    assert found.issuer == server.issuer
    assert found.found["registration_endpoint"] == f"{server.issuer}/register"
    nothing = key_managers.discover(url=f"{server.origin}/nowhere")
    assert nothing.metadata is None
    assert nothing.missing


def test_discovery_of_a_private_address_is_refused(settings: Settings, server: RfcServer) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = []
    with pytest.raises(InputError):
        key_managers.discover(url=server.issuer)
    assert server.requests == []


def test_rotating_keys_seals_everything_anew_and_everything_still_opens(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = rfc_key_manager(server, admin=admin)
    credential = wish(developer, application(developer), row)
    worker.settle()
    signer = current_signing_key()
    before = Credential.objects.get()
    output = io.StringIO()
    call_command("rotate_keys", "--new-key", stdout=output)
    after = Credential.objects.get()
    assert after.sealed_secret != before.sealed_secret
    assert not secret_box().needs_rotation(after.sealed_secret)
    assert not secret_box().needs_rotation(KeyManager.objects.get().sealed_config)
    assert "client secrets: 1" in output.getvalue()
    assert "signing keys of the backend JWT: 1" in output.getvalue()
    (client,) = server.clients.values()
    assert client.client_secret not in output.getvalue()
    assert credentials.reveal_secret(actor=developer, credential=credential).client_secret == client.client_secret
    assert current_signing_key().kid == signer.kid
    credentials.change_credential(actor=developer, credential=credential, scopes=["write"])
    worker.settle()
    assert registration_of(credential).state == "active"
    again = io.StringIO()
    call_command("rotate_keys", stdout=again)
    assert "client secrets: 0" in again.getvalue()


def test_keys_may_come_from_the_environment(settings: Settings) -> None:
    old, new = generate_key("old"), generate_key("new")
    settings.ARCHWAY_SECRET_KEYS = format_keys([old]).strip()
    sealed = secret_box().encrypt("secret", context="x")
    settings.ARCHWAY_SECRET_KEYS = format_keys([new, old]).strip().replace("\n", ",")
    assert secret_box().decrypt(sealed, context="x") == "secret"
    assert secret_box().needs_rotation(sealed)


@pytest.fixture
def no_broker(settings: Settings) -> Iterator[None]:
    """The broker that is configured does not take anything."""
    with _no_redis() if settings.ARCHWAY_REDIS_URL else _no_queue_folder():
        yield


@contextmanager
def _no_queue_folder() -> Iterator[None]:
    """Where the queue's folder should be, there is a file."""
    folder = Path(current_app.conf.broker_transport_options["data_folder_out"])
    aside = folder.with_name("queue-aside")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(aside)
    folder.write_text("")
    yield
    folder.unlink()
    aside.rename(folder)


@contextmanager
def _no_redis() -> Iterator[None]:
    """Nothing listens where the broker should be."""
    before = current_app.conf.broker_write_url
    current_app.conf.update(broker_write_url=f"redis://127.0.0.1:{free_port()}/0")
    forget_connections()
    yield
    current_app.conf.update(broker_write_url=before)
    forget_connections()


def forget_connections() -> None:
    """Make Celery open its next connection by the settings of that moment."""
    current_app.close()
    vars(current_app.amqp)["_producer_pool"] = None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_down_loses_no_registration_and_no_request_fails(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    assert registration_of(row).state == "requested"
    assert worker.sweep() == 1
    assert registration_of(row).state == "active"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_broker")
def test_a_check_that_nobody_will_run_says_so(admin: Actor, server: RfcServer) -> None:
    check = key_managers.start_check(actor=admin, key_manager=rfc_key_manager(server, admin=admin))
    check.refresh_from_db()
    assert check.finished_at is not None
    assert check.steps[0]["name"] == "queue"


def test_no_longer_keeping_secrets_erases_those_that_were_shown(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = rfc_key_manager(server, admin=admin)
    owner = application(developer)
    seen, unseen = (wish(developer, owner, row, environment=name) for name in ("production", "sandbox"))
    worker.settle()
    credentials.reveal_secret(actor=developer, credential=seen)
    key_managers.update_key_manager(actor=admin, key_manager=row, keep_secrets=False)
    with pytest.raises(RuleError, match="keep none"):
        credentials.reveal_secret(actor=developer, credential=seen)
    assert credentials.reveal_secret(actor=developer, credential=unseen).client_secret
