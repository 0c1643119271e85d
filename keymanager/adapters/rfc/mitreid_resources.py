"""Protected resources of MITREid Connect: registered at ``/resource``, in the style of RFC 7591.

Their secret and registration access token are not kept: the administration API changes and deletes them, and nobody can
get a token as the resource. ``software_id`` holds our identifier of the API.
"""

from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import HttpClient, HttpRequest
from common.scopes import format_scope
from keymanager.adapters.contract import RemoteResource, Resource
from keymanager.adapters.rfc.answers import refusal
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON
from keymanager.adapters.rfc.mitreid import MitreidSession, Row, one

# Stands where an API has no scope: a resource (and a client) with an empty list would be given any that it asks for.
NO_SCOPE = "archway:none"
_MARK = "softwareId"


class MitreidResources:
    """``remote_id``: the number in the administration API and the client id, for numbers are given anew."""

    def __init__(self, config: RfcConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http

    def register(self, resource: Resource) -> RemoteResource:
        """One that has our identifier is taken over: a creation may have been answered to nobody."""
        session = MitreidSession.of(self._config, self._http)
        present = self._find(session, resource.identifier)
        if present is not None:
            return _described(self._changed(session, present, resource))
        request = HttpRequest(
            method="POST",
            url=f"{self._config.admin_url.rstrip('/')}/resource",
            headers=JSON,
            json={
                "client_name": resource.name,
                "scope": format_scope(_scopes(resource)),
                "software_id": resource.identifier,
                "token_endpoint_auth_method": "client_secret_basic",
            },
        )
        response = self._http.send(request)
        if response.status not in (200, 201):
            raise refusal(request, response, doing="the resource")
        response.json_object()
        made = self._find(session, resource.identifier)
        if made is None:
            raise KeyManagerProtocolError("The key manager registered a resource that its list does not have")
        # A scope that is restricted is left out without a word.
        return _described(self._changed(session, made, resource))

    def read(self, remote_id: str) -> RemoteResource | None:
        """``None`` when it is gone, or the number now means another."""
        row = _row(MitreidSession.of(self._config, self._http), remote_id)
        return _described(row) if row is not None else None

    def update(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Name and scopes; one that is gone is registered anew."""
        session = MitreidSession.of(self._config, self._http)
        row = _row(session, remote_id)
        return _described(self._changed(session, row, resource)) if row is not None else self.register(resource)

    def delete(self, remote_id: str) -> None:
        """One that is gone is success."""
        session = MitreidSession.of(self._config, self._http)
        row = _row(session, remote_id)
        if row is not None:
            session.write("DELETE", f"/clients/{row['id']}", None, doing="to delete the resource")

    def _find(self, session: MitreidSession, identifier: str) -> Row | None:
        return one(session.clients(), lambda row: row[_MARK] == identifier and is_resource(row))

    def _changed(self, session: MitreidSession, row: Row, resource: Resource) -> Row:
        scopes = _scopes(resource)
        if row["clientName"] == resource.name and set(row["scope"]) == scopes:
            return row
        body: dict[str, Any] = {**row, "clientName": resource.name, "scope": sorted(scopes)}
        return session.replace(f"/clients/{row['id']}", body, doing="the resource")


def is_resource(row: Row) -> bool:
    """A resource is a client that may introspect and has no grant."""
    return bool(row.get("allowIntrospection")) and not row.get("grantTypes")


def _scopes(resource: Resource) -> frozenset[str]:
    return resource.scopes or frozenset({NO_SCOPE})


def _described(row: Row) -> RemoteResource:
    return RemoteResource(
        remote_id=f"{row['id']}:{row['clientId']}",
        identifier=str(row[_MARK]),
        scopes=frozenset(row["scope"]) - {NO_SCOPE},
    )


def _row(session: MitreidSession, remote_id: str) -> Row | None:
    number, _, client_id = remote_id.partition(":")
    row = session.row(f"/clients/{number}") if number.isdecimal() else None
    return row if row is not None and row["clientId"] == client_id else None
