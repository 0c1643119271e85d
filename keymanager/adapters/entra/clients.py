"""Clients: an application, its service principal, a secret and the scopes that it was given."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from common.errors import (
    ArchwayError,
    KeyManagerError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    NotFinished,
    OutcomeUnknown,
)
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.entra.apis import Apis
from keymanager.adapters.entra.client_mapping import (
    application_body,
    gone,
    identified,
    is_public,
    listed,
    not_kept,
    observed,
    unique_name,
    with_object_id,
)
from keymanager.adapters.entra.config import EntraConfig
from keymanager.adapters.entra.graph import CREATE_IF_MISSING, Graph, by_key
from keymanager.adapters.entra.passwords import Passwords, ours
from keymanager.adapters.entra.permissions import Permissions
from keymanager.adapters.rfc.answers import text_of

T = TypeVar("T")

CLIENT_TAG = "archway-client"
_SHOW = "to show the client"
# What is new can be missing at one of Entra's servers for so many seconds.
_SOON = 5.0


class Clients:
    """The client operations of one tenant."""

    def __init__(
        self, config: EntraConfig, graph: Graph, apis: Apis, passwords: Passwords, permissions: Permissions
    ) -> None:
        self._config = config
        self._graph = graph
        self._apis = apis
        self._passwords = passwords
        self._permissions = permissions

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Upsert by the marker, so a repeat finds what the first try made. An unfinished client is ``OutcomeUnknown``.

        Secrets of an earlier try, which nobody received, end.
        """
        body = {**application_body(metadata), "tags": [CLIENT_TAG], "signInAudience": "AzureADMyOrg"}
        key = by_key("applications", "uniqueName", unique_name(metadata.marker))
        response = self._graph.call(
            "PATCH", key, body, fine=(201, 204), headers=CREATE_IF_MISSING, doing="the client", repeatable=False
        )
        if response.status == 201:
            application: dict[str, Any] | None = response.json_object()
        else:
            application = self._after(lambda: self._graph.find(key, doing=_SHOW))
        if application is None:
            raise OutcomeUnknown("The client exists, but it is not visible yet")
        identified(application)
        return self._after(lambda: self._completed(application, metadata, keep=()))

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By object id, and by client id before it is called gone: an id can be unknown at one of Entra's servers."""
        application = self._found(handle)
        if application is None:
            return None
        scopes = self._permissions.granted(text_of(application, "appId"))
        return RegisteredClient(handle=with_object_id(handle, application), observed=observed(application, scopes))

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Name, redirect URIs and scopes; secrets stay."""
        body = application_body(metadata)
        known = replace(handle, remote_id=handle.remote_id or self._object_id(handle))
        self._patch(handle, known.remote_id, body)
        scopes = self._scopes_given(handle.client_id, metadata)
        application = self._found(known)
        if application is None:
            raise NotFinished("The client is not visible yet", retry_after=_SOON)
        return RegisteredClient(
            handle=known,
            observed=observed(application, metadata.scopes if scopes is None else scopes),
            ignored=not_kept({}, metadata, scopes),
        )

    def delete(self, handle: ClientHandle) -> None:
        """The application, which takes its service principal with it. One that is gone is success."""
        paths = [f"/applications/{handle.remote_id}"] if handle.remote_id else []
        for path in (*paths, by_key("applications", "appId", handle.client_id)):
            response = self._graph.call("DELETE", path, fine=(204, 404), doing="the removal")
            if response.status == 204:
                return

    def switch(self, handle: ClientHandle, *, disabled: bool) -> None:
        """Suspend or resume. Tokens that were issued live on until they expire."""
        object_id = handle.remote_id or self._object_id(handle)
        self._patch(handle, object_id, {"isDisabled": disabled})

    def rotate(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret. What else of ours there is ends, but for the last one where two may overlap."""
        application = self._found(handle)
        if application is None:
            raise gone(handle)
        before = ours(application)
        last = handle.secret_id if handle.secret_id in before else (before[-1] if before else "")
        keep = (last,) if self._config.two_secrets and last else ()
        if not handle.client_secret:
            # Nobody ever had a secret of it: what an unanswered creation left undone is done now.
            return self._after(lambda: self._completed(application, metadata, keep=keep))
        return self._after(lambda: self._with_new_secret(application, keep=keep))

    def drop_old_secrets(self, handle: ClientHandle) -> None:
        """End every secret of ours but the present one."""
        application = self._found(handle)
        if application is None:
            raise gone(handle)
        before = ours(application)
        for key_id in before:
            if key_id != (handle.secret_id if handle.secret_id in before else before[-1]):
                self._passwords.remove(text_of(application, "id"), key_id)

    def find(self, marker: str) -> RegisteredClient | None:
        """By our unique name, without a secret."""
        application = self._graph.find(by_key("applications", "uniqueName", unique_name(marker)), doing=_SHOW)
        return None if application is None else listed(application)

    def list(self) -> Iterator[RegisteredClient]:
        """Every application with our tag."""
        for application in self._graph.tagged("applications", CLIENT_TAG):
            yield listed(application)

    def exists(self, client_id: str) -> bool:
        """Whether the directory knows an application of this client id."""
        return self._graph.find(by_key("applications", "appId", client_id), doing=_SHOW) is not None

    def _completed(
        self, application: dict[str, Any], metadata: ClientMetadata, *, keep: tuple[str, ...]
    ) -> RegisteredClient:
        client_id = text_of(application, "appId")
        principal = self._apis.principal(client_id, tag=CLIENT_TAG)
        made = listed(application) if is_public(metadata) else self._with_new_secret(application, keep=keep)
        scopes = self._scopes_given(client_id, metadata, principal)
        return RegisteredClient(
            handle=made.handle,
            observed=observed(application, metadata.scopes if scopes is None else scopes),
            ignored=not_kept(application, metadata, scopes),
            client_secret_expires_at=made.client_secret_expires_at,
        )

    def _with_new_secret(self, application: dict[str, Any], *, keep: tuple[str, ...]) -> RegisteredClient:
        object_id = text_of(application, "id")
        password = self._passwords.add(object_id)
        for key_id in ours(application):
            if key_id not in keep:
                self._passwords.remove(object_id, key_id)
        handle = ClientHandle(
            client_id=text_of(application, "appId"),
            remote_id=object_id,
            client_secret=password.secret,
            secret_id=password.key_id,
        )
        return RegisteredClient(
            handle=handle, observed=observed(application, None), client_secret_expires_at=password.expires_at
        )

    def _scopes_given(self, client_id: str, metadata: ClientMetadata, principal: str = "") -> frozenset[str] | None:
        """The scopes that the client has now, ``None`` when that failed: a new secret must not be lost for it."""
        try:
            return self._permissions.apply(principal or self._apis.principal(client_id, tag=CLIENT_TAG), metadata)
        except KeyManagerError:
            return None

    def _found(self, handle: ClientHandle) -> dict[str, Any] | None:
        found = self._graph.find(f"/applications/{handle.remote_id}", doing=_SHOW) if handle.remote_id else None
        if found is None:
            found = self._graph.find(by_key("applications", "appId", handle.client_id), doing=_SHOW)
        if found is not None and identified(found) != handle.client_id:
            raise KeyManagerProtocolError("Entra ID answered with another client")
        return found

    def _object_id(self, handle: ClientHandle) -> str:
        found = self._found(handle)
        if found is None:
            raise gone(handle)
        return text_of(found, "id")

    def _patch(self, handle: ClientHandle, object_id: str, body: Mapping[str, Any]) -> None:
        try:
            self._graph.call("PATCH", f"/applications/{object_id}", body, fine=(204,), doing="the change")
        except KeyManagerRejected as exc:
            if exc.remote_status != 404:
                raise
            if self.exists(handle.client_id):
                raise NotFinished("The client is not visible yet", retry_after=_SOON) from exc
            raise gone(handle) from exc

    def _after(self, step: Callable[[], T]) -> T:
        """A later step of something that was begun: its failure leaves a client that is not finished."""
        try:
            return step()
        except ArchwayError as exc:
            raise OutcomeUnknown(f"The client exists, but it is not complete: {exc.message}") from exc
