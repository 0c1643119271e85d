"""What is sent to register or update a client, and what the answer says (RFC 7591 sections 2 and 3, RFC 7592)."""

from collections.abc import Mapping
from typing import Any

from common.errors import InputError, KeyManagerProtocolError
from common.http import HttpResponse, address_only
from common.redact import is_secret_name
from common.scopes import format_scope
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, whole_number
from keymanager.adapters.rfc.config import RfcConfig

# Members that only the server sets (RFC 7592 section 2.2 forbids sending them).
_SERVER_OWNED = frozenset(
    {
        "client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at",
        "registration_access_token", "registration_client_uri",
    }
)  # fmt: skip
_SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def registration_body(config: RfcConfig, metadata: ClientMetadata) -> dict[str, Any]:
    """The JSON members for ``metadata`` at this server. Raises ``InputError`` for what it cannot have."""
    unknown = [name for name in metadata.grant_types if name not in config.grant_types]
    if unknown:
        raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
    owned = sorted(_SERVER_OWNED & metadata.extra.keys())
    if owned:
        raise InputError.of("extra", f"{', '.join(owned)} cannot be chosen")
    redirect_uris = list(metadata.redirect_uris)
    if not redirect_uris and not config.empty_redirect_uris:
        redirect_uris = [config.placeholder_redirect_uri]
    body: dict[str, Any] = {
        **metadata.extra,
        "client_name": metadata.client_name,
        "grant_types": list(metadata.grant_types),
        "response_types": list(metadata.response_types),
        "redirect_uris": redirect_uris,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
    }
    if metadata.scopes or config.placeholder_scope:
        body["scope"] = format_scope(metadata.scopes) or config.placeholder_scope
    if config.keeps_unknown_metadata:
        body[config.marker_name] = metadata.marker
    return body


def registered(response: HttpResponse, sent: Mapping[str, Any]) -> RegisteredClient:
    """The answer to a registration. Raises ``KeyManagerProtocolError`` when what makes the client usable is missing."""
    body = response.json_object()
    client_id = required_text(body, "client_id", response)
    secret = text_of(body, "client_secret")
    if not secret and sent["token_endpoint_auth_method"] in _SECRET_METHODS:
        raise KeyManagerProtocolError(f"{address_only(response.url)} registered a client without client_secret")
    handle = ClientHandle(
        client_id=client_id,
        client_secret=secret,
        registration_access_token=text_of(body, "registration_access_token"),
        registration_client_uri=text_of(body, "registration_client_uri"),
    )
    return _answer(body, handle, sent)


def updated(
    response: HttpResponse, sent: Mapping[str, Any], handle: ClientHandle, config: RfcConfig
) -> RegisteredClient:
    """The answer to an update: whatever it carries replaces what we had, the rest stays."""
    body = response.json_object()
    if required_text(body, "client_id", response) != handle.client_id:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
    secret = text_of(body, "client_secret")
    token = text_of(body, "registration_access_token")
    if config.update_secret == "new" and not secret and handle.client_secret:
        raise KeyManagerProtocolError(f"{address_only(response.url)} changed the secret without returning it")
    if config.rotates_registration_token and not token:
        raise KeyManagerProtocolError(f"{address_only(response.url)} returned no new registration access token")
    return _answer(body, merged(handle, body, secret=secret), sent)


def read(response: HttpResponse, handle: ClientHandle, config: RfcConfig) -> RegisteredClient:
    """The answer to a read; its secret counts only where the server is known to return the real one."""
    body = response.json_object()
    if required_text(body, "client_id", response) != handle.client_id:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
    secret = text_of(body, "client_secret") if config.read_returns_secret else ""
    return _answer(body, merged(handle, body, secret=secret), {})


def merged(handle: ClientHandle, body: Mapping[str, Any], *, secret: str) -> ClientHandle:
    """``handle`` with whatever the answer carries; what it does not carry stays."""
    return ClientHandle(
        client_id=handle.client_id,
        remote_id=handle.remote_id,
        client_secret=secret or handle.client_secret,
        registration_access_token=text_of(body, "registration_access_token") or handle.registration_access_token,
        registration_client_uri=text_of(body, "registration_client_uri") or handle.registration_client_uri,
    )


def _answer(body: Mapping[str, Any], handle: ClientHandle, sent: Mapping[str, Any]) -> RegisteredClient:
    return RegisteredClient(
        handle=handle,
        observed=observed(body),
        ignored=tuple(sorted(name for name, value in sent.items() if not _same(name, value, body.get(name)))),
        client_secret_expires_at=whole_number(body, "client_secret_expires_at") or 0,
    )


def observed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The client's metadata as the server says it is, without secrets."""
    return {name: value for name, value in body.items() if not is_secret_name(name)}


def _same(name: str, asked: Any, got: Any) -> bool:
    """Whether the server kept a member: scopes and lists have no order, and an empty list may be left out."""
    if name == "scope":
        return isinstance(got, str) and set(str(asked).split()) == set(got.split())
    if isinstance(asked, list):
        return sorted(map(str, asked)) == sorted(map(str, got)) if isinstance(got, list) else not asked and not got
    return got in (asked, [asked])
