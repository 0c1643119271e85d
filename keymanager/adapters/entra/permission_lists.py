"""App roles and delegated permissions, which for Entra are one list each, and for us one set of scopes.

They share one namespace: with the same value they must have the same id and the same words.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from keymanager.adapters.rfc.answers import text_of

NAMESPACE = uuid.UUID("5f0c5b57-9f0b-5d0c-8a53-6a1f4c9be1d7")
_SHORT, LONGEST_WORDS = 100, 1000


def permission_id(key: str) -> str:
    """The id of a scope's app role and delegated permission: always the same, so that writing twice is harmless."""
    return str(uuid.uuid5(NAMESPACE, f"scope:{key}"))


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else has none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def roles(application: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The app roles that have a value."""
    return [entry for entry in objects(application.get("appRoles")) if text_of(entry, "value")]


def enabled_ids(application: Mapping[str, Any]) -> dict[str, str]:
    """Id by value, of the app roles that are enabled."""
    return {text_of(e, "value"): text_of(e, "id") for e in roles(application) if e.get("isEnabled") is True}


def is_ours(entry: Mapping[str, Any]) -> bool:
    """Whether we made a permission: its id is made of its value."""
    return text_of(entry, "id") == permission_id(text_of(entry, "value"))


def kept(application: Mapping[str, Any]) -> dict[str, str]:
    """Words by key, of the permissions that we made."""
    ours = [entry for entry in roles(application) if is_ours(entry)]
    return {text_of(entry, "value"): text_of(entry, "description") for entry in ours}


def switched_off(entries: Any, keys: set[str]) -> list[dict[str, Any]]:
    """A list in which ours of these keys are disabled."""
    return [
        {**entry, "isEnabled": False} if is_ours(entry) and entry.get("value") in keys else entry
        for entry in objects(entries)
    ]


def role_entry(key: str, words: str) -> dict[str, Any]:
    """The app role of a scope."""
    return {
        "id": permission_id(key),
        "value": key,
        "displayName": key[:_SHORT],
        "description": words[:LONGEST_WORDS],
        "isEnabled": True,
        "allowedMemberTypes": ["Application"],
    }


def scope_entry(key: str, words: str) -> dict[str, Any]:
    """The delegated permission of a scope, saying the same."""
    return {
        "id": permission_id(key),
        "value": key,
        "type": "Admin",
        "adminConsentDisplayName": key[:_SHORT],
        "adminConsentDescription": words[:LONGEST_WORDS],
        "isEnabled": True,
    }
