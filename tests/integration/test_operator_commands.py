"""The commands with which an operator sets up and looks after an installation."""

import io
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Role, Team, User
from accounts.queries import personal_team_of, roles_of
from accounts.teams import create_team
from keymanager.jobs import forget_what_is_old
from keymanager.models import KeyManager, SigningKey
from keymanager.resident.keys import active_signing_key, public_key_set
from keymanager.resident.models import SigningKey as ResidentSigningKey
from keymanager.services.key_managers import ensure_resident
from keymanager.validation.signing import current_signing_key, public_jwks
from subscriptions.models import AuditEvent, ChangeEvent, ChangeKind

pytestmark = pytest.mark.django_db
GOOD = "a-long-and-unlikely-phrase"


def run(command: str, *arguments: str) -> tuple[str, str]:
    """What the command writes to standard output and standard error."""
    out, errors = io.StringIO(), io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.delenv("ARCHWAY_PASSWORD", raising=False)


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    answers = iter(typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))


# --- people -----------------------------------------------------------------------------------------------------------
def test_the_first_administrator_signs_in_with_the_password_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setenv("ARCHWAY_PASSWORD", GOOD)
    out, errors = run("create_person", "root", "--role", "administrator", "--email", "root@portal.example")
    assert (out, GOOD in errors) == ("", False)
    user = User.objects.get()
    assert user.email == "root@portal.example"
    assert roles_of(user) == {Role.ADMINISTRATOR}
    assert personal_team_of(user).name == "root"
    assert client.post("/sign-in/", {"username": "root", "password": GOOD}).status_code == 302
    assert client.get("/api/v1/admin/key-managers/").status_code == 200


def test_a_password_that_is_made_is_the_only_thing_on_the_standard_output() -> None:
    out, _ = run("create_person", "anna", "--role", "api_developer", "--role", "publisher")
    user = User.objects.get()
    assert user.check_password(out.strip())
    assert roles_of(user) == {Role.API_DEVELOPER, Role.PUBLISHER}


def test_a_password_is_typed_twice_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, GOOD, GOOD)
    out, _ = run("create_person", "anna", "--role", "app_developer")
    assert out == ""
    assert User.objects.get().check_password(GOOD)


def test_two_typed_passwords_that_differ_make_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, GOOD, "another")
    with pytest.raises(CommandError, match="password"):
        run("create_person", "anna", "--role", "app_developer")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "password", "field"),
    [
        (["an na", "--role", "publisher"], GOOD, "username"),
        (["a" * 101, "--role", "publisher"], GOOD, "username"),
        (["crew", "--role", "publisher"], GOOD, "username"),
        (["anna", "--role", "publisher"], "qwerty1", "password"),
        (["anna", "--role", "publisher", "--email", "nowhere"], GOOD, "email"),
        (["anna", "--role", "king"], GOOD, "--role"),
        (["anna"], GOOD, "--role"),
    ],
)
def test_what_is_wrong_is_named_and_nobody_is_made(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], password: str, field: str
) -> None:
    create_team(name="Crew", members=[])
    monkeypatch.setenv("ARCHWAY_PASSWORD", password)
    with pytest.raises(CommandError, match=field) as refused:
        run("create_person", *arguments)
    assert password not in str(refused.value)
    assert not User.objects.exists()
    assert Team.objects.count() == 1


def test_a_name_is_given_to_one_person_only() -> None:
    run("create_person", "anna", "--role", "publisher")
    with pytest.raises(CommandError, match="username: This name is taken"):
        run("create_person", "Anna", "--role", "administrator")
    assert roles_of(User.objects.get()) == {Role.PUBLISHER}


def test_a_role_is_given_and_taken_away_and_repeating_it_changes_nothing() -> None:
    run("create_person", "root", "--role", "administrator")
    run("create_person", "anna", "--role", "publisher")
    for _ in range(2):
        assert run("grant_role", "anna", "administrator")[0] == "anna: administrator, publisher\n"
    for _ in range(2):
        assert run("grant_role", "anna", "administrator", "--revoke")[0] == "anna: publisher\n"
    assert run("grant_role", "anna", "publisher", "--revoke")[0] == "anna: no role\n"
    recorded = AuditEvent.objects.order_by("pk").values_list("action", "actor_name", "object_name", "detail")
    assert list(recorded.filter(object_name="anna", action__in=["person.create", "role.grant", "role.revoke"])) == [
        ("person.create", "archway", "anna", {"roles": ["publisher"]}),
        ("role.grant", "archway", "anna", {"role": "administrator"}),
        ("role.revoke", "archway", "anna", {"role": "administrator"}),
        ("role.revoke", "archway", "anna", {"role": "publisher"}),
    ]


@pytest.mark.parametrize(("arguments", "field"), [(["nobody", "publisher"], "username"), (["anna", "king"], "role")])
def test_a_role_or_a_person_that_does_not_exist_is_named(arguments: list[str], field: str) -> None:
    run("create_person", "anna", "--role", "publisher")
    with pytest.raises(CommandError, match=field):
        run("grant_role", *arguments)


# --- the resident key manager -----------------------------------------------------------------------------------------
def test_the_resident_key_manager_is_added_once() -> None:
    first = run("add_resident_key_manager")[0]
    assert run("add_resident_key_manager")[0] == first
    row = KeyManager.objects.get()
    assert first == f"resident: {row.issuer}\n"
    assert row.enabled


# --- signing keys -----------------------------------------------------------------------------------------------------
def kids(keys: Callable[[], Any]) -> list[str]:
    return [key["kid"] for key in keys()["keys"]]


def test_both_kinds_of_signing_keys_are_replaced_and_the_old_ones_stay_published() -> None:
    old = (current_signing_key().kid, active_signing_key().kid)
    out, _ = run("rotate_signing_keys")
    new = (current_signing_key().kid, active_signing_key().kid)
    assert out == f"backend JWT: {new[0]}\nresident key manager: {new[1]}\n"
    assert kids(public_jwks) == [new[0], old[0]]
    assert kids(public_key_set) == [new[1], old[1]]


@pytest.mark.parametrize(("option", "changes"), [("--backend-jwt", (True, False)), ("--resident", (False, True))])
def test_one_kind_of_signing_key_is_replaced_alone(option: str, changes: tuple[bool, bool]) -> None:
    old = (current_signing_key().kid, active_signing_key().kid)
    run("rotate_signing_keys", option)
    assert (current_signing_key().kid != old[0], active_signing_key().kid != old[1]) == changes


def test_validators_are_told_of_both_and_each_is_audited() -> None:
    resident = ensure_resident()
    current_signing_key()
    ChangeEvent.objects.all().delete()
    AuditEvent.objects.all().delete()
    run("rotate_signing_keys")
    told = list(ChangeEvent.objects.order_by("pk").values_list("kind", "object_id"))
    signing = SigningKey.objects.get(kid=current_signing_key().kid)
    assert told == [(ChangeKind.SIGNING_KEY, str(signing.pk)), (ChangeKind.KEY_MANAGER, str(resident.pk))]
    written = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert written == ["signing_key.rotate", "key_manager.rotate_signing_key"]


def test_stolen_keys_leave_the_key_sets_at_once() -> None:
    old = (current_signing_key().kid, active_signing_key().kid)
    run("rotate_signing_keys", "--retire-after", "0")
    assert old[0] not in kids(public_jwks)
    assert old[1] not in kids(public_key_set)


def test_an_old_key_is_published_for_the_stated_time_and_then_deleted() -> None:
    current_signing_key()
    active_signing_key()
    run("rotate_signing_keys", "--retire-after", "86400")
    tomorrow = timezone.now() + timedelta(seconds=86400)
    for old in (SigningKey.objects.get(retired_at__isnull=False), ResidentSigningKey.objects.get(active=False)):
        assert old.retired_at is not None
        assert abs(old.retired_at - tomorrow) < timedelta(minutes=1)
    forget_what_is_old()
    assert (len(kids(public_jwks)), len(kids(public_key_set))) == (2, 2)
    SigningKey.objects.filter(retired_at__isnull=False).update(retired_at=timezone.now())
    ResidentSigningKey.objects.filter(active=False).update(retired_at=timezone.now())
    forget_what_is_old()
    assert kids(public_jwks) == [SigningKey.objects.get().kid]
    assert kids(public_key_set) == [ResidentSigningKey.objects.get().kid]


def test_a_key_id_is_never_given_twice_although_old_keys_are_deleted() -> None:
    seen = {current_signing_key().kid}
    for count in range(2, 5):
        run("rotate_signing_keys", "--backend-jwt", "--retire-after", "0")
        forget_what_is_old()
        seen.add(current_signing_key().kid)
        assert len(seen) == count


@pytest.mark.parametrize(
    "arguments", [["--retire-after", "-1"], ["--retire-after", "soon"], ["--resident", "--backend-jwt"]]
)
def test_a_rotation_that_cannot_be_meant_changes_nothing(arguments: list[str]) -> None:
    kid = current_signing_key().kid
    with pytest.raises(CommandError):
        run("rotate_signing_keys", *arguments)
    assert current_signing_key().kid == kid
