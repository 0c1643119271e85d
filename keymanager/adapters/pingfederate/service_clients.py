"""Clients by the OAuth client management service of the runtime (``/pf-ws/rest/oauth/clients``)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from common.errors import KeyManagerError, KeyManagerProtocolError, KeyManagerRejected, OutcomeUnknown
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.pingfederate.config import PingFederateConfig
from keymanager.adapters.pingfederate.management import Management
from keymanager.adapters.pingfederate.mapping import (
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

# Which status it has for an id that is taken is not documented.
_PERHAPS_TAKEN = (400, 409, 422)


class ServiceClients:
    """The client operations of the service. It keeps no second secret."""

    def __init__(self, config: PingFederateConfig, management: Management) -> None:
        self._config = config
        self._management = management

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Make the client under its own id. One that is there already was made by an earlier try and is taken over."""
        handle = ClientHandle(client_id=client_id_for(metadata.marker))
        secret = "" if is_public(metadata) else new_secret()
        body = {"clientId": handle.client_id, "enabled": True, **self._members(metadata)}
        try:
            response = self._management.call(
                "POST",
                "",
                _wrapped({**body, "secret": secret} if secret else body),
                fine=(200, 201),
                doing="the client",
            )
        except KeyManagerRejected as exc:
            taken = exc.remote_status in _PERHAPS_TAKEN and self._find(handle.client_id) is not None
            if not taken:
                raise
            response = self._management.call("PUT", "", _wrapped(_with(body, secret)), fine=(200,), doing="the change")
        return self._confirmed(response, replace(handle, client_secret=secret), metadata)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By client id."""
        client = self._find(handle.client_id)
        return None if client is None else registered(client, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A full replacement; a secret that is not sent stays, and so does whether the client is enabled."""
        members = self._members(metadata)
        present = self._present(handle)
        had_secret = text_of(present, "clientAuthnType") == "SECRET"
        secret = "" if is_public(metadata) or had_secret else new_secret()
        body = _with({**present, **members}, secret)
        response = self._management.call("PUT", "", _wrapped(body), fine=(200,), doing="the change")
        return self._confirmed(response, replace(handle, client_secret=secret or handle.client_secret), metadata)

    def delete(self, handle: ClientHandle) -> None:
        """One that is gone is success."""
        path = f"/{quote(handle.client_id, safe='')}"
        self._management.call("DELETE", path, fine=(200, 204, 404), doing="the removal")

    def switch(self, handle: ClientHandle, *, enabled: bool) -> None:
        """Suspend or resume."""
        body = {**self._present(handle), "enabled": enabled}
        self._management.call("PUT", "", _wrapped(_with(body, "")), fine=(200,), doing="the change")

    def rotate(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret; the old one ends. Without ``forceSecretChange`` the service keeps the old one."""
        secret = new_secret()
        body = {**self._present(handle), **self._members(metadata)}
        response = self._management.call("PUT", "", _wrapped(_with(body, secret)), fine=(200,), doing="the new secret")
        return self._confirmed(response, replace(handle, client_secret=secret), metadata)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that is made of the marker."""
        client = self._find(client_id_for(marker))
        return None if client is None else listed(client)

    def list(self) -> Iterator[RegisteredClient]:
        """Every client whose id is one of ours."""
        response = self._management.call("GET", "", fine=(200,), doing="to list clients")
        for client in _unwrapped(response):
            if text_of(client, "clientId").startswith(PREFIX):
                yield listed(client)

    def probe(self) -> str:
        """Prove the right to manage. Returns what there is to say."""
        return f"{len(_unwrapped(self._management.call('GET', '', fine=(200,), doing='to list clients')))} clients"

    def _members(self, metadata: ClientMetadata) -> dict[str, Any]:
        return {
            **common_members(metadata, self._config.scope_kind),
            # The service has the names of the token endpoint, unlike the administrative API.
            "grantTypes": list(metadata.grant_types),
            "clientAuthnType": "NONE" if is_public(metadata) else "SECRET",
        }

    def _confirmed(self, response: HttpResponse, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """What was kept. Whether a success has a body is not documented: without one the client is read."""
        if response.body:
            shown = [item for item in _unwrapped(response) if text_of(item, "clientId") == handle.client_id]
            return registered(shown[0] if shown else {}, handle, metadata)
        try:
            client = self._find(handle.client_id)
        except KeyManagerError as exc:
            raise OutcomeUnknown(f"It was carried out, but what came of it is not known: {exc.message}") from exc
        return registered(client or {}, handle, metadata)

    def _find(self, client_id: str) -> dict[str, Any] | None:
        response = self._management.find(f"/{quote(client_id, safe='')}", doing="to show the client")
        if response is None:
            return None
        found = _unwrapped(response)
        if len(found) != 1 or text_of(found[0], "clientId") != client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered 200 without the client")
        return found[0]

    def _present(self, handle: ClientHandle) -> dict[str, Any]:
        client = self._find(handle.client_id)
        if client is None:
            raise gone(handle.client_id)
        return client


def _wrapped(client: Mapping[str, Any]) -> dict[str, Any]:
    return {"client": [dict(client)]}


def _unwrapped(response: HttpResponse) -> list[dict[str, Any]]:
    """The clients of an answer: in a list, or one by itself."""
    body = response.json_object()
    found = body.get("client")
    if isinstance(found, dict):
        return [found]
    if isinstance(found, list):
        return [item for item in found if isinstance(item, dict)]
    if "clientId" in body:
        return [body]
    raise KeyManagerProtocolError(f"{address_only(response.url)} answered {response.status} without a client")


def _with(client: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The client to be written, with a new secret or with none, which keeps the old one."""
    bare = {name: value for name, value in client.items() if name not in ("secret", "forceSecretChange")}
    return {**bare, "secret": secret, "forceSecretChange": True} if secret else bare
