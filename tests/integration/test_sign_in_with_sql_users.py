"""Signing in with a password that another database has."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, ScryptPasswordHasher
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ExternalIdentity, Role, User
from accounts.services import create_user
from common.errors import ConfigurationError
from portal.sign_in.start_up import check_settings

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's database: a table with names of its own, and a view of who is in which group."""
    with closing(sqlite3.connect(tmp_path / "other.sqlite3")) as other:
        other.execute("CREATE TABLE staff (nr INTEGER, login TEXT, pw TEXT, mail TEXT, works INTEGER)")
        other.execute("CREATE TABLE units (nr INTEGER, unit TEXT)")
        other.execute("CREATE VIEW staff_groups AS SELECT nr AS subject, unit AS group_name FROM units")
        other.commit()
        yield other


@pytest.fixture(autouse=True)
def configured(settings: Settings, database: sqlite3.Connection, tmp_path: Path) -> None:
    backend = "portal.sign_in.sql_users.SqlUsersBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, backend]
    settings.ARCHWAY_SQL_USERS_URL = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    settings.ARCHWAY_SQL_USERS_TABLE = "staff"
    settings.ARCHWAY_SQL_USERS_COLUMNS = ["subject=nr", "username=login", "password=pw", "email=mail", "active=works"]
    settings.ARCHWAY_SQL_USERS_GROUPS_TABLE = "staff_groups"
    settings.ARCHWAY_SIGN_IN_ROLES = ["group:web=api_developer"]


def hire(database: sqlite3.Connection, login: str, stored: str, *, number: int = 7, works: int = 1) -> None:
    database.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?)", (number, login, stored, f"{login}@example.org", works))
    database.execute("INSERT INTO units VALUES (?, 'web')", (number,))
    database.commit()


def sign_in(name: str, password: str = PASSWORD) -> Any:
    return Client().post("/sign-in/", {"username": name, "password": password, "next": "/account/"})


def pbkdf2() -> str:
    return PBKDF2PasswordHasher().encode(PASSWORD, "saltsalt", 1000)


@pytest.mark.parametrize(
    ("scheme", "stored"),
    [
        ("django", pbkdf2()),
        ("django", ScryptPasswordHasher().encode(PASSWORD, "saltsalt", n=1024)),
        ("bcrypt", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()),
        ("bcrypt", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$", 1)),
    ],
    ids=["pbkdf2", "scrypt", "bcrypt", "bcrypt of PHP"],
)
def test_somebody_gets_in_with_the_password_as_the_other_database_keeps_it(
    database: sqlite3.Connection, settings: Settings, scheme: str, stored: str
) -> None:
    settings.ARCHWAY_SQL_USERS_PASSWORD_SCHEME = scheme
    hire(database, "ida", stored)
    assert sign_in("ida", "wrong").status_code == 200
    assert sign_in("ida")["Location"] == "/account/"
    ida = User.objects.get()
    assert (ida.username, ida.email) == ("ida", "ida@example.org")
    assert list(ida.role_grants.values_list("role", flat=True)) == ["api_developer"]
    identity = ExternalIdentity.objects.get()
    assert (identity.issuer, identity.subject) == ("sql:users", "7")


def test_a_group_that_is_left_takes_its_role_along(database: sqlite3.Connection) -> None:
    hire(database, "ida", pbkdf2())
    sign_in("ida")
    database.execute("DELETE FROM units")
    database.commit()
    sign_in("ida")
    assert not User.objects.get().role_grants.exists()


def test_who_does_not_work_there_any_more_does_not_get_in(database: sqlite3.Connection) -> None:
    hire(database, "ida", pbkdf2(), works=0)
    assert sign_in("ida").status_code == 200
    assert not User.objects.exists()


@pytest.mark.parametrize("stored", ["", "!", "plain-text", PASSWORD, "md5$salt$abc", "pbkdf2_sha256$x$y"])
def test_what_is_no_hash_of_the_scheme_matches_nothing(database: sqlite3.Connection, stored: str) -> None:
    hire(database, "ida", stored)
    assert sign_in("ida").status_code == 200


def test_two_rows_of_one_name_are_nobody(database: sqlite3.Connection) -> None:
    hire(database, "ida", pbkdf2())
    hire(database, "ida", pbkdf2(), number=8)
    assert sign_in("ida").status_code == 200


def test_what_is_typed_is_never_a_part_of_the_query(database: sqlite3.Connection) -> None:
    hire(database, "ida", pbkdf2())
    assert sign_in("' OR login = 'ida").status_code == 200
    assert sign_in('ida"; DROP TABLE staff; --').status_code == 200
    assert database.execute("SELECT count(*) FROM staff").fetchone() == (1,)


def test_a_database_that_is_away_or_different_is_named_and_local_people_get_in(
    settings: Settings, tmp_path: Path
) -> None:
    create_user(username="root", password=PASSWORD, roles=[Role.ADMINISTRATOR])
    for url, status in ((f"sqlite:///{tmp_path / 'no' / 'such.sqlite3'}", 503), (settings.ARCHWAY_SQL_USERS_URL, 503)):
        settings.ARCHWAY_SQL_USERS_URL = url
        settings.ARCHWAY_SQL_USERS_TABLE = "no_such_table"
        answer = sign_in("ida")
        assert answer.status_code == status
        assert "The user database users does not answer" in answer.content.decode()
    assert sign_in("root").status_code == 302


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHWAY_SQL_USERS_COLUMNS", ["shoe_size=x"]),
        ("ARCHWAY_SQL_USERS_COLUMNS", ["subject="]),
        ("ARCHWAY_SQL_USERS_PASSWORD_SCHEME", "rot13"),
        ("ARCHWAY_SIGN_IN_ROLES", ["staff=publisher"]),
        ("ARCHWAY_SIGN_IN_ROLES", ["group:staff=emperor"]),
        ("ARCHWAY_SIGN_IN_TEAMS", ["museum"]),
        ("ARCHWAY_SIGN_IN_ROLES_FOR_ALL", ["emperor"]),
    ],
)
def test_settings_that_cannot_work_stop_a_process_by_name(settings: Settings, name: str, value: Any) -> None:
    setattr(settings, name, value)
    with pytest.raises(ConfigurationError, match=name):
        check_settings()
