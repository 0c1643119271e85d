"""What the administration API of MITREid Connect adds to RFC 7592: clients are found, listed and given new secrets."""

from collections.abc import Iterator
from dataclasses import replace

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient
from common.scopes import format_scope
from keymanager.adapters.contract import ClientHandle, RegisteredClient
from keymanager.adapters.rfc.answers import CLIENT_GONE, text_of
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.discovery import Discovery
from keymanager.adapters.rfc.mitreid import MitreidSession, Row, one, quoted
from keymanager.adapters.rfc.mitreid_resources import is_resource


class MitreidClients:
    """Our mark is in ``software_id``."""

    def __init__(self, config: RfcConfig, http: HttpClient, discovery: Discovery) -> None:
        self._config = config
        self._http = http
        self._discovery = discovery

    def find(self, marker: str) -> RegisteredClient | None:
        """With its secret and its registration access token, which administrators can see."""
        session = MitreidSession.of(self._config, self._http)
        row = one(session.clients(), lambda found: found["softwareId"] == marker and not is_resource(found))
        if row is None:
            return None
        client_id = str(row["clientId"])
        token = text_of(session.row(f"/tokens/registration/{quoted(client_id)}") or {}, "value")
        handle = ClientHandle(
            client_id=client_id,
            client_secret=str(row.get("clientSecret") or ""),
            registration_access_token=token,
            registration_client_uri=f"{self._discovery.endpoint('registration_endpoint')}/{quoted(client_id)}",
        )
        return RegisteredClient(handle=handle, observed=_observed(row))

    def all(self) -> Iterator[RegisteredClient]:
        """Every client that is no resource, without secrets."""
        for row in MitreidSession.of(self._config, self._http).clients():
            if not is_resource(row):
                yield RegisteredClient(handle=ClientHandle(client_id=str(row["clientId"])), observed=_observed(row))

    def rotate_secret(self, handle: ClientHandle) -> RegisteredClient:
        """The old secret ends at once; tokens and the registration access token stay."""
        session = MitreidSession.of(self._config, self._http)
        row = one(session.clients(), lambda found: found["clientId"] == handle.client_id)
        if row is None:
            raise KeyManagerRejected(
                f"The client {handle.client_id} no longer exists at the key manager", remote_code=CLIENT_GONE
            )
        if row.get("tokenEndpointAuthMethod") in (None, "NONE"):
            raise KeyManagerRejected("A public client has no secret", remote_code="invalid_client_metadata")
        body = {**row, "generateClientSecret": True}
        changed = session.replace(f"/clients/{row['id']}", body, doing="a new secret", repeatable=False)
        secret = text_of(changed, "clientSecret")
        if not secret:
            raise KeyManagerProtocolError("The key manager changed the secret without returning it")
        return RegisteredClient(handle=replace(handle, client_secret=secret), observed=_observed(changed))


def _observed(row: Row) -> dict[str, object]:
    """In the words of RFC 7591."""
    return {
        "client_name": row.get("clientName"),
        "grant_types": sorted(row.get("grantTypes") or []),
        "redirect_uris": sorted(row.get("redirectUris") or []),
        "scope": format_scope(frozenset(row.get("scope") or [])),
        "software_id": row.get("softwareId"),
    }
