"""What a client may ask for: app role assignments for machine tokens, admin consent for users' tokens."""

from collections.abc import Mapping
from typing import Any

from common.errors import KeyManagerRejected
from common.scopes import format_scope
from keymanager.adapters.contract import ClientMetadata
from keymanager.adapters.entra.apis import Api, Apis
from keymanager.adapters.entra.graph import Graph, by_key
from keymanager.adapters.rfc.answers import text_of

_GRANTS = "/oauth2PermissionGrants"


class Permissions:
    """Assignments and consents of clients' service principals at the applications that expose our scopes."""

    def __init__(self, graph: Graph, apis: Apis) -> None:
        self._graph = graph
        self._apis = apis

    def apply(self, principal_id: str, metadata: ClientMetadata) -> frozenset[str]:
        """Give the client exactly these scopes at our applications. Returns those it now has at the shared one.

        ``metadata.resources`` name the APIs that it may call; without any, the scopes alone decide.
        """
        apis = self._apis.all()
        allowed = self._apis.uris_of(metadata.resources)
        open_apis = [api for api in apis if api.shared or not allowed or api.uri in allowed]
        machine = metadata.scopes if "client_credentials" in metadata.grant_types else frozenset()
        people = metadata.scopes if "authorization_code" in metadata.grant_types else frozenset()
        self._assign(principal_id, apis, open_apis, machine)
        self._consent(principal_id, apis, open_apis, people)
        known = next((frozenset(api.permission_ids) for api in apis if api.shared), frozenset[str]())
        return (machine | people) & known

    def granted(self, app_id: str) -> frozenset[str]:
        """The scopes of our shared application that a client has."""
        shared = self._apis.shared()
        principal = self._graph.find(by_key("servicePrincipals", "appId", app_id), doing="to show the client's scopes")
        if shared is None or principal is None:
            return frozenset()
        principal_id = text_of(principal, "id")
        held = {role for resource, role, _ in self._held(principal_id) if resource == shared.principal_id}
        found = {key for key, role in shared.permission_ids.items() if role in held}
        for grant in self._consents(principal_id):
            if text_of(grant, "resourceId") == shared.principal_id:
                found |= set(text_of(grant, "scope").split())
        return frozenset(found)

    def _assign(self, principal_id: str, apis: list[Api], open_apis: list[Api], scopes: frozenset[str]) -> None:
        wanted = {
            (api.principal_id, role) for api in open_apis for key, role in api.permission_ids.items() if key in scopes
        }
        held = {(resource, role): link for resource, role, link in self._held(principal_id)}
        ours = {api.principal_id for api in apis}
        for resource, role in sorted(wanted - held.keys()):
            body = {"principalId": principal_id, "resourceId": resource, "appRoleId": role}
            self._assign_one(f"/servicePrincipals/{resource}/appRoleAssignedTo", body)
        for resource, role in sorted(held.keys() - wanted):
            if resource in ours:
                path = f"/servicePrincipals/{resource}/appRoleAssignedTo/{held[resource, role]}"
                self._graph.call("DELETE", path, fine=(204, 404), doing="the end of a scope", repeatable=True)

    def _assign_one(self, path: str, body: Mapping[str, Any]) -> None:
        try:
            self._graph.call("POST", path, body, fine=(201,), doing="a scope", repeatable=True)
        except KeyManagerRejected as exc:
            # The list that we read may have been older than an assignment that was made just now.
            present = (body["resourceId"], body["appRoleId"])
            if exc.remote_status != 400 or present not in {(a, b) for a, b, _ in self._held(str(body["principalId"]))}:
                raise

    def _held(self, principal_id: str) -> list[tuple[str, str, str]]:
        path = f"/servicePrincipals/{principal_id}/appRoleAssignments"
        return [
            (text_of(entry, "resourceId"), text_of(entry, "appRoleId"), text_of(entry, "id"))
            for entry in self._graph.pages(path, doing="to list the client's scopes")
        ]

    def _consent(self, principal_id: str, apis: list[Api], open_apis: list[Api], scopes: frozenset[str]) -> None:
        present = {text_of(grant, "resourceId"): grant for grant in self._consents(principal_id)}
        for api in apis:
            wanted = format_scope(scopes & frozenset(api.permission_ids)) if api in open_apis else ""
            grant = present.get(api.principal_id)
            if grant is None and wanted:
                body = {
                    "clientId": principal_id,
                    "consentType": "AllPrincipals",
                    "resourceId": api.principal_id,
                    "scope": wanted,
                }
                self._graph.call("POST", _GRANTS, body, fine=(201,), doing="the consent")
            elif grant is not None and not wanted:
                path = f"{_GRANTS}/{text_of(grant, 'id')}"
                self._graph.call("DELETE", path, fine=(204, 404), doing="the end of the consent", repeatable=True)
            elif grant is not None and set(text_of(grant, "scope").split()) != set(wanted.split()):
                path = f"{_GRANTS}/{text_of(grant, 'id')}"
                self._graph.call("PATCH", path, {"scope": wanted}, fine=(204,), doing="the consent", repeatable=True)

    def _consents(self, principal_id: str) -> list[dict[str, Any]]:
        query = {"$filter": f"clientId eq '{principal_id}' and consentType eq 'AllPrincipals'"}
        return list(self._graph.pages(_GRANTS, query, doing="to list consents"))
