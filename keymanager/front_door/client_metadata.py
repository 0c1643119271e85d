"""Client metadata as a program sends it to ``/register`` (RFC 7591 section 2); every refusal names the member."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest

from common.scopes import is_scope
from keymanager.front_door.forms import LONGEST_BODY
from keymanager.front_door.refusals import MetadataRefused
from keymanager.registrations.rules import CONFIDENTIAL_ONLY, GRANT_TYPES
from subscriptions.states import Environment

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "none")
# Said back as it was said; the portal itself makes no use of it.
_TEXTS: Final = ("client_uri", "logo_uri", "tos_uri", "policy_uri", "software_version", "application_type")
_LONGEST_TEXT: Final = 1000
_MOST_VALUES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWish:
    """What the client shall be. ``key_manager`` is a slug, "" leaves the choice to the portal.

    ``remarks``: members that are kept and said back only. ``fingerprint``: SHA-256 of the whole document.
    """

    client_name: str
    grant_types: tuple[str, ...]
    response_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint_auth_method: str
    software_id: str
    key_manager: str
    environment: str
    fingerprint: str
    remarks: Mapping[str, Any] = field(default_factory=dict)


def read_document(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body. Raises ``MetadataRefused``."""
    if request.content_type != "application/json":
        raise MetadataRefused("", "Send the client metadata as application/json.")
    if len(request.body) > LONGEST_BODY:
        raise MetadataRefused("", "The client metadata is too large.")
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as exc:
        raise MetadataRefused("", "The body is not JSON.") from exc
    if not isinstance(document, dict):
        raise MetadataRefused("", "The body is not a JSON object.")
    return document


def parse_wish(document: Mapping[str, Any]) -> ClientWish:
    """Check a document; members that nobody knows are ignored (RFC 7591 section 2). Raises ``MetadataRefused``."""
    grant_types = _grant_types(document)
    wish = ClientWish(
        client_name=_text(document, "client_name", limit=100),
        grant_types=grant_types,
        response_types=_response_types(document, grant_types),
        redirect_uris=_strings(document, "redirect_uris", ()),
        scopes=_scopes(document),
        token_endpoint_auth_method=_choice(document, "token_endpoint_auth_method", AUTH_METHODS),
        software_id=_text(document, "software_id", limit=200),
        key_manager=_text(document, "key_manager", limit=60),
        environment=_choice(document, "environment", tuple(item.value for item in Environment)),
        fingerprint=fingerprint_of(document),
        remarks=_remarks(document),
    )
    if "authorization_code" in grant_types and not wish.redirect_uris:
        raise MetadataRefused("redirect_uris", "At least one is needed for authorization_code.")
    if wish.token_endpoint_auth_method == "none" and not CONFIDENTIAL_ONLY.isdisjoint(grant_types):
        raise MetadataRefused(
            "token_endpoint_auth_method", "client_credentials, password and token exchange need a secret."
        )
    return wish


def fingerprint_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document, whatever the order of its members."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _grant_types(document: Mapping[str, Any]) -> tuple[str, ...]:
    values = _strings(document, "grant_types", ("authorization_code",))
    if not values:
        raise MetadataRefused("grant_types", "At least one is needed.")
    for value in values:
        if value not in GRANT_TYPES:
            raise MetadataRefused("grant_types", f"{value[:80]!a} is not one of {', '.join(GRANT_TYPES)}.")
    return values


def _response_types(document: Mapping[str, Any], grant_types: tuple[str, ...]) -> tuple[str, ...]:
    by_default = ("code",) if "authorization_code" in grant_types else ()
    values = _strings(document, "response_types", by_default)
    if any(value != "code" for value in values):
        raise MetadataRefused("response_types", "Only code is supported.")
    if values and not by_default:
        raise MetadataRefused("response_types", "code needs the grant type authorization_code.")
    return values


def _scopes(document: Mapping[str, Any]) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(_text(document, "scope", limit=4000).split()))
    for value in values:
        if not is_scope(value):
            raise MetadataRefused("scope", f"{value[:80]!a} is not a scope (RFC 6749 section 3.3).")
    return values


def _remarks(document: Mapping[str, Any]) -> dict[str, Any]:
    remarks: dict[str, Any] = {name: _text(document, name) for name in _TEXTS if document.get(name)}
    if document.get("contacts"):
        remarks["contacts"] = list(_strings(document, "contacts", ()))
    return remarks


def _strings(document: Mapping[str, Any], member: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = document.get(member)
    if value is None:
        return default
    if not isinstance(value, list) or not all(_is_text(item) for item in value):
        raise MetadataRefused(member, "This must be a list of strings.")
    if len(value) > _MOST_VALUES or any(len(item) > _LONGEST_TEXT for item in value):
        raise MetadataRefused(member, f"At most {_MOST_VALUES} values of at most {_LONGEST_TEXT} characters.")
    return tuple(dict.fromkeys(value))


def _text(document: Mapping[str, Any], member: str, *, limit: int = _LONGEST_TEXT) -> str:
    value = document.get(member)
    if value is None:
        return ""
    if not _is_text(value):
        raise MetadataRefused(member, "This must be a string.")
    if len(value) > limit:
        raise MetadataRefused(member, f"At most {limit} characters.")
    return str(value)


def _is_text(value: object) -> bool:
    """A string that any database takes: JSON can carry NUL and lone surrogates."""
    return isinstance(value, str) and "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _choice(document: Mapping[str, Any], member: str, choices: tuple[str, ...]) -> str:
    """The member's value; the first choice is the default."""
    value = document.get(member)
    if value is None:
        return choices[0]
    if value not in choices:
        raise MetadataRefused(member, f"This must be one of {', '.join(choices)}.")
    return str(value)
