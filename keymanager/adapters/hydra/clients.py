"""Clients by the administration port: our own ids and secrets, full replacements, two secrets in overlap."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected, NotSupported
from common.http import HttpResponse, address_only
from common.scopes import format_scope
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.hydra.api import HydraApi, client_gone, client_path
from keymanager.adapters.hydra.config import HydraConfig, is_usable_audience, knobs
from keymanager.adapters.rfc import registration
from keymanager.adapters.rfc.answers import required_text, text_of

MARKER = "archway_marker"
_SECRET_METHODS = ("client_secret_basic", "client_secret_post")
# A PUT stores what it is sent; these are Hydra's own, or secrets that it must not see again.
_NOT_SENT_BACK = (
    "client_secret", "client_secret_expires_at", "registration_access_token", "registration_client_uri", "updated_at",
)  # fmt: skip


class HydraClients:
    """``/admin/clients``."""

    def __init__(self, config: HydraConfig, api: HydraApi) -> None:
        self._config = config
        self._rfc = knobs(config)
        self._api = api

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Under an id made of our marker, with a secret of ours: a repeat finds the client that is there already."""
        body = self._body(metadata)
        client_id = str(body["client_id"])
        if metadata.token_endpoint_auth_method in _SECRET_METHODS:
            body["client_secret"] = new_secret()
        try:
            response = self._api.send("POST", "/clients", body, doing="the client")
        except KeyManagerRejected as exc:
            if exc.remote_status != 409:
                raise
            present = self._document(client_id)
            if present is None or not _is_ours(present, metadata.marker):
                raise
            body = _over(present, body)
            response = self._put(client_id, body, doing="the client")
        return _left_out(_answer(registration.registered(response, _comparable(body))), metadata)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """Without the secret, which Hydra keeps as a hash."""
        response = self._api.send("GET", client_path(handle.client_id), doing="to show the client", accepted=(404,))
        return None if response.status == 404 else _answer(registration.read(response, handle, self._rfc))

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Whatever an administrator set beside ours stays: Hydra resets every member that a PUT leaves out."""
        present = self._present(handle.client_id)
        body = _over(present, {**self._body(metadata), "client_id": handle.client_id})
        response = self._put(handle.client_id, body, doing="the change")
        return _left_out(_answer(registration.updated(response, _comparable(body), handle, self._rfc)), metadata)

    def delete(self, handle: ClientHandle) -> None:
        """The tokens first: a database without foreign keys would leave them."""
        self.delete_access_tokens(handle.client_id)
        self._api.send("DELETE", client_path(handle.client_id), doing="the removal", repeatable=True, accepted=(404,))

    def rotate(self, handle: ClientHandle) -> RegisteredClient:
        """Hydra's second secret, or a PUT with one of ours, which ends all others."""
        if self._config.secret_rotation == "overlap":
            return self._rotate_with_overlap(handle)
        present = self._present(handle.client_id)
        if text_of(present, "token_endpoint_auth_method") not in ("", *_SECRET_METHODS):
            raise NotSupported(f"The client {handle.client_id} has no secret")
        body = _over(present, {"client_id": handle.client_id, "client_secret": new_secret()})
        response = self._put(handle.client_id, body, doing="a new secret")
        return self._with_secret(handle, response)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """All but the newest end. A client that is gone has none."""
        response = self._api.send(
            "DELETE",
            f"{client_path(handle.client_id)}/secrets/rotate",
            doing="to end the old secret",
            repeatable=True,
            accepted=(404, 405),
        )
        if not response.ok and self._document(handle.client_id) is not None:
            raise _no_route(response.status)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker gives; else by owner, where the ids once began otherwise.

        Where registration is open a stranger can claim an owner, but never ``metadata``: so that decides.
        """
        document = self._document(self.id_of(marker))
        if document is not None and _is_ours(document, marker):
            return _found(document)
        owned = self._api.pages(owner=marker)
        return next((_found(entry) for entry in owned if _is_ours(entry, marker)), None)

    def all(self) -> Iterator[RegisteredClient]:
        """Every client of this Hydra, ours or not. One that is made during the walk may be missed."""
        for entry in self._api.pages():
            if text_of(entry, "client_id"):
                yield _found(entry)

    def delete_access_tokens(self, client_id: str) -> None:
        """Hydra leaves the refresh tokens."""
        path = f"/oauth2/tokens?{urlencode({'client_id': client_id})}"
        self._api.send("DELETE", path, doing="to end the tokens", repeatable=True, accepted=(404,))

    def id_of(self, marker: str) -> str:
        """The client id of a credential."""
        return f"{self._config.client_id_prefix}{marker}"

    def _body(self, metadata: ClientMetadata) -> dict[str, Any]:
        """All that is ours in a client, with nothing left to a default."""
        wild = sorted(scope for scope in metadata.scopes if "*" in scope)
        if wild:
            raise InputError.of("scopes", f"Hydra may take {', '.join(wild)} for a pattern: * is not allowed here")
        body = registration.registration_body(self._rfc, metadata)
        audiences = [*self._config.audiences, *body.get("audience", [])]
        if not all(is_usable_audience(str(audience)) for audience in audiences):
            raise InputError.of("extra", "audience must be URLs with a host: Hydra takes any URN for any other")
        body.update(
            client_id=self.id_of(metadata.marker),
            owner=metadata.marker,
            metadata={MARKER: metadata.marker},
            scope=format_scope(metadata.scopes),
            audience=list(dict.fromkeys([*audiences, *_audiences(metadata)])),
        )
        if self._config.access_token_strategy != "server":
            body["access_token_strategy"] = self._config.access_token_strategy
        return body

    def _document(self, client_id: str) -> dict[str, Any] | None:
        response = self._api.send("GET", client_path(client_id), doing="to show the client", accepted=(404,))
        if response.status == 404:
            return None
        document = response.json_object()
        if required_text(document, "client_id", response) != client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
        return document

    def _present(self, client_id: str) -> dict[str, Any]:
        document = self._document(client_id)
        if document is None:
            raise client_gone(client_id)
        return document

    def _put(self, client_id: str, body: Mapping[str, Any], *, doing: str) -> HttpResponse:
        response = self._api.send("PUT", client_path(client_id), body, doing=doing, accepted=(404,))
        if response.status == 404:
            raise client_gone(client_id)
        return response

    def _rotate_with_overlap(self, handle: ClientHandle) -> RegisteredClient:
        path = f"{client_path(handle.client_id)}/secrets/rotate"
        response = self._api.send("POST", path, {}, doing="a second secret", accepted=(404, 405))
        if response.ok:
            return self._with_secret(handle, response)
        if self._document(handle.client_id) is None:
            raise client_gone(handle.client_id)
        raise _no_route(response.status)

    def _with_secret(self, handle: ClientHandle, response: HttpResponse) -> RegisteredClient:
        secret = required_text(response.json_object(), "client_secret", response)
        changed = ClientHandle(client_id=handle.client_id, remote_id=handle.remote_id, client_secret=secret)
        return _answer(registration.read(response, changed, self._rfc))


def new_secret() -> str:
    """Letters, digits, - and _ only: the same whether a server decodes Basic credentials or not."""
    return secrets.token_urlsafe(32)


def _audiences(metadata: ClientMetadata) -> list[str]:
    """The APIs that the client may call. One that is no URL with a host says nothing to Hydra, so it is left out."""
    return sorted(filter(is_usable_audience, metadata.resources))


def _left_out(registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
    """With ``resources`` among the ignored where Hydra could not be told one of them."""
    if len(_audiences(metadata)) == len(metadata.resources):
        return registered
    return replace(registered, ignored=(*registered.ignored, "resources"))


def _comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    """What Hydra must have kept; it may leave out what is empty."""
    return {name: value for name, value in body.items() if value or name == "token_endpoint_auth_method"}


def _over(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """``wanted`` over a client as it is, for a PUT: created_at and lifespans are reset when they are left out."""
    body = {**{name: value for name, value in present.items() if name not in _NOT_SENT_BACK}, **wanted}
    beside = present.get("metadata")
    if isinstance(beside, dict):
        body["metadata"] = {**beside, **wanted.get("metadata", {})}
    return body


def _is_ours(document: Mapping[str, Any], marker: str) -> bool:
    metadata = document.get("metadata")
    return isinstance(metadata, dict) and metadata.get(MARKER) == marker


def _found(document: Mapping[str, Any]) -> RegisteredClient:
    return RegisteredClient(
        handle=ClientHandle(client_id=text_of(document, "client_id")), observed=registration.observed(document)
    )


def _answer(registered: RegisteredClient) -> RegisteredClient:
    """Without the registration access token: nothing here needs it, and every PUT kills it."""
    handle = registered.handle
    return RegisteredClient(
        handle=ClientHandle(client_id=handle.client_id, remote_id=handle.remote_id, client_secret=handle.client_secret),
        observed=registered.observed,
        ignored=registered.ignored,
        client_secret_expires_at=registered.client_secret_expires_at,
    )


def _no_route(status: int) -> KeyManagerRejected:
    return KeyManagerRejected(
        "This Hydra cannot hold two secrets (it came in July 2026): set secret_rotation to replace, which ends the "
        "old secret at once",
        remote_code="no_second_secret",
        remote_status=status,
    )
