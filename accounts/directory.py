"""What login providers and directories say of people, and what that gives them here. No database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.models import Role
from common.errors import ConfigurationError

LONGEST_IDENTIFIER = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPerson:
    """Somebody whom ``issuer`` vouches for. ``subject``: never given to somebody else there.

    ``groups`` and ``roles`` are its own names; empty means none, also when it said nothing about them.
    """

    issuer: str
    subject: str
    username: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlements:
    """Portal roles, and names of shared teams."""

    roles: frozenset[Role]
    teams: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRules:
    """Which groups and roles elsewhere give what here.

    ``roles``: portal roles by ``group:NAME`` or ``role:NAME``. ``teams``: shared teams by the same. ``for_all``: roles
    of everybody who signs in.
    """

    roles: tuple[tuple[str, Role], ...] = ()
    teams: tuple[tuple[str, str], ...] = ()
    for_all: frozenset[Role] = frozenset()

    def entitlements_of(self, person: DirectoryPerson) -> Entitlements:
        """What the person gets."""
        names = {f"group:{name}" for name in person.groups} | {f"role:{name}" for name in person.roles}
        return Entitlements(
            roles=self.for_all | {role for name, role in self.roles if name in names},
            teams=frozenset(team for name, team in self.teams if name in names),
        )


def entitlement_rules(
    *, roles: Iterable[str], teams: Iterable[str], for_all: Iterable[str], names: Mapping[str, str]
) -> EntitlementRules:
    """Rules from settings such as ``group:staff=publisher``.

    ``names``: the setting behind each argument, for messages. Raises ``ConfigurationError``.
    """
    return EntitlementRules(
        roles=tuple((key, _role(value, names["roles"])) for key, value in _pairs(roles, names["roles"])),
        teams=tuple(_pairs(teams, names["teams"])),
        for_all=frozenset(_role(value, names["for_all"]) for value in for_all),
    )


def _pairs(entries: Iterable[str], name: str) -> list[tuple[str, str]]:
    found = []
    for entry in entries:
        key, equals, value = entry.rpartition("=")
        if not (equals and value.strip() and key.startswith(("group:", "role:"))):
            raise ConfigurationError(f"{name}: {entry!r} is not group:NAME=… or role:NAME=…")
        found.append((key.strip(), value.strip()))
    return found


def _role(value: str, name: str) -> Role:
    if value not in Role.values:
        raise ConfigurationError(f"{name}: {value!r} is no role of the portal; roles are {', '.join(Role.values)}")
    return Role(value)
