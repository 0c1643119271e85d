"""A client as an application of Entra ID, and in the words of RFC 7591."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.entra.config import GRANT_TYPES
from keymanager.adapters.rfc.answers import CLIENT_GONE, text_of, texts_of

_PUBLIC = "none"
_METHODS = ("client_secret_basic", "client_secret_post", _PUBLIC)


def is_public(metadata: ClientMetadata) -> bool:
    """Whether the client has no secret."""
    return metadata.token_endpoint_auth_method == _PUBLIC


def application_body(metadata: ClientMetadata) -> dict[str, Any]:
    """What an application can be told of a client. Raises ``InputError`` for what it cannot have."""
    unknown = [name for name in metadata.grant_types if name not in GRANT_TYPES]
    if unknown:
        raise InputError.of("grant_types", f"Entra ID does not offer {', '.join(unknown)}")
    if metadata.token_endpoint_auth_method not in _METHODS:
        raise InputError.of("token_endpoint_auth_method", f"one of {', '.join(_METHODS)} is needed")
    if metadata.extra:
        raise InputError.of("extra", f"{', '.join(sorted(metadata.extra))} cannot be set at Entra ID")
    public = is_public(metadata)
    uris = list(metadata.redirect_uris)
    return {
        "displayName": metadata.client_name,
        "isFallbackPublicClient": public,
        "web": {"redirectUris": [] if public else uris},
        "publicClient": {"redirectUris": uris if public else []},
    }


def not_kept(
    application: Mapping[str, Any], metadata: ClientMetadata, scopes: frozenset[str] | None
) -> tuple[str, ...]:
    """Names of what was asked and not kept; an empty ``application`` says nothing of names and addresses."""
    found = []
    if application and text_of(application, "displayName") != metadata.client_name:
        found.append("client_name")
    if application and set(_redirect_uris(application)) != set(metadata.redirect_uris):
        found.append("redirect_uris")
    if not is_public(metadata) and "client_credentials" not in metadata.grant_types:
        # An application has no list of grant types: whoever has a secret can use this one.
        found.append("grant_types")
    if scopes != metadata.scopes:
        found.append("scope")
    return tuple(found)


def observed(application: Mapping[str, Any], scopes: frozenset[str] | None) -> dict[str, Any]:
    """A client as Entra says it is; ``scopes`` ``None`` when nobody looked."""
    shown: dict[str, Any] = {
        "client_name": text_of(application, "displayName"),
        "redirect_uris": list(_redirect_uris(application)),
        "unique_name": text_of(application, "uniqueName"),
        "enabled": application.get("isDisabled") is not True,
    }
    return shown if scopes is None else {**shown, "scope": " ".join(sorted(scopes))}


def _redirect_uris(application: Mapping[str, Any]) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for platform in ("web", "publicClient", "spa"):
        settings = application.get(platform)
        found += texts_of(settings, "redirectUris") if isinstance(settings, dict) else ()
    return found


def listed(application: Mapping[str, Any]) -> RegisteredClient:
    """A client that was found, without a secret."""
    handle = ClientHandle(client_id=identified(application), remote_id=text_of(application, "id"))
    return RegisteredClient(handle=handle, observed=observed(application, None))


def with_object_id(handle: ClientHandle, application: Mapping[str, Any]) -> ClientHandle:
    """``handle``, which has no object id when the client was made elsewhere."""
    if handle.remote_id:
        return handle
    return replace(handle, remote_id=text_of(application, "id"))


def identified(application: Mapping[str, Any]) -> str:
    """The client id. Raises ``KeyManagerProtocolError`` when an id is missing."""
    client_id = text_of(application, "appId")
    if not client_id or not text_of(application, "id"):
        raise KeyManagerProtocolError("Entra ID answered without id and appId")
    return client_id


def unique_name(marker: str) -> str:
    """The alternate key that is made of the marker: an application is made only once under it."""
    return f"archway-{marker}"


def gone(handle: ClientHandle) -> KeyManagerRejected:
    """The client is not there any more."""
    return KeyManagerRejected(
        f"The client {handle.client_id} no longer exists at Entra ID", remote_code=CLIENT_GONE, remote_status=404
    )
