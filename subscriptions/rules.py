"""Decisions that need no database."""

import ipaddress
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from common.errors import InputError

_CONTEXT: Final = re.compile(r"(/[a-z0-9][a-z0-9._~-]*)+", re.IGNORECASE)
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}")
# What the gateway can call; a test compares the two.
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?", re.ASCII)
_BASE: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*", re.ASCII)
# First path segments under which the portal or the gateway itself answers.
_RESERVED_CONTEXTS: Final = frozenset({"check", "healthz", "statz"})


def check_name(name: str, *, longest: int, field: str = "name") -> str:
    """The name without outer blanks.

    Raises ``InputError`` naming ``field`` when it is empty, too long or has control characters.
    """
    cleaned = name.strip()
    if not cleaned:
        raise InputError.of(field, "This must not be empty.")
    if len(cleaned) > longest:
        raise InputError.of(field, f"At most {longest} characters, this has {len(cleaned)}.")
    if not cleaned.isprintable():
        raise InputError.of(field, "Only printable characters.")
    return cleaned


def check_context(context: str) -> str:
    """A gateway path such as ``/museum``. Raises ``InputError`` naming ``context``."""
    if not context.startswith("/"):
        raise InputError.of("context", "It must start with '/'.")
    if len(context) > 232:
        raise InputError.of("context", "At most 232 characters.")
    if not _CONTEXT.fullmatch(context) or any(part in {".", ".."} for part in context.split("/")):
        raise InputError.of("context", "Use segments of letters, digits, '.', '_', '~' and '-', for example /museum.")
    if context.split("/")[1].lower() in _RESERVED_CONTEXTS:
        raise InputError.of("context", f"/{context.split('/')[1]} is reserved.")
    return context


def check_version(version: str) -> str:
    """A version such as ``1.0.0``. Raises ``InputError`` naming ``version``."""
    if not _VERSION.fullmatch(version):
        raise InputError.of("version", "1 to 30 letters, digits, '.', '_' and '-', starting with a letter or digit.")
    return version


def check_endpoint(url: str, field: str) -> str:
    """An upstream URL (http or https, no credentials, query or fragment), or "". Raises ``InputError``."""
    if not url:
        return ""
    if len(url) > 500:
        raise InputError.of(field, "At most 500 characters.")
    if not re.fullmatch(r"[!-~]*", url):
        # Looked at before it is split: splitting drops line breaks.
        raise InputError.of(field, "The URL has characters that a URL cannot have.")
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError as exc:
        raise InputError.of(field, "This is not a URL.") from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_ok:
        raise InputError.of(field, "An absolute http or https URL is needed.")
    if "@" in parts.netloc:
        raise InputError.of(field, "The URL must not contain a user name or password.")
    if parts.query or parts.fragment:
        raise InputError.of(field, "The URL must not have a query or a fragment.")
    if not _is_host(parts.hostname) or not _BASE.fullmatch(parts.path.rstrip("/")):
        raise InputError.of(field, "The gateway cannot call this: unusual characters, or an empty part of the path.")
    return url.rstrip("/")


def _is_host(host: str) -> bool:
    """A name, or an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None
    return "%" not in host


def check_tags(tags: Collection[str]) -> list[str]:
    """Distinct, lower-case, in order. Raises ``InputError`` naming ``tags``."""
    cleaned = list(dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip()))
    if len(cleaned) > 30 or any(len(tag) > 40 or not tag.isprintable() for tag in cleaned):
        raise InputError.of("tags", "At most 30 tags of at most 40 printable characters.")
    return cleaned


def check_audiences(audiences: Collection[str]) -> list[str]:
    """Distinct, in order; a token is for the API when its ``aud`` (RFC 7519 section 4.1.3) has one of them.

    Raises ``InputError`` naming ``audiences``.
    """
    distinct = list(dict.fromkeys(audiences))
    if len(distinct) > 50 or any(not 0 < len(each) <= 500 or not each.isprintable() for each in distinct):
        raise InputError.of("audiences", "At most 50 audiences of 1 to 500 printable characters.")
    return distinct


# What a backend JWT says by itself: no claim of a user may take such a name.
OWN_CLAIMS: Final = frozenset(
    {"iss", "aud", "iat", "nbf", "exp", "jti", "sub", "client_id", "scope", "username", "key_manager", "environment"}
    | {"plan", "application", "api"}
)
_CLAIM: Final = re.compile(r"[!-~]{1,200}")


def check_user_claims(claims: Mapping[str, str]) -> dict[str, str]:
    """Names in the backend JWT to names of claims of the user. Raises ``InputError`` naming ``user_claims``."""
    if len(claims) > 50:
        raise InputError.of("user_claims", "At most 50.")
    for name, source in claims.items():
        if name in OWN_CLAIMS:
            raise InputError.of("user_claims", f"{name} is a claim that the backend JWT has by itself.")
        if not _CLAIM.fullmatch(name) or not _CLAIM.fullmatch(source):
            raise InputError.of("user_claims", "Names are 1 to 200 printable characters without spaces.")
    return dict(claims)


def check_scope_roles(bindings: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Scope keys to distinct roles in order. Raises ``InputError`` naming ``scope_roles``."""
    checked = {key: sorted({role.strip() for role in roles}) for key, roles in bindings.items()}
    for roles in checked.values():
        if any(not role or len(role) > 150 or not role.isprintable() for role in roles) or len(roles) > 50:
            raise InputError.of("scope_roles", "At most 50 roles of 1 to 150 printable characters for each scope.")
    return {key: roles for key, roles in checked.items() if roles}


def resource_identifier(api_version_id: uuid.UUID | str) -> str:
    """What an API version is called at key managers, for ever: a resource indicator (RFC 8707 section 2)."""
    return f"urn:archway:api:{api_version_id}"


NO_KEY_MANAGER: Final = "No enabled key manager is accepted by the API."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFacts:
    """What decides whether an API version can be published."""

    operations: int
    plans: int
    production_url: str
    sandbox_url: str
    accepted_key_managers: int


class PublishCheck(StrEnum):
    """What an API version must have before it can be published."""

    OPERATIONS = "operations"
    ENDPOINT = "endpoint"
    PLAN = "plan"
    KEY_MANAGER = "key_manager"


_UNMET: Final[dict[PublishCheck, str]] = {
    PublishCheck.OPERATIONS: "The API has no operation.",
    PublishCheck.ENDPOINT: "The API has no endpoint; give a production or a sandbox URL.",
    PublishCheck.PLAN: "The API offers no plan; choose at least one.",
    PublishCheck.KEY_MANAGER: NO_KEY_MANAGER,
}


def publish_checks(facts: PublishFacts) -> dict[PublishCheck, bool]:
    """Every check that publishing needs, in order, and whether it is met."""
    return {
        PublishCheck.OPERATIONS: facts.operations > 0,
        PublishCheck.ENDPOINT: bool(facts.production_url or facts.sandbox_url),
        PublishCheck.PLAN: facts.plans > 0,
        PublishCheck.KEY_MANAGER: facts.accepted_key_managers > 0,
    }


def unmet_for_publishing(facts: PublishFacts) -> list[str]:
    """The checks that stop publishing, each a sentence; empty when it can be published."""
    return [_UNMET[check] for check, met in publish_checks(facts).items() if not met]
