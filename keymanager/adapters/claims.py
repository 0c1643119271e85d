"""Reading claims by an ordered list of names, as identity providers really write them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

USUAL_CLIENT_ID_CLAIMS: Final = ("client_id", "azp", "cid", "appid")
USUAL_SCOPE_CLAIMS: Final = ("scope", "scp")


def claim_at(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, else what the dots of ``name`` lead to (``realm_access.roles``), else ``None``.

    The whole name comes first: names that are URLs have dots of their own.
    """
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def client_id_in(claims: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first listed claim that names one client (a text, or a list of one text), or ""."""
    for name in names:
        value = claim_at(claims, name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and value:
            return value
    return ""


def scopes_in(claims: Mapping[str, Any], names: Iterable[str]) -> frozenset[str]:
    """The scopes of the first listed claim that is there: a list, or a text separated by spaces."""
    for name in names:
        value = claim_at(claims, name)
        if isinstance(value, str):
            return frozenset(value.split())
        if isinstance(value, list):
            return frozenset(item for item in value if isinstance(item, str))
    return frozenset()


def text_in(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a text, or ""."""
    value = claim_at(claims, name)
    return value if isinstance(value, str) else ""
