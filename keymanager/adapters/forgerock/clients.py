"""Clients by the realm's administration REST API: our own ids and secrets, found again by id."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected, NotSupported
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.forgerock import documents
from keymanager.adapters.forgerock.api import CLIENTS, AdminApi, client_gone, client_path
from keymanager.adapters.forgerock.config import ForgeRockConfig
from keymanager.adapters.forgerock.documents import Shape, shape_of
from keymanager.adapters.rfc.answers import text_of

_SECRET_METHODS = ("client_secret_basic", "client_secret_post")


class AdminClients:
    """``/realm-config/agents/OAuth2Client``."""

    def __init__(self, config: ForgeRockConfig, api: AdminApi) -> None:
        self._config = config
        self._api = api
        self._shape: Shape | None = None

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Under an id made of our marker: a repeat takes over the client that is there already."""
        members = self._wanted(metadata)
        client_id = self.id_of(metadata.marker)
        secret = new_secret() if metadata.token_endpoint_auth_method in _SECRET_METHODS else ""
        wanted = {**members, "status": "Active", **({"secret": secret} if secret else {})}
        shape = self.shape()
        body = {**shape.changed({}, wanted), "_id": client_id}
        try:
            response = self._api.send("POST", f"{CLIENTS}?_action=create", body, doing="the client")
        except KeyManagerRejected as exc:
            if exc.remote_status != 409:
                raise
            present = self._document(client_id)
            if present is None or not documents.is_ours(shape, present, metadata.marker):
                raise
            response = self._put(client_id, shape.changed(present, wanted), doing="the client")
        return self._answer(response, ClientHandle(client_id=client_id, client_secret=secret), metadata)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """Without the secret."""
        document = self._document(handle.client_id)
        if document is None:
            return None
        return RegisteredClient(handle=handle, observed=documents.observed(shape_of(document), document))

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Whatever an administrator set beside ours stays."""
        response = self._changed(handle.client_id, self._wanted(metadata), doing="the change")
        return self._answer(response, handle, metadata)

    def delete(self, handle: ClientHandle) -> None:
        """One that is gone is success."""
        self._api.send("DELETE", client_path(handle.client_id), doing="the removal", repeatable=True, accepted=(404,))

    def rotate(self, handle: ClientHandle) -> RegisteredClient:
        """A secret of ours: the server neither makes nor shows one. The old one ends at once."""
        present = self._present(handle.client_id)
        shape = shape_of(present)
        if shape.read(present).get("client_type") == "Public":
            raise NotSupported(f"The client {handle.client_id} has no secret")
        secret = new_secret()
        response = self._put(handle.client_id, shape.changed(present, {"secret": secret}), doing="a new secret")
        changed = ClientHandle(client_id=handle.client_id, remote_id=handle.remote_id, client_secret=secret)
        return self._answer(response, changed, None)

    def set_active(self, handle: ClientHandle, *, active: bool) -> None:
        """An inactive client gets no tokens, and those it has are refused until it is active again."""
        self._changed(handle.client_id, {"status": "Active" if active else "Inactive"}, doing="the change")

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker gives; never by a listing, which a large realm cannot answer."""
        document = self._document(self.id_of(marker))
        return _found(document) if document and documents.is_ours(shape_of(document), document, marker) else None

    def all(self) -> Iterator[RegisteredClient]:
        """Every client of the realm, ours or not, in one answer: filters and pages are not served.

        So only some members are asked for; one megabyte has room for about 3000 clients.
        """
        path = f"{CLIENTS}?_queryFilter=true&_fields={','.join(documents.LISTED)}"
        response = self._api.send("GET", path, doing="to list the clients")
        listed = response.json_object().get("result")
        if not isinstance(listed, list):
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered without a list of clients")
        yield from (_found(entry) for entry in listed if isinstance(entry, dict) and text_of(entry, "_id"))

    def id_of(self, marker: str) -> str:
        """The client id of a credential."""
        return f"{self._config.client_id_prefix}{marker}"

    def shape(self) -> Shape:
        """How this server writes clients: asked once."""
        if self._shape is None:
            response = self._api.send(
                "POST", f"{CLIENTS}?_action=template", {}, doing="the form of a client", repeatable=True
            )
            self._shape = shape_of(response.json_object())
        return self._shape

    def _wanted(self, metadata: ClientMetadata) -> dict[str, Any]:
        unknown = [name for name in metadata.grant_types if name not in self._config.grant_types]
        if unknown:
            raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
        return documents.members_of(metadata)

    def _changed(self, client_id: str, members: Mapping[str, Any], *, doing: str) -> HttpResponse:
        """Read first: AM 7 would make a client of this id where there is none, and resets what a PUT leaves out."""
        present = self._present(client_id)
        return self._put(client_id, shape_of(present).changed(present, members), doing=doing)

    def _put(self, client_id: str, body: Mapping[str, Any], *, doing: str) -> HttpResponse:
        response = self._api.send("PUT", client_path(client_id), body, doing=doing, accepted=(404,))
        if response.status == 404:
            raise client_gone(client_id)
        return response

    def _document(self, client_id: str) -> dict[str, Any] | None:
        response = self._api.send("GET", client_path(client_id), doing="to show the client", accepted=(404,))
        return None if response.status == 404 else _of(response, client_id)

    def _present(self, client_id: str) -> dict[str, Any]:
        document = self._document(client_id)
        if document is None:
            raise client_gone(client_id)
        return document

    def _answer(
        self, response: HttpResponse, handle: ClientHandle, metadata: ClientMetadata | None
    ) -> RegisteredClient:
        document = _of(response, handle.client_id)
        shape = shape_of(document)
        return RegisteredClient(
            handle=handle,
            observed=documents.observed(shape, document),
            ignored=documents.not_kept(shape, document, metadata) if metadata else (),
        )


def new_secret() -> str:
    """Letters, digits, - and _ only: the same whether a server decodes Basic credentials or not."""
    return secrets.token_urlsafe(32)


def _of(response: HttpResponse, client_id: str) -> dict[str, Any]:
    document = response.json_object()
    if text_of(document, "_id") != client_id:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client, or none")
    return document


def _found(document: Mapping[str, Any]) -> RegisteredClient:
    return RegisteredClient(
        handle=ClientHandle(client_id=text_of(document, "_id")),
        observed=documents.observed(shape_of(document), document),
    )
