"""From the metadata of RFC 7591 to a client of SurfOAuth and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from common.errors import InputError, KeyManagerProtocolError
from common.http import HttpResponse, address_only
from common.scopes import is_scope
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of
from keymanager.adapters.surfoauth.config import GRANTS, SurfOAuthConfig
from keymanager.adapters.surfoauth.refusals import whole
from keymanager.adapters.surfoauth.resource_servers import check_scope

# The client id is made from the name: of these characters it stays what it is.
_NAME = re.compile(r"[a-z0-9_-]{1,200}")
_MARKER = "archway_marker"
# A client without any redirect URI may be sent anywhere by whoever starts the code flow in its name.
NOWHERE = "urn:archway:no-redirect"
_LONGEST = 255
_EXTRAS: Mapping[str, type] = {
    "skipConsent": bool, "includePrincipal": bool, "expireDuration": int, "thumbNailUrl": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One client as it is. ``raw``: the whole object, to be sent back with a change."""

    id: int
    server_id: int
    name: str
    client_id: str
    secret: str = field(repr=False)
    raw: dict[str, Any] = field(repr=False)

    @property
    def remote_id(self) -> str:
        """What must be remembered to manage it."""
        return f"{self.server_id}/{self.id}"


def name_of(marker: str) -> str:
    """Our own key, as name and so as client id. Raises ``InputError`` for characters that would be dropped."""
    if not _NAME.fullmatch(marker):
        raise InputError.of("marker", "only a to z, 0 to 9, - and _ can be in a client id of SurfOAuth")
    return marker


def parsed(body: Any, server_id: int, response: HttpResponse) -> Remote:
    """A client of an answer. Raises ``KeyManagerProtocolError`` when it is none."""
    if not isinstance(body, dict):
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered something that is no client")
    return Remote(
        id=whole(body, "id", response.url),
        server_id=server_id,
        name=text_of(body, "name"),
        client_id=required_text(body, "clientId", response),
        secret=text_of(body, "secret"),
        raw=body,
    )


def wanted(config: SurfOAuthConfig, metadata: ClientMetadata) -> dict[str, Any]:
    """Every member of the client that ``metadata`` asks for, but no id. Raises ``InputError`` for what cannot be."""
    _check_grants(metadata)
    for name, value in metadata.extra.items():
        if name not in _EXTRAS or type(value) is not _EXTRAS[name]:
            raise InputError.of("extra", f"{name} cannot be set, or not to this")
    if metadata.extra.get("expireDuration", 1) < 1:
        raise InputError.of("extra", "expireDuration must be at least 1; 0 would make tokens that never expire")
    if len(metadata.client_name) > _LONGEST:
        raise InputError.of("client_name", f"SurfOAuth keeps at most {_LONGEST} characters")
    for uri in metadata.redirect_uris:
        _check_redirect_uri(uri)
    return {
        "skipConsent": False,
        "includePrincipal": False,
        "expireDuration": config.expire_duration,
        "thumbNailUrl": "",
        **metadata.extra,
        "name": name_of(metadata.marker),
        "description": metadata.client_name,
        "contactName": config.contact_name,
        "contactEmail": config.contact_email,
        "scopes": sorted(check_scope(scope) for scope in metadata.scopes),
        "attributes": {_MARKER: metadata.marker},
        "redirectUris": list(metadata.redirect_uris) or [NOWHERE],
        "useRefreshTokens": "refresh_token" in metadata.grant_types,
        "allowedImplicitGrant": metadata.token_endpoint_auth_method == "none",
        "allowedClientCredentials": "client_credentials" in metadata.grant_types,
    }


def copied(remote: Remote) -> dict[str, Any]:
    """Every member that a creation needs to make the client as it is."""
    kept = ("skipConsent", "includePrincipal", "expireDuration", "useRefreshTokens", "allowedImplicitGrant")
    texts = ("name", "description", "contactName", "contactEmail", "thumbNailUrl")
    raw = remote.raw
    return {
        **{name: raw[name] for name in (*kept, "allowedClientCredentials") if name in raw},
        **{name: text_of(raw, name) for name in texts},
        "scopes": list(texts_of(raw, "scopes")),
        "redirectUris": list(texts_of(raw, "redirectUris")),
        "attributes": raw.get("attributes") or {},
    }


def _check_grants(metadata: ClientMetadata) -> None:
    unknown = [name for name in metadata.grant_types if name not in GRANTS]
    if unknown:
        raise InputError.of("grant_types", f"SurfOAuth does not offer {', '.join(unknown)}")
    public = metadata.token_endpoint_auth_method == "none"
    if public and "client_credentials" in metadata.grant_types:
        raise InputError.of("grant_types", "a client without a secret cannot have client_credentials")
    if not public and "implicit" in metadata.grant_types:
        raise InputError.of("grant_types", "only a client without a secret (none) can have implicit")
    if metadata.token_endpoint_auth_method not in ("none", "client_secret_basic", "client_secret_post"):
        raise InputError.of("token_endpoint_auth_method", "SurfOAuth knows client secrets only")
    if {"authorization_code", "implicit"} & set(metadata.grant_types) and not metadata.redirect_uris:
        raise InputError.of("redirect_uris", "without one, SurfOAuth would send codes to any address")


def _check_redirect_uri(uri: str) -> None:
    """SurfOAuth compares beginnings: ``https://app.example`` would also let ``https://app.example.evil.test`` pass."""
    parts = urlsplit(uri)
    if not parts.scheme or (parts.scheme in ("http", "https") and not parts.path.startswith("/")):
        raise InputError.of("redirect_uris", f"{uri}: SurfOAuth compares beginnings, so there must be a path")


def observed(remote: Remote) -> dict[str, Any]:
    """The client in the words of RFC 7591, without secrets."""
    raw = remote.raw
    scopes = [scope for scope in texts_of(raw, "scopes") if is_scope(scope)]
    public = raw.get("allowedImplicitGrant") is True
    grants = [
        grant
        for grant, there in (
            ("client_credentials", raw.get("allowedClientCredentials") is True),
            ("authorization_code", redirect_uris(raw) != []),
            ("refresh_token", raw.get("useRefreshTokens") is True),
            ("implicit", public),
        )
        if there
    ]
    return {
        "client_id": remote.client_id,
        "client_name": text_of(raw, "description") or remote.name,
        "grant_types": grants,
        "redirect_uris": redirect_uris(raw),
        "scope": " ".join(sorted(scopes)),
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        "token_lifetime": raw.get("expireDuration"),
    }


def redirect_uris(raw: Mapping[str, Any]) -> list[str]:
    """Those that are real."""
    return [uri for uri in texts_of(raw, "redirectUris") if uri != NOWHERE]


_NAMES = {
    "description": "client_name", "scopes": "scope", "redirectUris": "redirect_uris",
    "useRefreshTokens": "grant_types", "allowedClientCredentials": "grant_types",
    "allowedImplicitGrant": "token_endpoint_auth_method", "expireDuration": "expireDuration",
    "skipConsent": "skipConsent", "includePrincipal": "includePrincipal", "thumbNailUrl": "thumbNailUrl",
}  # fmt: skip


def registered(remote: Remote, handle: ClientHandle | None, sent: Mapping[str, Any]) -> RegisteredClient:
    """The answer of the contract. ``sent``: what was asked for, to name what was not kept."""
    lost = {
        name for member, name in _NAMES.items() if member in sent and not _same(sent[member], remote.raw.get(member))
    }
    before = handle or ClientHandle(client_id=remote.client_id)
    public = remote.raw.get("allowedImplicitGrant") is True
    return RegisteredClient(
        handle=ClientHandle(
            client_id=remote.client_id,
            remote_id=remote.remote_id,
            client_secret="" if public else remote.secret or before.client_secret,
            registration_access_token=before.registration_access_token,
            registration_client_uri=before.registration_client_uri,
        ),
        observed=observed(remote),
        ignored=tuple(sorted(lost)),
    )


def _same(asked: Any, got: Any) -> bool:
    if isinstance(asked, list):
        return set(asked) == set(got if isinstance(got, list) else ())
    return bool(asked == got)
