"""Applications that expose scopes: one for all scopes, and one for each resource.

A scope is an app role (for machine tokens) and a delegated permission (for users' tokens). Entra keeps both in one
namespace: with the same value they must have the same id and the same words.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import (
    KeyManagerError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotFinished,
    OutcomeUnknown,
)
from keymanager.adapters.contract import RemoteResource, Resource, ScopeSpec
from keymanager.adapters.entra.config import EntraConfig
from keymanager.adapters.entra.graph import CREATE_IF_MISSING, Graph, by_key
from keymanager.adapters.entra.permission_lists import (
    LONGEST_WORDS,
    NAMESPACE,
    enabled_ids,
    is_ours,
    kept,
    objects,
    permission_id,
    role_entry,
    roles,
    scope_entry,
    switched_off,
)
from keymanager.adapters.rfc.answers import text_of, texts_of

API_TAG = "archway-api"
# A permission that is enabled can be neither changed nor deleted.
_STILL_ENABLED = "CannotDeleteOrUpdateEnabledEntitlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An application that exposes scopes. ``permission_ids``: id by scope key, of the enabled app roles."""

    app_id: str
    principal_id: str
    uri: str
    shared: bool
    permission_ids: Mapping[str, str] = field(default_factory=dict)


class Apis:
    """The applications that expose our scopes."""

    def __init__(self, config: EntraConfig, graph: Graph) -> None:
        self._config = config
        self._graph = graph
        self._shared_key = by_key("applications", "uniqueName", f"archway-api-{config.api_name}")

    # what there is

    def shared(self) -> Api | None:
        """The application with all scopes, or ``None`` before the first scope."""
        application = self._shared_application()
        if application is None:
            return None
        principal = self.principal(text_of(application, "appId"), tag=API_TAG)
        return _api(application, principal, shared=True)

    def all(self) -> list[Api]:
        """The shared application first, then those of resources as far as the index shows them."""
        shared = self.shared()
        found = [shared] if shared is not None else []
        listed = self._graph.tagged("servicePrincipals", API_TAG)
        others = (item for item in listed if shared is None or text_of(item, "appId") != shared.app_id)
        return [*found, *(_api(item, text_of(item, "id"), shared=False) for item in others)]

    def uris_of(self, identifiers: Iterable[str]) -> frozenset[str]:
        """Application id URIs of resources."""
        return frozenset(self.uri_of(identifier) for identifier in identifiers)

    def uri_of(self, identifier: str) -> str:
        """The application id URI of a resource: no call is needed to ask a token for it."""
        return f"{self._config.api_uri}-{uuid.uuid5(NAMESPACE, identifier).hex}"

    def principal(self, app_id: str, *, tag: str) -> str:
        """The id of an application's service principal, which is made when it is missing."""
        key = by_key("servicePrincipals", "appId", app_id)
        found = self._graph.find(key, doing="to show the service principal")
        if found is None or tag not in texts_of(found, "tags"):
            body = {"tags": [*texts_of(found or {}, "tags"), tag]}
            response = self._graph.call(
                "PATCH", key, body, fine=(201, 204), headers=CREATE_IF_MISSING, doing="the service principal"
            )
            if response.status == 201:
                found = response.json_object()
        if found is None or not text_of(found, "id"):
            raise NotFinished("The service principal is not visible yet", retry_after=5.0)
        return text_of(found, "id")

    # scopes

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make the scope exist with this description."""
        application = self._ensured(self._shared_key, "Archway APIs", self._config.api_uri)
        self.principal(text_of(application, "appId"), tag=API_TAG)
        words = scope.description or scope.key
        described = {entry["value"]: text_of(entry, "description") for entry in roles(application)}
        if described.get(scope.key) != words[:LONGEST_WORDS]:
            self._write(application, {**kept(application), scope.key: words})

    def delete_scope(self, key: str) -> None:
        """Disable the scope, then delete it."""
        application = self._shared_application()
        if application is not None and key in kept(application):
            self._write(application, {name: words for name, words in kept(application).items() if name != key})

    def list_scopes(self) -> frozenset[str]:
        """Every enabled app role of the shared application."""
        application = self._shared_application()
        return frozenset(enabled_ids(application)) if application is not None else frozenset()

    # resources

    def register_resource(self, resource: Resource) -> RemoteResource:
        """An application of its own, so that its tokens have an audience of their own."""
        name = f"archway-resource-{uuid.uuid5(NAMESPACE, resource.identifier).hex}"
        key = by_key("applications", "uniqueName", name)
        application = self._ensured(key, resource.name, self.uri_of(resource.identifier), notes=resource.identifier)
        try:
            return self._as_wanted(application, resource)
        except KeyManagerError as exc:
            raise OutcomeUnknown(f"The resource exists, but it is not complete: {exc.message}") from exc

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """By the application's object id."""
        application = self._graph.find(f"/applications/{remote_id}", doing="to show the resource")
        return None if application is None else _remote(application)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Replace name and scopes; a resource that is gone is made again."""
        application = self._graph.find(f"/applications/{remote_id}", doing="to show the resource")
        if application is None:
            return self.register_resource(resource)
        if application.get("displayName") != resource.name:
            self._patch(application, {"displayName": resource.name})
        return self._as_wanted(application, resource)

    def delete_resource(self, remote_id: str) -> None:
        """One that is gone is success."""
        self._graph.call("DELETE", f"/applications/{remote_id}", fine=(204, 404), doing="the removal", repeatable=True)

    def _as_wanted(self, application: dict[str, Any], resource: Resource) -> RemoteResource:
        principal = self.principal(text_of(application, "appId"), tag=API_TAG)
        if set(kept(application)) != resource.scopes:
            self._write(application, {key: key for key in sorted(resource.scopes)})
        self._hand_on(principal, resource.scopes)
        return RemoteResource(
            remote_id=text_of(application, "id"), identifier=resource.identifier, scopes=resource.scopes
        )

    def _hand_on(self, principal_id: str, scopes: frozenset[str]) -> None:
        """Whoever holds a scope at the shared application gets it here: clients are older than new resources."""
        shared = self.shared()
        if shared is None or not scopes:
            return
        wanted = {permission_id(key) for key in scopes}
        path = f"/servicePrincipals/{principal_id}/appRoleAssignedTo"
        have = {_assignment(entry) for entry in self._graph.pages(path, doing="to list assignments")}
        holders = self._graph.pages(
            f"/servicePrincipals/{shared.principal_id}/appRoleAssignedTo", doing="to list assignments"
        )
        for holder, role in {_assignment(entry) for entry in holders} - have:
            if role in wanted:
                body = {"principalId": holder, "resourceId": principal_id, "appRoleId": role}
                self._graph.call("POST", path, body, fine=(201,), doing="an assignment")

    # writing

    def _shared_application(self) -> dict[str, Any] | None:
        return self._graph.find(self._shared_key, doing="to show the exposed API")

    def _ensured(self, key: str, name: str, uri: str, *, notes: str = "") -> dict[str, Any]:
        found = self._graph.find(key, doing="to show the exposed API")
        if found is not None:
            return found
        body = {
            "displayName": name,
            "identifierUris": [uri],
            "signInAudience": "AzureADMyOrg",
            "tags": [API_TAG],
            "api": {"requestedAccessTokenVersion": self._token_version},
        } | ({"notes": notes} if notes else {})
        response = self._graph.call(
            "PATCH", key, body, fine=(201, 204), headers=CREATE_IF_MISSING, doing="the exposed API"
        )
        found = response.json_object() if response.status == 201 else self._graph.find(key, doing="to show it")
        if found is None or not text_of(found, "id") or not text_of(found, "appId"):
            raise KeyManagerProtocolError("Entra ID made an application without id and appId")
        return found

    @property
    def _token_version(self) -> int:
        return 2 if self._config.access_token_version == "v2.0" else 1

    def _write(self, application: dict[str, Any], wanted: Mapping[str, str]) -> None:
        """Make our permissions these (words by key), all others untouched. What goes is disabled first."""
        leaving = set(kept(application)) - set(wanted)
        if leaving:
            disabled = {**application, "appRoles": switched_off(application.get("appRoles"), leaving)}
            api = application.get("api") or {}
            scopes = switched_off(api.get("oauth2PermissionScopes"), leaving)
            self._patch(application, self._lists(disabled["appRoles"], scopes))
        api = application.get("api") or {}
        role_list = [entry for entry in objects(application.get("appRoles")) if not is_ours(entry)]
        scope_list = [entry for entry in objects(api.get("oauth2PermissionScopes")) if not is_ours(entry)]
        role_list += [role_entry(key, words) for key, words in wanted.items()]
        scope_list += [scope_entry(key, words) for key, words in wanted.items()]
        self._patch(application, self._lists(role_list, scope_list))

    def _lists(self, roles: list[dict[str, Any]], scopes: list[dict[str, Any]]) -> dict[str, Any]:
        # A complex property is sent whole: what is left out of it could be reset.
        api = {"requestedAccessTokenVersion": self._token_version, "oauth2PermissionScopes": scopes}
        return {"appRoles": roles, "api": api}

    def _patch(self, application: Mapping[str, Any], body: dict[str, Any]) -> None:
        path = f"/applications/{text_of(application, 'id')}"
        try:
            self._graph.call("PATCH", path, body, fine=(204,), doing="the permissions")
        except KeyManagerRejected as exc:
            if exc.remote_status == 404:
                raise NotFinished("The exposed API is not visible yet", retry_after=5.0) from exc
            if exc.remote_code == _STILL_ENABLED and self._changed_since(application, path):
                # Somebody else wrote the list between our reading and our writing; Entra refused to lose theirs.
                raise KeyManagerUnavailable("The permissions were changed in between", retry_after=1.0) from exc
            raise

    def _changed_since(self, application: Mapping[str, Any], path: str) -> bool:
        now = self._graph.find(path, doing="to show the exposed API")
        return now is None or {e.get("id") for e in roles(now)} != {e.get("id") for e in roles(application)}


def _api(application: Mapping[str, Any], principal_id: str, *, shared: bool) -> Api:
    uris = texts_of(application, "identifierUris") or texts_of(application, "servicePrincipalNames")
    return Api(
        app_id=text_of(application, "appId"),
        principal_id=principal_id,
        uri=next((uri for uri in uris if uri.startswith("api://")), ""),
        shared=shared,
        permission_ids=enabled_ids(application),
    )


def _remote(application: Mapping[str, Any]) -> RemoteResource:
    return RemoteResource(
        remote_id=text_of(application, "id"),
        identifier=text_of(application, "notes"),
        scopes=frozenset(enabled_ids(application)),
    )


def _assignment(entry: Mapping[str, Any]) -> tuple[str, str]:
    return text_of(entry, "principalId"), text_of(entry, "appRoleId")
