"""Clients by the administrative API (``/oauth/clients``)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from common.errors import KeyManagerError, KeyManagerProtocolError, KeyManagerRejected, OutcomeUnknown
from common.http import address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.pingfederate.config import PingFederateConfig
from keymanager.adapters.pingfederate.management import Management
from keymanager.adapters.pingfederate.mapping import (
    GRANT_NAMES,
    PREFIX,
    client_id_for,
    common_members,
    gone,
    is_public,
    listed,
    new_secret,
    registered,
)
from keymanager.adapters.rfc.answers import text_of

_CLIENTS = "/oauth/clients"
# Said by the server alone.
_READ_ONLY = ("modificationDate", "creationDate", "replicationStatus", "clientSecretChangedTime")
_PAGE = 100
_MOST_PAGES = 2000


class AdminClients:
    """The client operations of the administrative API."""

    def __init__(self, config: PingFederateConfig, management: Management) -> None:
        self._config = config
        self._management = management

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Make the client under its own id. One that is there already was made by an earlier try and is taken over."""
        handle = ClientHandle(client_id=client_id_for(metadata.marker))
        secret = "" if is_public(metadata) else new_secret()
        body = {"clientId": handle.client_id, **self._members(metadata), "clientAuth": _client_auth(secret)}
        try:
            response = self._management.call("POST", _CLIENTS, body, fine=(201,), doing="the client")
        except KeyManagerRejected as exc:
            # 422 is said of every bad value; only a look tells whether the id was it.
            present = self._find(handle.client_id) if exc.remote_status == 422 else None
            if present is None:
                raise
            return self._put(present, metadata, handle, secret)
        return registered(response.json_object(), replace(handle, client_secret=secret), metadata)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By client id."""
        client = self._find(handle.client_id)
        return None if client is None else registered(client, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Read, change, write: what we do not know of, and both secrets, stay as they are."""
        wanted = self._members(metadata)
        present = self._present(handle)
        auth = present.get("clientAuth")
        has_secret = isinstance(auth, dict) and bool(text_of(auth, "encryptedSecret"))
        secret = new_secret() if not is_public(metadata) and not has_secret else ""
        return self._put(present, metadata, handle, secret, wanted)

    def delete(self, handle: ClientHandle) -> None:
        """One that is gone is success."""
        self._management.call("DELETE", _path(handle.client_id), fine=(204, 404), doing="the removal")

    def switch(self, handle: ClientHandle, *, enabled: bool) -> None:
        """Suspend or resume."""
        body = {**_writable(self._present(handle)), "enabled": enabled}
        self._management.call("PUT", _path(handle.client_id), body, fine=(200,), doing="the change")

    def rotate(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret. The old one is kept for the client's retention time, or ended where there shall be none."""
        secret = new_secret()
        path = f"{_path(handle.client_id)}/clientAuth/clientSecret"
        response = self._management.call("PUT", path, {"secret": secret}, fine=(200, 404), doing="the new secret")
        if response.status == 404:
            raise gone(handle.client_id)
        answer = response.json_object()
        rotated = replace(handle, client_secret=secret)
        if answer.get("secondarySecrets") and not self._config.retention:
            try:
                self._end_old_secrets(path, answer)
            except KeyManagerError as exc:
                raise OutcomeUnknown(f"The secret was replaced, but the old one still works: {exc.message}") from exc
        # Not read again: a failure of that would lose the secret, which nothing shows a second time.
        return RegisteredClient(handle=rotated)

    def drop_old_secrets(self, handle: ClientHandle) -> None:
        """End what is kept beside the present secret."""
        path = f"{_path(handle.client_id)}/clientAuth/clientSecret"
        response = self._management.find(path, doing="to show the secret")
        if response is None:
            raise gone(handle.client_id)
        self._end_old_secrets(path, response.json_object())

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that is made of the marker."""
        client = self._find(client_id_for(marker))
        return None if client is None else listed(client)

    def list(self) -> Iterator[RegisteredClient]:
        """Every client whose id is one of ours. The server's filter looks at parts of names too."""
        for page in range(1, _MOST_PAGES):
            query = urlencode({"page": page, "numberPerPage": _PAGE, "filter": PREFIX})
            response = self._management.call("GET", f"{_CLIENTS}?{query}", fine=(200,), doing="to list clients")
            items = response.json_object().get("items")
            if not isinstance(items, list):
                raise KeyManagerProtocolError(f"{address_only(response.url)} answered 200 without items")
            for item in items:
                if isinstance(item, dict) and text_of(item, "clientId").startswith(PREFIX):
                    yield listed(item)
            if len(items) < _PAGE:
                return

    def probe(self) -> str:
        """Prove the right to manage. Returns what there is to say."""
        answer = self._management.call("GET", "/version", fine=(200,), doing="to tell its version")
        query = urlencode({"page": 1, "numberPerPage": 1})
        self._management.call("GET", f"{_CLIENTS}?{query}", fine=(200,), doing="to list clients")
        return f"PingFederate {text_of(answer.json_object(), 'version')}".strip()

    def _members(self, metadata: ClientMetadata) -> dict[str, Any]:
        members = common_members(metadata, self._config.scope_kind)
        manager = self._config.access_token_manager
        return {
            **members,
            "grantTypes": [GRANT_NAMES[name] for name in metadata.grant_types],
            # Said in any case: a server-wide retention would keep a secret that we call ended.
            "clientSecretRetentionPeriodType": "OVERRIDE_SERVER_DEFAULT",
            "clientSecretRetentionPeriod": self._config.retention,
        } | ({"defaultAccessTokenManagerRef": {"id": manager}} if manager else {})

    def _put(
        self,
        present: Mapping[str, Any],
        metadata: ClientMetadata,
        handle: ClientHandle,
        secret: str,
        members: Mapping[str, Any] | None = None,
    ) -> RegisteredClient:
        body = {**_writable(present), **(self._members(metadata) if members is None else members)}
        if is_public(metadata):
            body["clientAuth"] = _client_auth("")
        elif secret:
            body["clientAuth"] = _client_auth(secret)
        response = self._management.call("PUT", _path(handle.client_id), body, fine=(200, 404), doing="the change")
        if response.status == 404:
            raise gone(handle.client_id)
        known = replace(handle, client_secret=secret or handle.client_secret)
        return registered(response.json_object(), known, metadata)

    def _end_old_secrets(self, path: str, present: Mapping[str, Any]) -> None:
        body = {"encryptedSecret": text_of(present, "encryptedSecret"), "secondarySecrets": []}
        self._management.call("PUT", path, body, fine=(200,), doing="the end of the old secret")

    def _find(self, client_id: str) -> dict[str, Any] | None:
        response = self._management.find(_path(client_id), doing="to show the client")
        return None if response is None else response.json_object()

    def _present(self, handle: ClientHandle) -> dict[str, Any]:
        client = self._find(handle.client_id)
        if client is None:
            raise gone(handle.client_id)
        return client


def _path(client_id: str) -> str:
    return f"{_CLIENTS}/{quote(client_id, safe='')}"


def _client_auth(secret: str) -> dict[str, Any]:
    return {"type": "SECRET", "secret": secret} if secret else {"type": "NONE"}


def _writable(client: Mapping[str, Any]) -> dict[str, Any]:
    """A client as it was read, to be written again: its encrypted secrets go back unchanged, which keeps them."""
    return {name: value for name, value in client.items() if name not in _READ_ONLY}
