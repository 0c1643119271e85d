"""What a client may be asked to be; pure decisions, each refusal names its field."""

from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import urlsplit

from common.errors import InputError
from common.redact import redact_text
from common.scopes import check_scope
from keymanager.adapters.contract import TOKEN_EXCHANGE
from subscriptions.states import Environment

GRANT_TYPES: Final = ("client_credentials", "authorization_code", "refresh_token", "password", TOKEN_EXCHANGE)
# RFC 6749 section 4.4: only clients with a secret. With 4.3 and RFC 8693 a client that nobody can tell apart would get
# a person's password, or make more of a token that it found.
CONFIDENTIAL_ONLY: Final = frozenset({"client_credentials", "password", TOKEN_EXCHANGE})
AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "none")
PUBLIC: Final = "none"
# OpenID Connect Core sections 5.4 and 11: about the user, not about an API.
OPENID_SCOPES: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST: Final = 50
_LONGEST_CLIENT_ID: Final = 255
_LONGEST_SECRET: Final = 1000
_LONGEST_SCOPE: Final = 200  # as long as a scope of an API can be


def check_environment(environment: str) -> Environment:
    """The environment. Raises ``InputError`` naming ``environment``."""
    try:
        return Environment(environment)
    except ValueError as exc:
        words = " or ".join(item.value for item in Environment)
        raise InputError.of("environment", f"This must be {words}.") from exc


def check_grant_types(grant_types: Sequence[str], *, offered: Collection[str]) -> list[str]:
    """Distinct grant types in order. Raises ``InputError`` naming ``grant_types`` for one that is not offered."""
    wanted = list(dict.fromkeys(grant_types))
    if not wanted:
        raise InputError.of("grant_types", "At least one is needed.")
    unknown = [name for name in wanted if name not in GRANT_TYPES]
    if unknown:
        raise InputError.of("grant_types", f"Unknown: {', '.join(unknown)}. Known: {', '.join(GRANT_TYPES)}.")
    refused = [name for name in wanted if name not in offered]
    if refused:
        raise InputError.of("grant_types", f"The key manager does not offer {', '.join(refused)}.")
    if wanted == ["refresh_token"]:
        raise InputError.of("grant_types", "refresh_token needs a grant that gives refresh tokens beside it.")
    return wanted


def check_client_id(client_id: str) -> str:
    """A client id that a person gives (RFC 6749 appendix A.1). Raises ``InputError`` naming ``client_id``."""
    if not client_id or len(client_id) > _LONGEST_CLIENT_ID or not _is_vschar(client_id):
        raise InputError.of("client_id", f"1 to {_LONGEST_CLIENT_ID} printable ASCII characters are needed.")
    return client_id


def check_client_secret(client_secret: str) -> str:
    """A secret that a person gives (RFC 6749 appendix A.2), or "". Raises ``InputError`` naming ``client_secret``."""
    if len(client_secret) > _LONGEST_SECRET or not _is_vschar(client_secret):
        raise InputError.of("client_secret", f"At most {_LONGEST_SECRET} printable ASCII characters.")
    return client_secret


def _is_vschar(text: str) -> bool:
    return text.isascii() and text.isprintable()


def check_auth_method(method: str, *, grant_types: Collection[str]) -> str:
    """``token_endpoint_auth_method`` (RFC 7591 section 2). Raises ``InputError`` naming it."""
    if method not in AUTH_METHODS:
        raise InputError.of("token_endpoint_auth_method", f"This must be one of {', '.join(AUTH_METHODS)}.")
    for grant in ("client_credentials", TOKEN_EXCHANGE):
        if method == PUBLIC and grant in grant_types:
            raise InputError.of("token_endpoint_auth_method", f"The grant {grant} needs a client with a secret.")
    return method


def check_redirect_uris(redirect_uris: Sequence[str], *, grant_types: Collection[str]) -> list[str]:
    """Distinct redirect URIs in order; https, or http on loopback (RFC 8252 section 7.3).

    Raises ``InputError`` naming ``redirect_uris``, also when ``authorization_code`` has none.
    """
    wanted = list(dict.fromkeys(redirect_uris))
    if "authorization_code" in grant_types and not wanted:
        raise InputError.of("redirect_uris", "The grant authorization_code needs at least one.")
    if len(wanted) > _MOST:
        raise InputError.of("redirect_uris", f"At most {_MOST}.")
    for uri in wanted:
        fault = _redirect_uri_fault(uri)
        if fault:
            raise InputError.of("redirect_uris", f"{redact_text(uri)[:200]!r}: {fault}")
    return wanted


def _redirect_uri_fault(uri: str) -> str:
    if len(uri) > 2000 or not uri.isascii() or not uri.isprintable() or any(char in uri for char in ' "<>\\^`{|}'):
        return "This is not a URI."
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        return "This is not a URI."
    if not host or not port_is_good:
        return "An absolute URI is needed."
    if "#" in uri:
        return "It must not have a fragment."
    if parts.username is not None or parts.password is not None:
        return "It must not have a user name or password."
    if "*" in host:
        return "Wildcards are not allowed."
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        return ""
    return "It must be https, or http on the loopback address."


def scopes_to_have(chosen: Collection[str], *, offered: Collection[str]) -> frozenset[str]:
    """What a client may have: the chosen scopes that subscribed APIs offer; all that they offer when none were chosen.

    Chosen scopes of OpenID Connect belong to no API and stay.
    """
    wanted = frozenset(chosen)
    return (wanted & frozenset(offered)) | (wanted & OPENID_SCOPES) if wanted else frozenset(offered)


def check_scopes(scopes: Sequence[str]) -> list[str]:
    """Distinct scope keys, sorted. Raises ``InputError`` naming ``scopes``."""
    if len(scopes) > 500 or any(len(key) > _LONGEST_SCOPE for key in scopes):
        raise InputError.of("scopes", f"At most 500 of at most {_LONGEST_SCOPE} characters.")
    return sorted({check_scope(key, name="scopes") for key in scopes})
