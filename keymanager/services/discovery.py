"""What a server says about itself (RFC 8414, OpenID Connect Discovery), before a key manager is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.errors import ArchwayError, InputError
from common.http import HttpLimits
from keymanager.adapters.contract import ServerMetadata
from keymanager.services.adapters import build_adapter, http_client

_ENDPOINTS: Final = (
    "token_endpoint",
    "authorization_endpoint",
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)
# What the portal cannot do without that endpoint.
_CONSEQUENCES: Final = {
    "token_endpoint": "no token can be issued",
    "registration_endpoint": "clients must be made by hand there",
    "introspection_endpoint": "opaque tokens cannot be checked",
    "revocation_endpoint": "tokens cannot be revoked there",
    "jwks_uri": "JWT access tokens cannot be checked here",
    "authorization_endpoint": "no authorization code grant",
}
_LIMITS: Final = HttpLimits(connect=3.0, read=5.0, total=8.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """``found``: endpoint names to URLs. ``missing`` and ``doubtful``: sentences. ``metadata``: the whole, if any."""

    issuer: str
    found: Mapping[str, str]
    missing: tuple[str, ...]
    doubtful: tuple[str, ...]
    metadata: ServerMetadata | None


def discover(*, url: str = "", adapter: str = "rfc", config: Mapping[str, Any] | None = None) -> Discovered:
    """Ask the server at ``url`` (its issuer, or its discovery document), or the one that ``config`` describes.

    Raises ``InputError`` naming ``url`` or ``config.<field>``; a server that does not answer well is a finding.
    """
    if not url and not config:
        raise InputError.of("url", "Give the issuer's URL.")
    values = dict(config or {})
    if url:
        values |= {"discovery_url": url} if "/.well-known/" in url else {"issuer": url}
    if adapter == "rfc":
        # Rights are not needed to read what is public, and may not be known yet.
        values = {"introspection_auth": "bearer", "introspection_token": "-", **values}
    http = http_client(adapter)
    http.limits = _LIMITS
    try:
        return _reported(build_adapter(adapter, values, http).metadata())
    except InputError as exc:
        if url and not {"config.issuer", "config.discovery_url"}.isdisjoint(exc.fields):
            raise InputError.of("url", "This must be an absolute http or https URL.") from exc
        raise
    except ArchwayError as exc:
        return Discovered(issuer="", found={}, missing=(exc.message,), doubtful=(), metadata=None)
    finally:
        http.close()


def _reported(metadata: ServerMetadata) -> Discovered:
    found = {name: getattr(metadata, name) for name in _ENDPOINTS if getattr(metadata, name)}
    missing = tuple(f"{name}: {text}." for name, text in _CONSEQUENCES.items() if name not in found)
    return Discovered(
        issuer=metadata.issuer, found=found, missing=missing, doubtful=_doubts(metadata, found), metadata=metadata
    )


def _doubts(metadata: ServerMetadata, found: Mapping[str, str]) -> tuple[str, ...]:
    doubts = []
    if metadata.issuer.startswith("https://"):
        doubts += [f"{name} is not https although the issuer is." for name, url in found.items() if url[:6] != "https:"]
    if metadata.grant_types_supported and "client_credentials" not in metadata.grant_types_supported:
        doubts.append("client_credentials is not listed among the grant types; servers do not list all that they can.")
    if not metadata.grant_types_supported:
        doubts.append("No grant types are listed.")
    return tuple(doubts)
