"""A client in PingFederate's words and in those of RFC 7591."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import CLIENT_GONE, text_of, texts_of

PREFIX: Final = "archway-"
GRANT_NAMES: Final[Mapping[str, str]] = {
    "client_credentials": "CLIENT_CREDENTIALS",
    "authorization_code": "AUTHORIZATION_CODE",
    "refresh_token": "REFRESH_TOKEN",
    "password": "RESOURCE_OWNER_CREDENTIALS",
    "urn:ietf:params:oauth:grant-type:device_code": "DEVICE_CODE",
    "urn:ietf:params:oauth:grant-type:token-exchange": "TOKEN_EXCHANGE",
}
# The others need more than a client: a device endpoint, a processor policy for exchanged tokens.
OFFERED: Final = ("client_credentials", "authorization_code", "refresh_token", "password")
_RFC_NAMES: Final = {name: grant for grant, name in GRANT_NAMES.items()}
_PUBLIC: Final = "none"
_METHODS: Final = ("client_secret_basic", "client_secret_post", _PUBLIC)


def client_id_for(marker: str) -> str:
    """We choose the client id: made of the marker, so that a client is found again and made only once."""
    return f"{PREFIX}{marker}"


def new_secret() -> str:
    """We choose the secret too: letters, digits, - and _ only, which every way of sending it leaves alone."""
    return secrets.token_urlsafe(32)


def is_public(metadata: ClientMetadata) -> bool:
    """Whether the client has no secret."""
    return metadata.token_endpoint_auth_method == _PUBLIC


def common_members(metadata: ClientMetadata, scope_kind: str) -> dict[str, Any]:
    """The members that both ways of managing name alike, without grant types and secret. Raises ``InputError``."""
    unknown = [name for name in metadata.grant_types if name not in OFFERED]
    if unknown:
        raise InputError.of("grant_types", f"PingFederate does not offer {', '.join(unknown)}")
    if metadata.token_endpoint_auth_method not in _METHODS:
        raise InputError.of("token_endpoint_auth_method", f"one of {', '.join(_METHODS)} is needed")
    if metadata.extra:
        raise InputError.of("extra", f"{', '.join(sorted(metadata.extra))} cannot be set at PingFederate")
    scopes = sorted(metadata.scopes)
    return {
        "name": metadata.client_name,
        "redirectUris": list(metadata.redirect_uris),
        "restrictedResponseTypes": list(metadata.response_types),
        "restrictScopes": True,
        "restrictedScopes": scopes if scope_kind == "common" else [],
        "exclusiveScopes": scopes if scope_kind == "exclusive" else [],
    }


def observed(client: Mapping[str, Any]) -> dict[str, Any]:
    """A client as PingFederate says it is, without its secrets."""
    grants = texts_of(client, "grantTypes")
    return {
        "client_name": text_of(client, "name"),
        "grant_types": [_RFC_NAMES.get(name, name.lower()) for name in grants],
        "redirect_uris": list(texts_of(client, "redirectUris")),
        "scope": " ".join(sorted({*texts_of(client, "restrictedScopes"), *texts_of(client, "exclusiveScopes")})),
        "enabled": client.get("enabled") is not False,
    }


def registered(client: Mapping[str, Any], handle: ClientHandle, metadata: ClientMetadata | None) -> RegisteredClient:
    """The answer to a call, with the names of what was asked and not kept."""
    if text_of(client, "clientId") != handle.client_id:
        raise KeyManagerProtocolError("PingFederate answered without the client that it was asked for")
    shown = observed(client)
    ignored: list[str] = []
    if metadata is not None:
        kept = {
            "client_name": shown["client_name"] == metadata.client_name,
            "grant_types": set(shown["grant_types"]) == set(metadata.grant_types),
            "redirect_uris": set(shown["redirect_uris"]) == set(metadata.redirect_uris),
            "scope": set(shown["scope"].split()) == metadata.scopes,
        }
        ignored = sorted(name for name, same in kept.items() if not same)
    return RegisteredClient(handle=handle, observed=shown, ignored=tuple(ignored))


def listed(client: Mapping[str, Any]) -> RegisteredClient:
    """A client of a list, without a secret."""
    return registered(client, ClientHandle(client_id=text_of(client, "clientId")), None)


def gone(client_id: str) -> KeyManagerRejected:
    """The client is not there any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at PingFederate", remote_code=CLIENT_GONE, remote_status=404
    )
