"""Clients by the administration REST API: our own client ids, so that a creation is safe to repeat."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from common.errors import KeyManagerProtocolError, KeyManagerRejected, NotSupported
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.keycloak.api import KeycloakApi, client_gone, made_id, path_of
from keymanager.adapters.keycloak.config import KeycloakConfig
from keymanager.adapters.keycloak.representation import (
    BASE_SCOPES,
    OPENID,
    client_body,
    client_id_of,
    holds_old_secret,
    is_ours,
    registered,
)
from keymanager.adapters.keycloak.scopes import ClientScopes
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of

_CLIENTS = "/clients"
_DEFAULT = "default-client-scopes"
_OPTIONAL = "optional-client-scopes"
_MEMBERS = {_DEFAULT: "defaultClientScopes", _OPTIONAL: "optionalClientScopes"}
BLIND = "clients_not_visible"


class KeycloakClients:
    """The clients of one realm."""

    def __init__(self, config: KeycloakConfig, api: KeycloakApi, scopes: ClientScopes) -> None:
        self._config = config
        self._api = api
        self._scopes = scopes
        self._hidden = frozenset(config.login_scopes)

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """A client that is there already with our marker is made what ``metadata`` says; any other is a refusal."""
        body = {**client_body(self._config, metadata), "enabled": True}
        wanted = self._wanted(metadata)
        scopes = {kind: sorted(wanted[path]) for path, kind in _MEMBERS.items()}
        try:
            response = self._api.send("POST", _CLIENTS, {**body, **scopes}, doing="the client", expected=(201,))
            remote_id = made_id(response)
        except KeyManagerRejected as exc:
            found = self._named(str(body["clientId"])) if exc.remote_status == 409 else None
            if found is None or not is_ours(found, metadata.marker):
                raise
            remote_id = text_of(found, "id")
            self._put(remote_id, body, client_id=str(body["clientId"]))
        document = self._assigned(remote_id, metadata)
        return self._answer(document, ClientHandle(client_id=str(body["clientId"]), remote_id=remote_id), metadata)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """With its secret, which every read shows."""
        document = self._document(handle)
        return None if document is None else self._answer(document, handle)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Only what is sent changes, so what an administrator set beside it stays; the client id stays, too."""
        body = client_body(self._config, metadata)
        remote_id = self._remote_id(handle)
        self._put(remote_id, {**body, "clientId": handle.client_id}, client_id=handle.client_id)
        document = self._assigned(remote_id, metadata)
        return self._answer(document, replace(handle, remote_id=remote_id), metadata)

    def delete(self, handle: ClientHandle) -> None:
        """Its tokens become inactive at once."""
        remote_id = self._remote_id(handle, missing="")
        if remote_id:
            path = path_of("clients", remote_id)
            self._api.send("DELETE", path, doing="the removal", expected=(204, 404), repeatable=True)

    def rotate(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret. Where the realm would keep the old one, it ends at once unless overlap is configured.

        A client that was found after a lost answer may not have its scopes yet, so they are assigned here too.
        """
        remote_id = self._remote_id(handle)
        document = self._present(handle)
        if document.get("publicClient") is True:
            raise NotSupported(f"The client {handle.client_id} has no secret")
        path = path_of("clients", remote_id, "client-secret")
        response = self._api.send("POST", path, {}, doing="a new secret", expected=(200, 404))
        if response.status == 404:
            raise client_gone(handle.client_id)
        secret = required_text(response.json_object(), "value", response)
        overlap = self._config.secret_rotation == "overlap"
        if not overlap:
            self.drop_old_secret(replace(handle, remote_id=remote_id))
        document = self._assigned(remote_id, metadata)
        answer = self._answer(document, replace(handle, remote_id=remote_id, client_secret=secret))
        # Without the feature or the policy the old secret is dead already: that cannot be undone, only be told.
        dropped = overlap and not holds_old_secret(document)
        return replace(answer, ignored=("overlapping_secrets",)) if dropped else answer

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """There may be none: that is success."""
        path = path_of("clients", self._remote_id(handle), "client-secret", "rotated")
        self._api.send("DELETE", path, doing="to end the old secret", expected=(204, 404), repeatable=True)

    def set_enabled(self, handle: ClientHandle, *, enabled: bool) -> None:
        """A disabled client gets no tokens, and those that it has are inactive until it is enabled again."""
        remote_id = self._remote_id(handle)
        self._put(remote_id, {"clientId": handle.client_id, "enabled": enabled}, client_id=handle.client_id)

    def end_tokens(self, handle: ClientHandle, *, until: int) -> None:
        """Tokens that were issued before this second are inactive from now on."""
        remote_id = self._remote_id(handle)
        self._put(remote_id, {"clientId": handle.client_id, "notBefore": until}, client_id=handle.client_id)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the client id that the marker gives, if the client there carries the marker."""
        client_id = client_id_of(self._config, marker)
        document = self._named(client_id)
        if document is None or not is_ours(document, marker):
            return None
        return self._answer(document, ClientHandle(client_id=client_id, remote_id=text_of(document, "id")))

    def all(self) -> Iterator[RegisteredClient]:
        """Every client of the realm, ours or not, without secrets."""
        for entry in self._api.pages(_CLIENTS, doing="to list the clients"):
            if text_of(entry, "clientId") and text_of(entry, "id"):
                handle = ClientHandle(client_id=text_of(entry, "clientId"), remote_id=text_of(entry, "id"))
                yield registered(entry, handle, self._hidden)

    def client_id_at(self, remote_id: str) -> str:
        """The client id of an internal id, or "" when it is gone."""
        path = path_of("clients", remote_id)
        response = self._api.send("GET", path, doing="to show the client", expected=(200, 404))
        return "" if response.status == 404 else text_of(response.json_object(), "clientId")

    def own_id(self) -> str:
        """Our own client's internal id. Raises ``KeyManagerRejected`` (``clients_not_visible``).

        With the role query-clients alone every list is empty: nothing that is not found means anything then.
        """
        own = self._listed(self._config.client_id)
        if own is None:
            raise KeyManagerRejected(
                f"Keycloak does not show us even our own client {self._config.client_id}: its service account needs "
                "the role manage-clients",
                remote_code=BLIND,
            )
        return text_of(own, "id")

    def _named(self, client_id: str) -> dict[str, Any] | None:
        found = self._listed(client_id)
        if found is None:
            self.own_id()
        return found

    def _listed(self, client_id: str) -> dict[str, Any] | None:
        entries = self._api.pages(_CLIENTS, doing="to find the client", clientId=client_id)
        return next((entry for entry in entries if entry.get("clientId") == client_id), None)

    def _remote_id(self, handle: ClientHandle, missing: str | None = None) -> str:
        """Keycloak's own id: stored, or looked up for a client that was made elsewhere."""
        if handle.remote_id:
            return handle.remote_id
        found = self._named(handle.client_id)
        if found is not None:
            return text_of(found, "id")
        if missing is None:
            raise client_gone(handle.client_id)
        return missing

    def _document(self, handle: ClientHandle) -> dict[str, Any] | None:
        if not handle.remote_id:
            return self._named(handle.client_id)
        path = path_of("clients", handle.remote_id)
        response = self._api.send("GET", path, doing="to show the client", expected=(200, 404))
        if response.status == 404:
            return None
        document = response.json_object()
        if required_text(document, "clientId", response) != handle.client_id:
            raise KeyManagerProtocolError("Keycloak shows another client under the id of ours")
        return document

    def _present(self, handle: ClientHandle) -> dict[str, Any]:
        document = self._document(handle)
        if document is None:
            raise client_gone(handle.client_id)
        return document

    def _put(self, remote_id: str, body: Mapping[str, Any], *, client_id: str) -> None:
        path = path_of("clients", remote_id)
        response = self._api.send("PUT", path, body, doing="the change", expected=(204, 404))
        if response.status == 404:
            raise client_gone(client_id)

    def _wanted(self, metadata: ClientMetadata) -> dict[str, set[str]]:
        """Client scopes by kind of assignment."""
        apis = {self._scopes.anchor_of(identifier) for identifier in metadata.resources}
        people = self._hidden if "authorization_code" in metadata.grant_types else frozenset()
        defaults = {*BASE_SCOPES, self._config.gateway_scope, *apis}
        return {_DEFAULT: defaults, _OPTIONAL: {*metadata.scopes, *people} - defaults - {OPENID}}

    def _assigned(self, remote_id: str, metadata: ClientMetadata) -> dict[str, Any]:
        """The client with exactly the scopes it should have: neither PUT nor POST can be trusted with them."""
        wanted = self._wanted(metadata)
        document = self._shown(remote_id)
        present = {path: set(texts_of(document, kind)) for path, kind in _MEMBERS.items()}
        present[_OPTIONAL] -= set(BASE_SCOPES)
        if wanted == present:
            return document
        self._reassign(remote_id, wanted, present)
        return self._shown(remote_id)

    def _reassign(self, remote_id: str, wanted: Mapping[str, set[str]], present: Mapping[str, set[str]]) -> None:
        """Take away first: adding a scope to one list while it is in the other is answered 204 and does nothing."""
        self._scopes.gateway()
        known = self._scopes.by_name()
        changes = [("DELETE", kind, name) for kind in wanted for name in present[kind] - wanted[kind]]
        changes += [("PUT", kind, name) for kind in wanted for name in wanted[kind] - present[kind]]
        for method, kind, name in changes:
            if name in known:
                path = path_of("clients", remote_id, kind, text_of(known[name], "id"))
                # 409: somebody assigns the same at this moment. What is there in the end is read afterwards.
                self._api.send(method, path, doing=f"the scope {name}", expected=(204, 404, 409), repeatable=True)

    def _shown(self, remote_id: str) -> dict[str, Any]:
        return self._api.send("GET", path_of("clients", remote_id), doing="to show the client").json_object()

    def _answer(
        self, document: Mapping[str, Any], handle: ClientHandle, asked: ClientMetadata | None = None
    ) -> RegisteredClient:
        shown = replace(
            handle,
            remote_id=handle.remote_id or text_of(document, "id"),
            client_secret=text_of(document, "secret") or handle.client_secret,
        )
        if document.get("publicClient") is True:
            shown = replace(shown, client_secret="")
        return registered(document, shown, self._hidden, asked)
