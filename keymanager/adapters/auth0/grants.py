"""Client grants: which scopes of which resource server a machine client may have."""

from dataclasses import replace
from typing import Any

from common.errors import ArchwayError, KeyManagerRejected
from keymanager.adapters.auth0.api import ManagementApi, quoted
from keymanager.adapters.auth0.resources import ResourceServers
from keymanager.adapters.contract import ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import text_of, texts_of

_GRANTS = "/client-grants"


class ClientGrants:
    """At most one grant per client and resource server."""

    def __init__(self, api: ManagementApi, servers: ResourceServers) -> None:
        self._api = api
        self._servers = servers

    def with_scopes(self, registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
        """Grant what is asked; a failure must not lose the client, so ``scope`` is then named among the ignored."""
        others = tuple(name for name in registered.ignored if name != "scope")
        granted: frozenset[str] = frozenset()
        try:
            granted = self._apply(registered.handle.client_id, metadata)
        except ArchwayError:
            return replace(registered, ignored=tuple(sorted((*others, "scope"))))
        ignored = others if granted == metadata.scopes else tuple(sorted((*others, "scope")))
        observed = {**registered.observed, "scope": " ".join(sorted(granted))}
        return replace(registered, ignored=ignored, observed=observed)

    def with_observed(self, registered: RegisteredClient) -> RegisteredClient:
        """The client with the scopes of its grants at our resource servers."""
        ours = {server.identifier for server in self._servers.ours()}
        granted = {
            key
            for grant in self._of(registered.handle.client_id)
            if text_of(grant, "audience") in ours
            for key in texts_of(grant, "scope")
        }
        return replace(registered, observed={**registered.observed, "scope": " ".join(sorted(granted))})

    def _apply(self, client_id: str, metadata: ClientMetadata) -> frozenset[str]:
        """Create, change and delete grants until they are what is asked; what could be granted.

        ``metadata.resources`` name the APIs that the client may call; without any, its scopes alone decide.
        """
        present = {text_of(grant, "audience"): grant for grant in self._of(client_id)}
        granted: set[str] = set()
        for server in self._servers.ours():
            is_open = self._servers.shared or not metadata.resources or server.identifier in metadata.resources
            wanted = metadata.scopes & server.scopes.keys() if is_open else frozenset[str]()
            granted |= wanted
            if "client_credentials" not in metadata.grant_types:
                # Grants are for machines; a user's consent decides over the rest.
                wanted = frozenset()
            self._set(client_id, server.identifier, wanted, present.get(server.identifier))
        return frozenset(granted)

    def _set(self, client_id: str, audience: str, wanted: frozenset[str], present: dict[str, Any] | None) -> None:
        if present is None and wanted:
            body = {"client_id": client_id, "audience": audience, "scope": sorted(wanted)}
            try:
                self._api.found(self._api.send("POST", _GRANTS, body, repeatable=True, doing="the client's scopes"))
            except KeyManagerRejected as refused:
                # A repeat, or somebody else was faster.
                again = self._at(client_id, audience) if refused.remote_status == 409 else None
                if again is None:
                    raise
                self._set(client_id, audience, wanted, again)
        elif present is not None and not wanted:
            path = f"{_GRANTS}/{quoted(text_of(present, 'id'))}"
            self._api.send("DELETE", path, repeatable=True, doing="to take the client's scopes away")
        elif present is not None and set(texts_of(present, "scope")) != wanted:
            path = f"{_GRANTS}/{quoted(text_of(present, 'id'))}"
            body = {"scope": sorted(wanted)}
            self._api.found(self._api.send("PATCH", path, body, repeatable=True, doing="the client's scopes"))

    def _at(self, client_id: str, audience: str) -> dict[str, Any] | None:
        return next((grant for grant in self._of(client_id) if text_of(grant, "audience") == audience), None)

    def _of(self, client_id: str) -> list[dict[str, Any]]:
        return list(self._api.pages("client-grants", {"client_id": client_id}))
