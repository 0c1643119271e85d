"""Checking, disabling, deleting: what becomes of clients, tokens and APIs, and what a crash leaves behind."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import Actor
from common.errors import InputError, RuleError
from keymanager.adapters.trial_client import NAME
from keymanager.models import AcceptedKeyManagers, Credential, KeyManager, KeyManagerCheck
from keymanager.registrations.forgetting import forget_what_is_old
from keymanager.services import checks, credentials, key_managers
from keymanager.services.key_manager_deletion import finish_deletions
from keymanager.services.trial_clients import LONGEST_CHECK
from keymanager.validation.loader import load_snapshot
from portal.runner.seed import seed
from subscriptions.models import ApiVersion, Application, AuditEvent
from subscriptions.services.applications import start_removal
from subscriptions.states import ApplicationState
from tests.fakes.faults import Fault
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, registration_of, rfc_key_manager, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(admin: Actor, server: RfcServer) -> KeyManager:
    return rfc_key_manager(server, admin=admin)


def steps_of(check: KeyManagerCheck) -> dict[str, str]:
    check.refresh_from_db()
    return {step["name"]: step["state"] for step in check.steps}


def command(*arguments: str) -> tuple[str, int]:
    """What ``manage.py keymanager`` prints, and its exit status."""
    out = io.StringIO()
    try:
        call_command("keymanager", *arguments, stdout=out)
    except SystemExit as exc:
        return out.getvalue(), int(str(exc.code))
    return out.getvalue(), 0


# --- check ------------------------------------------------------------------------------------------------------------
def test_a_check_makes_uses_and_removes_a_client(admin: Actor, row: KeyManager, server: RfcServer) -> None:
    check = key_managers.start_check(actor=admin, key_manager=row)
    checks.run_check(check.pk)
    steps = steps_of(check)
    assert [
        steps[name] for name in ("make a client", "read the client", "get a token", "introspect a fresh token")
    ] == ["passed"] * 4
    assert list(steps)[-1] == "remove the client"
    assert check.sealed_trial == ""
    assert server.clients == {}


def crash_after(check: KeyManagerCheck, name: str) -> None:
    """The process dies when this step is recorded: nothing that comes after it in the code runs."""
    running = checks.carry_out(check)
    for step in running:
        if step.name == name:
            break
    # A dead process closes nothing: the client must not be removed by the generator's own clean-up.
    _LEFT_RUNNING.append(running)


_LEFT_RUNNING: list[Iterator[Any]] = []


@pytest.fixture(autouse=True)
def nothing_keeps_running() -> Iterator[None]:
    yield
    _LEFT_RUNNING.clear()


def test_what_a_dead_check_left_is_removed_by_the_next(admin: Actor, row: KeyManager, server: RfcServer) -> None:
    dead = key_managers.start_check(actor=admin, key_manager=row)
    crash_after(dead, "make a client")
    (left,) = server.clients.values()
    assert left.metadata["client_name"] == NAME
    KeyManagerCheck.objects.filter(pk=dead.pk).update(started_at=timezone.now() - LONGEST_CHECK * 2)
    again = key_managers.start_check(actor=admin, key_manager=row)
    checks.run_check(again.pk)
    assert steps_of(again)["remove what an earlier check left"] == "passed"
    dead.refresh_from_db()
    assert dead.sealed_trial == ""
    assert server.clients == {}


def test_a_check_that_still_runs_keeps_its_client(admin: Actor, row: KeyManager, server: RfcServer) -> None:
    crash_after(key_managers.start_check(actor=admin, key_manager=row), "make a client")
    again = key_managers.start_check(actor=admin, key_manager=row)
    checks.run_check(again.pk)
    assert "remove what an earlier check left" not in steps_of(again)
    assert len(server.clients) == 1


def test_whoever_stops_reading_a_check_leaves_no_client(admin: Actor, row: KeyManager, server: RfcServer) -> None:
    running = checks.check_now(actor=admin, key_manager=row)
    for step in running:
        if step.name == "make a client":
            assert len(server.clients) == 1
            break
    running.close()
    assert server.clients == {}


def test_a_client_that_may_exist_and_cannot_be_searched_is_said_to_be_left(
    admin: Actor, row: KeyManager, server: RfcServer
) -> None:
    server.fault("register", Fault.lost_answer())
    check = key_managers.start_check(actor=admin, key_manager=row)
    checks.run_check(check.pk)
    assert steps_of(check)["remove the client"] == "failed"
    assert NAME in check.steps[-1]["reason"]


def test_what_a_check_knows_of_its_client_holds_no_client_secret_and_is_kept_until_the_client_is_gone(
    admin: Actor, row: KeyManager, server: RfcServer
) -> None:
    dead = key_managers.start_check(actor=admin, key_manager=row)
    crash_after(dead, "make a client")
    (client,) = server.clients.values()
    dead.refresh_from_db()
    assert client.client_secret not in str(dead.__dict__)
    KeyManagerCheck.objects.filter(pk=dead.pk).update(started_at=timezone.now() - LONGEST_CHECK * 10000)
    forget_what_is_old(timezone.now())
    assert KeyManagerCheck.objects.filter(pk=dead.pk).exists()


# --- disable ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("choice", "taken"), [("refuse", False), ("accept", True)])
def test_a_disabled_key_manager_takes_no_clients_and_its_tokens_by_choice(
    admin: Actor, developer: Actor, row: KeyManager, choice: str, taken: bool
) -> None:
    owner = application(developer)
    row = key_managers.disable_key_manager(actor=admin, key_manager=row, when_disabled=choice)
    with pytest.raises(RuleError):
        wish(developer, owner, row)
    assert [each.slug for each in load_snapshot().enabled_key_managers()] == ([row.slug] if taken else [])


def test_an_issuer_whose_tokens_are_still_accepted_is_not_free(
    admin: Actor, row: KeyManager, server: RfcServer
) -> None:
    key_managers.disable_key_manager(actor=admin, key_manager=row, when_disabled="accept")
    with pytest.raises(InputError) as caught:
        rfc_key_manager(server, admin=admin, slug="second")
    assert list(caught.value.fields) == ["issuer"]


def test_an_unknown_choice_names_its_field(admin: Actor, row: KeyManager) -> None:
    with pytest.raises(InputError) as caught:
        key_managers.update_key_manager(actor=admin, key_manager=row, when_disabled="perhaps")
    assert list(caught.value.fields) == ["when_disabled"]


# --- used by ----------------------------------------------------------------------------------------------------------
def test_who_uses_it_is_told_in_a_fixed_number_of_queries(
    admin: Actor, developer: Actor, row: KeyManager, worker: Worker
) -> None:
    wish(developer, application(developer), row)
    with CaptureQueriesContext(connection) as few:
        usage = key_managers.usage_of(row)
    assert (usage.credentials, usage.applications[0].name, usage.applications[0].state) == (
        1, "Museum guide", "requested",
    )  # fmt: skip
    for number in range(10):
        wish(developer, application(developer, f"Guide {number}"), row)
    with CaptureQueriesContext(connection) as many:
        assert key_managers.usage_of(row).credentials == 11
    assert len(many) == len(few)


# --- delete -----------------------------------------------------------------------------------------------------------
def test_deleting_with_removal_waits_for_the_clients_to_go(
    admin: Actor, developer: Actor, row: KeyManager, server: RfcServer, worker: Worker
) -> None:
    credential = wish(developer, application(developer), row)
    worker.settle()
    assert len(server.clients) == 1
    assert not key_managers.delete_key_manager(actor=admin, key_manager=row, clients="remove").deleted
    row.refresh_from_db()
    assert (row.enabled, row.takes_tokens, row.deletion_asked_at is None) == (False, False, False)
    with pytest.raises(RuleError):
        key_managers.enable_key_manager(actor=admin, key_manager=row)
    assert finish_deletions() == 0
    worker.settle()
    assert registration_of(credential).state == "removed"
    assert server.clients == {}
    assert finish_deletions() == 1
    assert not KeyManager.objects.filter(pk=row.pk).exists()


def test_deleting_with_forgetting_names_what_is_left_there(
    admin: Actor, developer: Actor, row: KeyManager, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    wish(developer, owner, row)
    worker.settle()
    done = key_managers.delete_key_manager(actor=admin, key_manager=row, clients="forget")
    assert done.deleted
    (orphan,) = done.orphans
    assert (orphan.kind, orphan.application, [orphan.remote_id]) == ("client", owner.name, list(server.clients))
    assert not Credential.objects.exists()
    event = AuditEvent.objects.get(action="key_manager.delete")
    assert event.detail["clients_left_there"] == list(server.clients)


def test_an_application_that_waited_for_a_forgotten_client_is_removed(
    admin: Actor, developer: Actor, row: KeyManager, server: RfcServer, worker: Worker
) -> None:
    owner = application(developer)
    wish(developer, owner, row)
    worker.settle()
    start_removal(actor=developer, application=owner)
    credentials.remove_all_credentials(actor=developer, application=owner)
    key_managers.delete_key_manager(actor=admin, key_manager=row, clients="forget")
    assert Application.objects.get(pk=owner.pk).state == ApplicationState.REMOVED


def test_a_deletion_takes_the_key_manager_from_the_lists_of_apis(admin: Actor, row: KeyManager) -> None:
    seed(backend_url="http://127.0.0.1:9/")
    version = ApiVersion.objects.get()
    listed, _ = AcceptedKeyManagers.objects.update_or_create(api_version=version, defaults={"accepts_all": False})
    listed.key_managers.set([row])
    usage = key_managers.usage_of(row)
    assert (usage.apis_listing, usage.apis[0].only) == (1, True)
    with pytest.raises(RuleError) as caught:
        key_managers.delete_key_manager(actor=admin, key_manager=row)
    assert "lists it as accepted" in caught.value.unmet[0]
    key_managers.delete_key_manager(actor=admin, key_manager=row, clients="forget")
    route = next(iter(load_snapshot()._routes.values()))
    assert route.accepted == frozenset()


def test_an_unknown_fate_of_the_clients_names_its_field(admin: Actor, row: KeyManager) -> None:
    with pytest.raises(InputError) as caught:
        key_managers.delete_key_manager(actor=admin, key_manager=row, clients="perhaps")
    assert list(caught.value.fields) == ["clients"]


def test_a_deleted_resident_key_manager_is_not_brought_back_by_the_demo_or_the_command(admin: Actor) -> None:
    seed(backend_url="http://127.0.0.1:9/")
    resident = KeyManager.objects.get(slug="resident")
    key_managers.delete_key_manager(actor=admin, key_manager=resident, clients="forget")
    seed(backend_url="http://127.0.0.1:9/")
    with pytest.raises(CommandError, match="--again"):
        call_command("add_resident_key_manager")
    assert not KeyManager.objects.exists()
    call_command("add_resident_key_manager", "--again", stdout=io.StringIO())
    assert KeyManager.objects.get().slug == "resident"


def test_a_resident_key_manager_may_have_another_slug(admin: Actor) -> None:
    key_managers.create_key_manager(actor=admin, slug="inside", name="Inside", adapter="resident", config={})
    assert key_managers.ensure_resident().slug == "inside"


# --- manage.py keymanager ---------------------------------------------------------------------------------------------
def test_the_command_adds_lists_checks_disables_and_enables(admin: Actor, server: RfcServer, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    values = {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }
    config.write_text(json.dumps(values))
    assert command("add", "company", "--adapter", "rfc", "--config", str(config)) == (f"company: {server.issuer}\n", 0)
    assert command("list")[0].split() == ["company", "rfc", "enabled", server.issuer]
    out, status = command("check", "company")
    assert status == 0
    assert "passed  get a token" in out
    assert server.clients == {}
    assert command("disable", "company", "--tokens", "accept")[0] == "company: disabled (tokens: accept)\n"
    assert KeyManager.objects.get().takes_tokens
    assert command("enable", "company")[0] == "company: enabled\n"
    assert AuditEvent.objects.filter(actor_name="manage.py").count() == 4


def test_the_command_says_which_step_failed_by_its_exit_status(row: KeyManager, server: RfcServer) -> None:
    server.fault("register", Fault.refused(403))
    out, status = command("check", row.slug)
    assert status == 1
    assert "failed  make a client" in out


def test_the_command_discovers(server: RfcServer) -> None:
    out, status = command("discover", server.issuer)
    assert status == 0
    assert f'setting issuer = "{server.issuer}" [document]' in out
    assert 'setting basic_encoding = "form" [default]' in out
    assert "doubtful loopback_address:" in out
    assert json.loads(command("discover", server.issuer, "--json")[0]) == {"issuer": server.issuer}
    assert command("discover", f"{server.origin}/nowhere", "--adapter", "rfc")[1] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "nobody"), "There is no key manager 'nobody'."),
        (("add", "x", "--adapter", "rfc", "--config", "/nowhere.json"), "cannot be read as JSON"),
        (("discover", "nonsense"), "url: "),
    ],
)
def test_a_wrong_command_is_told_what_is_wrong(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("keymanager", *arguments)
    assert words in str(caught.value)
