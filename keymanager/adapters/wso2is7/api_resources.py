"""API resources and the scopes inside them. Scopes are added and removed one by one: no list is written whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import address_only
from keymanager.adapters.contract import RemoteResource, Resource, ScopeSpec
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.wso2.management import ManagementApi, quoted
from keymanager.adapters.wso2is7.config import Wso2Is7Config

_RESOURCES: Final = "/api/server/v1/api-resources"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResource:
    """``scopes``: name to description."""

    id: str
    identifier: str
    name: str
    scopes: Mapping[str, str]


class ApiResources:
    """The API resources that are ours: the shared one, or all with our prefix."""

    def __init__(self, config: Wso2Is7Config, api: ManagementApi) -> None:
        self._config = config
        self._api = api

    @property
    def shared(self) -> bool:
        """Whether all scopes live in one."""
        return self._config.resources == "shared"

    def is_ours(self, identifier: str) -> bool:
        """By the configuration."""
        if self.shared:
            return identifier == self._config.resource_identifier
        return identifier.startswith(self._config.resource_prefix)

    def ours(self) -> list[ApiResource]:
        """Read now: a listing shows no scopes, so each one is read."""
        if self.shared:
            shared = self._by_identifier(self._config.resource_identifier)
            return [] if shared is None else [shared]
        found = (self._by_id(remote_id) for remote_id in self._ids("sw", self._config.resource_prefix))
        return [resource for resource in found if resource is not None]

    # one per API version

    def register(self, resource: Resource) -> RemoteResource:
        """Make it exist; one of this identifier is made what is asked."""
        present = self._by_identifier(resource.identifier)
        if present is None:
            try:
                return _remote(self._create(resource.identifier, resource.name, dict.fromkeys(resource.scopes, "")))
            except KeyManagerRejected as refused:
                present = self._by_identifier(resource.identifier) if refused.remote_status == 409 else None
                if present is None:
                    raise
        return self._replace(present, resource)

    def read(self, remote_id: str) -> RemoteResource | None:
        """``None`` when there is none."""
        found = self._by_id(remote_id)
        return None if found is None else _remote(found)

    def update(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Name and scopes; descriptions of scopes that stay are kept. One that is gone is made again."""
        present = self._by_id(remote_id)
        return self.register(resource) if present is None else self._replace(present, resource)

    def delete(self, remote_id: str) -> None:
        """One that is gone is success."""
        path = f"{_RESOURCES}/{quoted(remote_id)}"
        self._api.send("DELETE", path, repeatable=True, accepted=(404,), doing="the removal of the API")

    # scopes in the shared one

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make it exist in the shared API resource, which is made when it is not there."""
        present = self._by_identifier(self._config.resource_identifier)
        if present is None:
            self._create(self._config.resource_identifier, "Archway APIs", {scope.key: scope.description})
        elif scope.key not in present.scopes:
            try:
                self._add(present, {scope.key: scope.description})
            except KeyManagerRejected as refused:
                # Somebody was faster, or another API has the scope: names are unique in a tenant.
                if refused.remote_status != 409 or scope.key not in self.scope_keys():
                    raise
        elif present.scopes[scope.key] != scope.description:
            path = f"{_RESOURCES}/{quoted(present.id)}/scopes/{quoted(scope.key)}"
            body = {"displayName": scope.key, "description": scope.description}
            self._api.send("PATCH", path, body, repeatable=True, doing="the scope")

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        present = self._by_identifier(self._config.resource_identifier)
        if present is not None and key in present.scopes:
            self._remove(present, key)

    def scope_keys(self) -> frozenset[str]:
        """Scopes of the shared API resource."""
        present = self._by_identifier(self._config.resource_identifier)
        return frozenset() if present is None else frozenset(present.scopes)

    def _create(self, identifier: str, name: str, scopes: Mapping[str, str]) -> ApiResource:
        body = {"identifier": identifier, "name": name, "requiresAuthorization": True, "scopes": _listed(scopes)}
        # The identifier is unique: a repeat is refused and changes nothing.
        response = self._api.send("POST", _RESOURCES, body, repeatable=True, doing="the API")
        return _parsed(response.json_object(), response.url)

    def _replace(self, present: ApiResource, resource: Resource) -> RemoteResource:
        added = resource.scopes - present.scopes.keys()
        if added or resource.name != present.name:
            self._add(present, dict.fromkeys(added, ""), name=resource.name)
        for key in sorted(present.scopes.keys() - resource.scopes):
            self._remove(present, key)
        return RemoteResource(remote_id=present.id, identifier=present.identifier, scopes=resource.scopes)

    def _add(self, present: ApiResource, scopes: Mapping[str, str], *, name: str = "") -> None:
        body = {**({"name": name} if name else {}), "addedScopes": _listed(scopes)}
        self._api.send("PATCH", f"{_RESOURCES}/{quoted(present.id)}", body, repeatable=True, doing="the API's scopes")

    def _remove(self, present: ApiResource, key: str) -> None:
        # The change of the API resource also has ``removedScopes``, which the server does not heed.
        path = f"{_RESOURCES}/{quoted(present.id)}/scopes/{quoted(key)}"
        self._api.send("DELETE", path, repeatable=True, accepted=(404,), doing="the removal of the scope")

    def _by_identifier(self, identifier: str) -> ApiResource | None:
        return next((found for key in self._ids("eq", identifier) if (found := self._by_id(key)) is not None), None)

    def _by_id(self, remote_id: str) -> ApiResource | None:
        path = f"{_RESOURCES}/{quoted(remote_id)}"
        response = self._api.send("GET", path, accepted=(404,), doing="to show the API")
        return None if response.status == 404 else _parsed(response.json_object(), response.url)

    def _ids(self, operator: str, value: str) -> list[str]:
        """Ids of those whose identifier fits, over all pages, whatever the server's filter makes of it."""
        query = {"filter": f"identifier {operator} {value}", "limit": str(_PAGE)}
        found: list[str] = []
        while True:
            body = self._api.send("GET", f"{_RESOURCES}?{urlencode(query)}", doing="to list the APIs").json_object()
            for entry in body.get("APIResources") or []:
                identifier = text_of(entry, "identifier")
                if identifier == value or (operator == "sw" and identifier.startswith(value)):
                    found.append(text_of(entry, "id"))
            following = _next_cursor(body)
            if not following or following == query.get("after"):
                return found
            query["after"] = following


def _next_cursor(body: Mapping[str, Any]) -> str:
    for link in body.get("links") or []:
        if isinstance(link, dict) and link.get("rel") == "next":
            return next(iter(parse_qs(urlsplit(text_of(link, "href")).query).get("after", [])), "")
    return ""


def _listed(scopes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": key, "displayName": key, "description": text} for key, text in sorted(scopes.items())]


def _parsed(entry: Mapping[str, Any], url: str) -> ApiResource:
    if not text_of(entry, "id") or not text_of(entry, "identifier"):
        raise KeyManagerProtocolError(f"{address_only(url)} answered without the API's ids")
    return ApiResource(
        id=text_of(entry, "id"),
        identifier=text_of(entry, "identifier"),
        name=text_of(entry, "name"),
        scopes={text_of(scope, "name"): text_of(scope, "description") for scope in entry.get("scopes") or []},
    )


def _remote(resource: ApiResource) -> RemoteResource:
    return RemoteResource(remote_id=resource.id, identifier=resource.identifier, scopes=frozenset(resource.scopes))
