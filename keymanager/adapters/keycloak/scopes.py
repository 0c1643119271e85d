"""Client scopes: one for each scope of an API, one for each API, and the one that lets us ask about tokens.

``scopes`` become client scopes of the same name. An API (resource) becomes a client scope of its own that keeps its
identifier; each of its scopes gets an audience mapper, so that ``aud`` names the API exactly when the scope is granted.
An API without scopes has the mapper on its own client scope, which its clients have by default.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import RemoteResource, Resource, ScopeSpec
from keymanager.adapters.keycloak.api import KeycloakApi, made_id, path_of
from keymanager.adapters.keycloak.config import KeycloakConfig
from keymanager.adapters.rfc.answers import text_of

_SCOPES = "/client-scopes"
_KIND: Final = "archway.kind"
_IDENTIFIER: Final = "archway.resource"
_DONE: Final = (204,)
_GONE_IS_DONE: Final = (204, 404)
NOT_OURS: Final = "scope_not_ours"


class ClientScopes:
    """The client scopes of one realm."""

    def __init__(self, config: KeycloakConfig, api: KeycloakApi) -> None:
        self._config = config
        self._api = api

    def by_name(self) -> dict[str, dict[str, Any]]:
        """All of the realm: Keycloak ignores every filter of this list."""
        listed = self._api.send("GET", _SCOPES, doing="to list the client scopes").json_list()
        found = [entry for entry in listed if isinstance(entry, dict)]
        if not all(text_of(entry, "id") and text_of(entry, "name") for entry in found):
            raise KeyManagerProtocolError("Keycloak lists client scopes without id and name")
        return {entry["name"]: entry for entry in found if entry.get("protocol") == "openid-connect"}

    def keys(self) -> frozenset[str]:
        """Names of all client scopes but those that stand for an API or for ourselves."""
        return frozenset(name for name, entry in self.by_name().items() if _kind_of(entry) in ("", "scope"))

    def register(self, scope: ScopeSpec) -> None:
        """Make it, or change the description of one of ours; one that others made stays as it is."""
        present = self.by_name().get(scope.key)
        if present is None:
            self._make(scope.key, kind="scope", description=scope.description, shown=True)
        elif _kind_of(present) == "scope" and text_of(present, "description") != scope.description:
            body = {"name": scope.key, "description": scope.description}
            self._api.send("PUT", path_of("client-scopes", present["id"]), body, doing="the scope", expected=_DONE)

    def delete(self, key: str) -> None:
        """``KeyManagerRejected`` (``scope_not_ours``) for one that others made: it would go from all their clients."""
        present = self.by_name().get(key)
        if present is None:
            return
        if _kind_of(present) != "scope":
            raise KeyManagerRejected(
                f"The client scope {key} was not made by Archway, so it is not removed", remote_code=NOT_OURS
            )
        self._remove(present["id"])

    def gateway(self) -> str:
        """The name of the client scope that puts us into the audience; it is made when it is missing."""
        name = self._config.gateway_scope
        if name not in self.by_name():
            mapper = _audience_mapper("gateway", {"included.client.audience": self._config.client_id})
            words = "Lets Archway ask about tokens"
            self._make(name, kind="gateway", description=words, shown=False, mappers=[mapper])
        return name

    def is_sound(self) -> bool:
        """Whether the gateway's client scope names our client; somebody else may have made it."""
        entry = self.by_name().get(self._config.gateway_scope, {})
        return any(
            _settings_of(mapper).get("included.client.audience") == self._config.client_id for mapper in _mappers(entry)
        )

    def register_resource(self, resource: Resource) -> RemoteResource:
        """Safe to repeat: the name of its client scope is made of the identifier."""
        name = self.anchor_of(resource.identifier)
        present = self.by_name().get(name)
        made = present["id"] if present else self._make_anchor(name, resource)
        return self.update_resource(made, resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """``None`` when its client scope is gone."""
        response = self._api.send(
            "GET", path_of("client-scopes", remote_id), doing="to show the API", expected=(200, 404)
        )
        if response.status == 404:
            return None
        identifier = _attributes_of(response.json_object()).get(_IDENTIFIER, "")
        if not identifier:
            raise KeyManagerProtocolError("The client scope of an API does not say of which")
        return self._remote(remote_id, identifier, self.by_name())

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Audience mappers where they belong, and nowhere else."""
        known = self.by_name()
        anchor = self.anchor_of(resource.identifier)
        for key in resource.scopes - known.keys():
            self._make(key, kind="scope", description="", shown=True)
        known = self.by_name()
        wanted = resource.scopes or {anchor}
        for name, entry in known.items():
            self._set_mapper(entry, resource.identifier, present=name in wanted)
        body = {"name": anchor, "description": resource.name}
        path = path_of("client-scopes", remote_id)
        response = self._api.send("PUT", path, body, doing="the API", expected=_GONE_IS_DONE)
        if response.status == 404:
            raise KeyManagerRejected("The client scope of the API is gone", remote_code="resource_gone")
        return RemoteResource(remote_id=remote_id, identifier=resource.identifier, scopes=resource.scopes)

    def delete_resource(self, remote_id: str) -> None:
        """With its audience mappers; its scopes are others' business."""
        found = self.read_resource(remote_id)
        if found is None:
            return
        for entry in self.by_name().values():
            if entry["id"] != remote_id:
                self._set_mapper(entry, found.identifier, present=False)
        self._remove(remote_id)

    def anchor_of(self, identifier: str) -> str:
        """The name of the client scope of an API; identifiers hold characters that names may not."""
        digest = hashlib.sha256(identifier.encode()).hexdigest()[:16]
        return f"{self._config.client_id_prefix}api-{digest}"

    def _make_anchor(self, name: str, resource: Resource) -> str:
        more = {_IDENTIFIER: resource.identifier}
        return self._make(name, kind="resource", description=resource.name, shown=False, more=more)

    def _make(
        self,
        name: str,
        *,
        kind: str,
        description: str,
        shown: bool,
        more: Mapping[str, str] | None = None,
        mappers: list[dict[str, Any]] | None = None,
    ) -> str:
        """The id. Two that make the same one at once end with one of it."""
        body = {
            "name": name,
            "description": description,
            "protocol": "openid-connect",
            "attributes": {
                "include.in.token.scope": str(shown).lower(),
                "display.on.consent.screen": str(shown).lower(),
                _KIND: kind,
                **(more or {}),
            },
            "protocolMappers": mappers or [],
        }
        response = self._api.send(
            "POST", _SCOPES, body, doing=f"the client scope {name}", expected=(201, 409), repeatable=True
        )
        if response.status == 201:
            return made_id(response)
        present = self.by_name().get(name)
        if present is None:
            raise KeyManagerProtocolError(f"Keycloak says that the client scope {name} exists, and does not list it")
        return str(present["id"])

    def _set_mapper(self, entry: Mapping[str, Any], identifier: str, *, present: bool) -> None:
        mapper = next((known for known in _mappers(entry) if _is_audience(known, identifier)), None)
        path = path_of("client-scopes", entry["id"], "protocol-mappers", "models")
        if mapper is not None and not present:
            gone = f"{path}{path_of(text_of(mapper, 'id'))}"
            self._api.send("DELETE", gone, doing="the audience", expected=_GONE_IS_DONE, repeatable=True)
        elif mapper is None and present:
            body = _audience_mapper(f"audience {identifier}"[:255], {"included.custom.audience": identifier})
            self._api.send("POST", path, body, doing="the audience", expected=(201, 409), repeatable=True)

    def _remove(self, scope_id: str) -> None:
        path = path_of("client-scopes", scope_id)
        self._api.send("DELETE", path, doing="the removal", expected=_GONE_IS_DONE, repeatable=True)

    def _remote(self, remote_id: str, identifier: str, known: Mapping[str, Mapping[str, Any]]) -> RemoteResource:
        scopes = {
            name
            for name, entry in known.items()
            if entry["id"] != remote_id and any(_is_audience(mapper, identifier) for mapper in _mappers(entry))
        }
        return RemoteResource(remote_id=remote_id, identifier=identifier, scopes=frozenset(scopes))


def _audience_mapper(name: str, audience: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {**audience, "access.token.claim": "true", "introspection.token.claim": "true"},
    }


def _is_audience(mapper: Mapping[str, Any], identifier: str) -> bool:
    return _settings_of(mapper).get("included.custom.audience") == identifier


def _mappers(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    mappers = entry.get("protocolMappers")
    return [mapper for mapper in mappers if isinstance(mapper, dict)] if isinstance(mappers, list) else []


def _settings_of(mapper: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = mapper.get("config")
    return settings if isinstance(settings, dict) else {}


def _attributes_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = entry.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _kind_of(entry: Mapping[str, Any]) -> str:
    return str(_attributes_of(entry).get(_KIND, ""))
