"""Scope strings (RFC 6749 section 3.3): space-separated, case-sensitive, order without meaning."""

import re
from collections.abc import Iterable

from common.errors import InputError

# scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def is_scope(key: str) -> bool:
    """True when ``key`` is one scope token."""
    return _SCOPE.fullmatch(key) is not None


def check_scope(key: str, *, name: str = "scope") -> str:
    """``key`` itself. Raises ``InputError`` naming ``name`` when it is not one scope token."""
    if not is_scope(key):
        raise InputError.of(name, f"{key!r} is not a scope: no spaces, quotes, backslashes or non-ASCII characters")
    return key


def parse_scope(text: str, *, name: str = "scope") -> frozenset[str]:
    """The scopes of a scope string; an empty string has none. Raises ``InputError`` naming ``name``."""
    return frozenset(check_scope(key, name=name) for key in text.split(" ") if key)


def format_scope(scopes: Iterable[str]) -> str:
    """The scope string of a set of scopes, sorted. Raises ``InputError`` for a key that is not a scope token."""
    return " ".join(sorted({check_scope(key) for key in scopes}))
