"""The commands with which an operator sets up and looks after an installation."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Role, Team, User
from accounts.queries import personal_team_of, roles_of
from accounts.services import create_team
from keymanager.models import KeyManager

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
    run("create_person", "anna", "--role", "publisher")
    for _ in range(2):
        assert run("grant_role", "anna", "administrator")[0] == "anna: administrator, publisher\n"
    for _ in range(2):
        assert run("grant_role", "anna", "administrator", "--revoke")[0] == "anna: publisher\n"
    assert run("grant_role", "anna", "publisher", "--revoke")[0] == "anna: no role\n"


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
