"""Clients of the Management API. Names are not unique and metadata cannot be searched: finding one is a listing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.errors import InputError, KeyManagerProtocolError
from common.http import HttpResponse, address_only
from keymanager.adapters.auth0.api import ManagementApi, gone, quoted
from keymanager.adapters.auth0.config import GRANT_TYPES
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of

_CLIENTS = "/clients"
MARKER: Final = "archway_marker"
_SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
# The request schema is closed: nothing else may be sent along.
_EXTRA: Final = frozenset({"app_type", "description", "logo_uri", "initiate_login_uri", "allowed_logout_urls"})
_LISTED: Final = "client_id,name,app_type,grant_types,callbacks,token_endpoint_auth_method,client_metadata"
_SAME_NAME: Final = ("client_id", "app_type", "grant_types", "token_endpoint_auth_method", "description")


class Clients:
    """The client operations of one tenant."""

    def __init__(self, api: ManagementApi) -> None:
        self._api = api

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Not safe to repeat: a second call makes a second client. The secret cannot be chosen here."""
        response = self._api.found(self._api.send("POST", _CLIENTS, _body(metadata), doing="the client"))
        answer = _registered(response, ClientHandle(client_id=""), metadata)
        if not answer.handle.client_secret and metadata.token_endpoint_auth_method in _SECRET_METHODS:
            raise KeyManagerProtocolError(f"{address_only(response.url)} registered a client without client_secret")
        return answer

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By its id; the secret is there only with the right read:client_keys."""
        response = self._api.send("GET", _path(handle.client_id), doing="to show the client")
        return None if response.status == 404 else _registered(response, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A partial update: what is not sent stays, the secret too."""
        response = self._api.send("PATCH", _path(handle.client_id), _body(metadata), doing="the change")
        if response.status == 404:
            raise gone(handle.client_id)
        return _registered(response, handle, metadata)

    def delete(self, handle: ClientHandle) -> None:
        """Auth0 calls deleting twice a success; its client grants go with the client."""
        self._api.send("DELETE", _path(handle.client_id), repeatable=True, doing="the removal")

    def rotate(self, handle: ClientHandle) -> RegisteredClient:
        """A new secret instead of the old one; a lost answer loses the secret."""
        response = self._api.send("POST", f"{_path(handle.client_id)}/rotate-secret", doing="a new secret")
        if response.status == 404:
            raise gone(handle.client_id)
        required_text(response.json_object(), "client_secret", response)
        return _registered(response, ClientHandle(client_id=handle.client_id), None)

    def find(self, marker: str) -> RegisteredClient | None:
        """A full listing; then a read, which shows the secret to whoever may see it."""
        for entry in self._listed():
            if _marker_of(entry) == marker:
                return self.read(ClientHandle(client_id=text_of(entry, "client_id")))
        return None

    def all(self) -> Iterator[RegisteredClient]:
        """Every client of the tenant but Auth0's own."""
        for entry in self._listed():
            yield RegisteredClient(
                handle=ClientHandle(client_id=text_of(entry, "client_id")), observed=_observed(entry)
            )

    def _listed(self) -> Iterator[dict[str, Any]]:
        query = {"fields": _LISTED, "include_fields": "true", "is_global": "false"}
        return (entry for entry in self._api.pages("clients", query) if text_of(entry, "client_id"))


def _path(client_id: str) -> str:
    return f"{_CLIENTS}/{quoted(client_id)}"


def _body(metadata: ClientMetadata) -> dict[str, Any]:
    """The members for ``metadata``. Raises ``InputError`` for a grant that is not on offer."""
    unknown = [name for name in metadata.grant_types if name not in GRANT_TYPES]
    if unknown:
        raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
    return {
        "app_type": _app_type(metadata),
        **{name: value for name, value in metadata.extra.items() if name in _EXTRA},
        # Angle brackets are forbidden in names there.
        "name": metadata.client_name.replace("<", "‹").replace(">", "›"),
        "grant_types": list(metadata.grant_types),
        "callbacks": list(metadata.redirect_uris),
        # The default is "none": a public client.
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "oidc_conformant": True,
        "jwt_configuration": {"alg": "RS256"},
        "client_metadata": {MARKER: metadata.marker},
    }


def _app_type(metadata: ClientMetadata) -> str:
    if metadata.token_endpoint_auth_method == "none":
        return "native"
    return "non_interactive" if set(metadata.grant_types) == {"client_credentials"} else "regular_web"


def _registered(response: HttpResponse, handle: ClientHandle, metadata: ClientMetadata | None) -> RegisteredClient:
    body = response.json_object()
    client_id = required_text(body, "client_id", response)
    if handle.client_id and client_id != handle.client_id:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
    observed = _observed(body)
    ignored: tuple[str, ...] = ()
    if metadata is not None:
        ignored = _not_kept(metadata, observed)
    secret = text_of(body, "client_secret") or handle.client_secret
    return RegisteredClient(
        handle=ClientHandle(client_id=client_id, client_secret=secret), observed=observed, ignored=ignored
    )


def _observed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A client by the names of RFC 7591, without secrets."""
    return {
        **{name: body[name] for name in _SAME_NAME if name in body},
        "client_name": body.get("name"),
        "redirect_uris": body.get("callbacks") or [],
        MARKER: _marker_of(body),
    }


def _not_kept(metadata: ClientMetadata, observed: Mapping[str, Any]) -> tuple[str, ...]:
    asked: dict[str, Any] = {
        "client_name": metadata.client_name,
        "grant_types": sorted(metadata.grant_types),
        "redirect_uris": sorted(metadata.redirect_uris),
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        MARKER: metadata.marker,
    }
    got = {name: sorted(value) if isinstance(value, list) else value for name, value in observed.items()}
    lost = {name for name, value in asked.items() if got.get(name) != value}
    return tuple(sorted(lost | (metadata.extra.keys() - _EXTRA)))


def _marker_of(body: Mapping[str, Any]) -> str:
    metadata = body.get("client_metadata")
    return text_of(metadata, MARKER) if isinstance(metadata, dict) else ""
