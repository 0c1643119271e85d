"""Signing in with a password that another database has: a table or view that is only ever read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import dj_database_url
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.http import HttpRequest

from accounts.directory import DirectoryPerson
from accounts.models import User
from accounts.password_directories import sql_issuer
from common.errors import ConfigurationError, KeyManagerProtocolError, KeyManagerUnavailable
from portal.sign_in.entitlements import rules_of_settings
from subscriptions.services import people

_DJANGO_HASHERS: Final[tuple[type[hashers.BasePasswordHasher], ...]] = (
    hashers.PBKDF2PasswordHasher,
    hashers.PBKDF2SHA1PasswordHasher,
    hashers.ScryptPasswordHasher,
    hashers.BCryptSHA256PasswordHasher,
    hashers.BCryptPasswordHasher,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of the table says what; "" for what it does not have."""

    subject: str = "id"
    username: str = "username"
    password: str = "password"  # noqa: S105 - the name of a column
    email: str = "email"
    first_name: str = ""
    last_name: str = ""
    active: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPerson:
    """One row, and the groups that the other table has of it."""

    values: Mapping[str, Any] = field(repr=False)
    groups: frozenset[str]

    def text(self, name: str) -> str:
        """A column as text, "" where there is none."""
        return str(self.values.get(name) or "")


class SqlUsersBackend(ModelBackend):
    """Looks somebody up by name, and checks the password by the scheme of the settings."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user with this name and password. Raises ``KeyManagerError`` when the database cannot say."""
        if not username or not password:
            return None
        found = find_person(username)
        if found is None:
            return None
        scheme = PASSWORD_SCHEMES[settings.ARCHWAY_SQL_USERS_PASSWORD_SCHEME]
        if not scheme(password, str(found.values["password"] or "")):
            return None
        if not found.values.get("active", True):
            raise PermissionDenied("The account is not active in the other database.")
        person = DirectoryPerson(
            issuer=sql_issuer(),
            subject=str(found.values["subject"]),
            username=str(found.values["username"]),
            email=found.text("email"),
            first_name=found.text("first_name"),
            last_name=found.text("last_name"),
            groups=found.groups,
        )
        return people.admit(person=person, rules=rules_of_settings())


def columns_of_settings() -> Columns:
    """The columns. Raises ``ConfigurationError`` for an entry that cannot be read."""
    known = {column.name for column in fields(Columns)}
    given = {}
    for entry in settings.ARCHWAY_SQL_USERS_COLUMNS:
        name, equals, column = entry.partition("=")
        if name not in known or not equals:
            raise ConfigurationError(
                f"ARCHWAY_SQL_USERS_COLUMNS: {entry!r} is not NAME=COLUMN; names are {', '.join(sorted(known))}"
            )
        given[name] = column
    columns = Columns(**given)
    if not (columns.subject and columns.username and columns.password):
        raise ConfigurationError("ARCHWAY_SQL_USERS_COLUMNS: subject, username and password are needed")
    return columns


def find_person(username: str) -> SqlPerson | None:
    """The row of this name. Two rows of one name are nobody. Raises ``KeyManagerError``."""
    name = settings.ARCHWAY_SQL_USERS_NAME
    database = _database()
    try:
        return _read(database, username)
    except OperationalError as exc:
        raise KeyManagerUnavailable(f"The user database {name} does not answer") from exc
    except DatabaseError as exc:
        raise KeyManagerProtocolError(f"The user database {name} cannot be read as configured.") from exc
    finally:
        database.close()


def _database() -> BaseDatabaseWrapper:
    # Not one of Django's own: no migration, no transaction and no test database of ours may touch it.
    handler = ConnectionHandler({"default": dict(dj_database_url.parse(settings.ARCHWAY_SQL_USERS_URL))})
    return handler["default"]


def _read(database: BaseDatabaseWrapper, username: str) -> SqlPerson | None:
    columns = columns_of_settings()
    wanted = {column.name: getattr(columns, column.name) for column in fields(Columns)}
    wanted = {name: column for name, column in wanted.items() if column}
    with database.cursor() as cursor:
        selected = ", ".join(_quoted(database, column) for column in wanted.values())
        table = _quoted(database, settings.ARCHWAY_SQL_USERS_TABLE)
        where = f"{_quoted(database, columns.username)} = %s"
        # Names of tables and columns are the operator's settings, quoted; what was typed is a parameter.
        cursor.execute(f"SELECT {selected} FROM {table} WHERE {where}", [username])  # noqa: S608
        rows = cursor.fetchmany(2)
        if len(rows) != 1:
            return None
        values = dict(zip(wanted, rows[0], strict=True))
        groups: list[tuple[Any, ...]] = []
        if settings.ARCHWAY_SQL_USERS_GROUPS_TABLE:
            table = _quoted(database, settings.ARCHWAY_SQL_USERS_GROUPS_TABLE)
            cursor.execute(f"SELECT group_name FROM {table} WHERE subject = %s", [values["subject"]])  # noqa: S608
            groups = cursor.fetchall()
    return SqlPerson(values=values, groups=frozenset(str(row[0]) for row in groups))


def _quoted(database: BaseDatabaseWrapper, name: str) -> str:
    return ".".join(database.ops.quote_name(part) for part in name.split("."))


def _django_scheme(password: str, stored: str) -> bool:
    algorithm = stored.partition("$")[0]
    hasher = next((kind() for kind in _DJANGO_HASHERS if kind.algorithm == algorithm), None)
    try:
        return hasher is not None and bool(hasher.verify(password, stored))
    except (ValueError, AssertionError):
        return False


def _bcrypt_scheme(password: str, stored: str) -> bool:
    return _django_scheme(password, f"bcrypt${stored}")


PASSWORD_SCHEMES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "django": _django_scheme,
    "bcrypt": _bcrypt_scheme,
}
