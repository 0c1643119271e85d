"""Client metadata as it is asked for (RFC 7591 section 2): parsed once, every refusal names the member."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from keymanager.resident.models import AUTH_METHODS, PUBLIC_AUTH_METHOD
from keymanager.resident.scopes_backend import is_reserved, is_scope_token
from keymanager.resident.toolkit_settings import TOKEN_FORMATS

SUPPORTED_GRANTS = ("authorization_code", "client_credentials", "refresh_token")
PASSWORD_GRANT = "password"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_REDIRECT_URIS = 50
MAX_TEXT = 255


class RegistrationRefused(Exception):
    """RFC 7591 section 3.2.2. ``code``: invalid_client_metadata or invalid_redirect_uri. ``member`` is at fault."""

    def __init__(self, member: str, reason: str, *, code: str = "invalid_client_metadata") -> None:
        super().__init__(f"{member}: {reason}")
        self.code = code
        self.member = member


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRequest:
    """What a client shall be; everything is checked."""

    client_name: str
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: str
    scopes: tuple[str, ...]
    archway_marker: str
    access_token_format: str

    @property
    def is_public(self) -> bool:
        """True when the client gets no secret."""
        return self.token_endpoint_auth_method == PUBLIC_AUTH_METHOD


def password_grant_allowed() -> bool:
    """The password grant must not be used (RFC 9700 section 2.4); an operator with old clients may allow it."""
    return bool(getattr(settings, "ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT", False))


def supported_grants() -> tuple[str, ...]:
    """Grant types of this server, RFC names."""
    return (*SUPPORTED_GRANTS, PASSWORD_GRANT) if password_grant_allowed() else SUPPORTED_GRANTS


def parse_registration(document: object) -> RegistrationRequest:
    """Check a registration document; unknown members are ignored (RFC 7591). Raises ``RegistrationRefused``."""
    if not isinstance(document, Mapping):
        raise RegistrationRefused("body", "must be a JSON object")
    grant_types = _grant_types(document)
    request = RegistrationRequest(
        client_name=_text(document, "client_name"),
        grant_types=grant_types,
        redirect_uris=_redirect_uris(document),
        token_endpoint_auth_method=_choice(document, "token_endpoint_auth_method", AUTH_METHODS, AUTH_METHODS[0]),
        scopes=_scopes(document),
        archway_marker=_text(document, "archway_marker", limit=200),
        access_token_format=_choice(document, "access_token_format", ("", *TOKEN_FORMATS), ""),
    )
    _check_response_types(document, grant_types)
    _check_combination(request)
    return request


def _check_combination(request: RegistrationRequest) -> None:
    if "authorization_code" in request.grant_types and not request.redirect_uris:
        raise RegistrationRefused(
            "redirect_uris", "at least one is needed for authorization_code", code="invalid_redirect_uri"
        )
    if request.is_public and "client_credentials" in request.grant_types:
        raise RegistrationRefused("grant_types", "client_credentials needs a client with a secret")
    if "refresh_token" in request.grant_types and not {"authorization_code", PASSWORD_GRANT} & set(request.grant_types):
        raise RegistrationRefused("grant_types", "refresh_token needs another grant that gives refresh tokens")


def _grant_types(document: Mapping[str, Any]) -> tuple[str, ...]:
    values = _strings(document, "grant_types", ["authorization_code"])
    for value in values:
        if value not in supported_grants():
            raise RegistrationRefused("grant_types", f"{_shown(value)} is not supported")
    if not values:
        raise RegistrationRefused("grant_types", "at least one is needed")
    return values


def _check_response_types(document: Mapping[str, Any], grant_types: tuple[str, ...]) -> None:
    for value in _strings(document, "response_types", []):
        if value != "code":
            raise RegistrationRefused("response_types", f"{_shown(value)} is not supported")
        if "authorization_code" not in grant_types:
            raise RegistrationRefused("response_types", "code needs the grant type authorization_code")


def _redirect_uris(document: Mapping[str, Any]) -> tuple[str, ...]:
    values = _strings(document, "redirect_uris", [])
    if len(values) > MAX_REDIRECT_URIS:
        raise RegistrationRefused("redirect_uris", f"at most {MAX_REDIRECT_URIS}", code="invalid_redirect_uri")
    for value in values:
        reason = redirect_uri_fault(value)
        if reason:
            raise RegistrationRefused("redirect_uris", f"{_shown(value)} {reason}", code="invalid_redirect_uri")
    return values


def redirect_uri_fault(uri: str) -> str:
    """Why ``uri`` may not be a redirect URI, or "" (RFC 6749 3.1.2, RFC 8252 7, RFC 9700 2.1)."""
    if any(ord(char) <= 0x20 or ord(char) >= 0x7F for char in uri) or "#" in uri or "\\" in uri:
        return "must be an absolute URI of ASCII characters without blanks and without a fragment"
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is not a URI"
    if "@" in parts.netloc:
        return "must not carry a user name"
    if "*" in parts.netloc:
        return "must not contain wildcards"
    if parts.scheme == "https":
        return "" if host else "must name a host"
    if parts.scheme == "http":
        return "" if host in LOOPBACK_HOSTS else "must use https (plain http is for the loopback address only)"
    if "." in parts.scheme and parts.path:
        return ""
    return "must use https, http on the loopback address, or a private-use scheme such as com.example.app"


def _scopes(document: Mapping[str, Any]) -> tuple[str, ...]:
    value = document.get("scope", "")
    if not isinstance(value, str):
        raise RegistrationRefused("scope", "must be a string of scopes separated by blanks")
    scopes = tuple(dict.fromkeys(value.split()))
    for scope in scopes:
        if not is_scope_token(scope):
            raise RegistrationRefused("scope", f"{_shown(scope)} is not a scope (RFC 6749 section 3.3)")
        if is_reserved(scope):
            raise RegistrationRefused("scope", f"{_shown(scope)} is reserved")
    return scopes


def _strings(document: Mapping[str, Any], member: str, default: list[str]) -> tuple[str, ...]:
    value = document.get(member, default)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RegistrationRefused(member, "must be a list of strings")
    return tuple(dict.fromkeys(value))


def _text(document: Mapping[str, Any], member: str, *, limit: int = MAX_TEXT) -> str:
    value = document.get(member, "")
    if not isinstance(value, str) or "\x00" in value:
        raise RegistrationRefused(member, "must be a string")
    if len(value) > limit:
        raise RegistrationRefused(member, f"must have at most {limit} characters")
    return value


def _choice(document: Mapping[str, Any], member: str, choices: tuple[str, ...], default: str) -> str:
    value = document.get(member, default)
    if value not in choices:
        raise RegistrationRefused(member, "must be one of " + ", ".join(choice for choice in choices if choice))
    return str(value)


def _shown(value: str) -> str:
    """At most 100 printable ASCII characters of what was sent: an answer repeats no more."""
    return ascii(value[:100]).strip("'")
