"""What Entra demands of app roles and delegated permissions when an application is written."""

from typing import Any

from tests.fakes.entra_server.directory import Object, bad

_ENABLED = "CannotDeleteOrUpdateEnabledEntitlement"
_ROLE = {"id", "value", "displayName", "description", "isEnabled", "allowedMemberTypes", "origin"}
_SCOPE = {
    "id", "value", "type", "isEnabled", "origin", "adminConsentDisplayName", "adminConsentDescription",
    "userConsentDisplayName", "userConsentDescription",
}  # fmt: skip
# With the same id, these must say the same.
_PAIRS = (
    ("description", "adminConsentDescription"),
    ("displayName", "adminConsentDisplayName"),
    ("isEnabled", "isEnabled"),
    ("value", "value"),
)


def check_permissions(before: Object, after: Object) -> None:
    """Raises ``Refused`` when the permissions of ``after`` cannot follow those of ``before``."""
    _check_shape(after["appRoles"], _ROLE)
    _check_shape(_scopes(after), _SCOPE)
    _check_names(after)
    for old, new in ((before["appRoles"], after["appRoles"]), (_scopes(before), _scopes(after))):
        left = {entry["id"]: entry for entry in new}
        for entry in old:
            changed = entry["id"] not in left or left[entry["id"]]["value"] != entry["value"]
            if entry["isEnabled"] and changed:
                raise bad("Permission (scope or role) cannot be deleted or updated unless disabled first.", _ENABLED)


def _scopes(application: Object) -> list[Object]:
    return list(application["api"].get("oauth2PermissionScopes", []))


def _check_shape(entries: list[Object], known: set[str]) -> None:
    for entry in entries:
        if set(entry) - known:
            raise bad(f"Invalid property '{min(set(entry) - known)}'.")
        if not all(entry.get(name) not in (None, "") for name in ("id", "value", "isEnabled")):
            raise bad("A permission needs id, value and isEnabled.")
        if len(entry["value"]) > 120 or " " in entry["value"] or entry["value"].startswith("."):
            raise bad("The value of a permission is not valid.")
    ids = [entry["id"] for entry in entries]
    if len(ids) != len(set(ids)) or len({e["value"] for e in entries}) != len(ids):
        raise bad("It contains duplicate value.", "DuplicateValue")


def _check_names(application: Object) -> None:
    roles: dict[Any, Object] = {entry["id"]: entry for entry in application["appRoles"]}
    by_value = {entry["value"]: entry["id"] for entry in application["appRoles"]}
    for scope in _scopes(application):
        if by_value.get(scope["value"], scope["id"]) != scope["id"]:
            raise bad("It contains duplicate value.", "DuplicateValue")
        role = roles.get(scope["id"])
        if role is not None and any(role.get(mine) != scope.get(theirs) for mine, theirs in _PAIRS):
            raise bad(f"Values must match for 'oauth2Permissions' and 'appRoles' with identifier '{scope['id']}'.")
