"""Clients by dynamic registration (``/oauth2/v1/clients``): Okta chooses the id; a creation is not safe to repeat."""

from collections.abc import Iterator, Mapping
from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import HttpResponse, address_only
from common.redact import is_secret_name
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.okta.api import OktaApi, gone, quoted
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.okta.shape import SECRET_METHODS, client_members, not_kept, plain_name, shown_name
from keymanager.adapters.rfc.answers import required_text, text_of, whole_number

_CLIENTS = "/oauth2/v1/clients"
# Okta fails a replacement that carries them.
_NEVER_SENT = frozenset({"client_id_issued_at", "client_secret_expires_at", "client_secret", "_links"})


class DynamicRegistration:
    """The client operations of dynamic registration."""

    def __init__(self, config: OktaConfig, api: OktaApi) -> None:
        self._marker_url = config.marker_url
        self._api = api

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7591 section 3; the marker goes into ``client_uri``, the only free text there is."""
        body = self._body(metadata)
        response = self._api.found(self._api.send("POST", _CLIENTS, body, doing="the client"))
        answer = self._registered(response, metadata, ClientHandle(client_id=""))
        if not answer.handle.client_secret and metadata.token_endpoint_auth_method in SECRET_METHODS:
            raise KeyManagerProtocolError(f"{address_only(response.url)} registered a client without client_secret")
        return answer

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By its id; a read never shows the secret."""
        response = self._api.send("GET", _path(handle), doing="to show the client")
        return None if response.status == 404 else self._registered(response, None, handle)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Okta wants every setting back, so ours go over what was just read."""
        response = self._api.send("GET", _path(handle), doing="to show the client")
        if response.status == 404:
            raise gone(handle.client_id)
        present = {name: value for name, value in response.json_object().items() if name not in _NEVER_SENT}
        body = {**present, **self._body(metadata), "client_id": handle.client_id}
        response = self._api.send("PUT", _path(handle), body, doing="the change")
        if response.status == 404:
            raise gone(handle.client_id)
        return self._registered(response, metadata, handle)

    def delete(self, handle: ClientHandle) -> None:
        """A client that is gone is success."""
        self._api.send("DELETE", _path(handle), repeatable=True, doing="the removal")

    def rotate(self, handle: ClientHandle) -> RegisteredClient:
        """A new secret instead of the old one. POST, whatever older connectors send."""
        response = self._api.send("POST", f"{_path(handle)}/lifecycle/newSecret", doing="a new secret")
        if response.status == 404:
            raise gone(handle.client_id)
        required_text(response.json_object(), "client_secret", response)
        return self._registered(response, None, ClientHandle(client_id=handle.client_id))

    def find(self, marker: str) -> RegisteredClient | None:
        """Among all: the search of this interface is a prefix of the name, and declared an implementation detail."""
        wanted = f"{self._marker_url}{marker}"
        return next(
            (self._listed(entry) for entry in self._api.pages(_CLIENTS) if entry.get("client_uri") == wanted), None
        )

    def all(self) -> Iterator[RegisteredClient]:
        """Every client of the organisation."""
        return (self._listed(entry) for entry in self._api.pages(_CLIENTS) if text_of(entry, "client_id"))

    def _body(self, metadata: ClientMetadata) -> dict[str, Any]:
        return {
            **client_members(metadata),
            "client_name": shown_name(metadata),
            "client_uri": f"{self._marker_url}{metadata.marker}",
            "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        }

    def _registered(
        self, response: HttpResponse, metadata: ClientMetadata | None, handle: ClientHandle
    ) -> RegisteredClient:
        body = response.json_object()
        client_id = required_text(body, "client_id", response)
        if handle.client_id and client_id != handle.client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
        observed = self._observed(body)
        ignored: tuple[str, ...] = ()
        if metadata is not None:
            asked = {**self._body(metadata), "client_name": metadata.client_name}
            ignored = not_kept(asked, observed, metadata.extra)
        secret = handle.client_secret or text_of(body, "client_secret")
        return RegisteredClient(
            handle=ClientHandle(client_id=client_id, remote_id=client_id, client_secret=secret),
            observed=observed,
            ignored=ignored,
            client_secret_expires_at=whole_number(body, "client_secret_expires_at") or 0,
        )

    def _listed(self, entry: Mapping[str, Any]) -> RegisteredClient:
        client_id = text_of(entry, "client_id")
        return RegisteredClient(
            handle=ClientHandle(client_id=client_id, remote_id=client_id), observed=self._observed(entry)
        )

    def _observed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        uri = text_of(body, "client_uri")
        marker = uri.removeprefix(self._marker_url) if uri.startswith(self._marker_url) else ""
        shown = {name: value for name, value in body.items() if not is_secret_name(name)}
        return {**shown, "client_name": plain_name(text_of(body, "client_name"), marker)}


def _path(handle: ClientHandle) -> str:
    return f"{_CLIENTS}/{quoted(handle.client_id)}"
