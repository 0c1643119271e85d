"""Resource servers (Auth0's "APIs") and the scopes inside them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import KeyManagerProtocolError, KeyManagerRejected, KeyManagerUnavailable
from common.http import HttpResponse, address_only
from keymanager.adapters.auth0.api import ManagementApi, quoted
from keymanager.adapters.auth0.config import Auth0Config
from keymanager.adapters.contract import Clock, RemoteResource, Resource, ScopeSpec
from keymanager.adapters.rfc.answers import text_of

_SERVERS = "/resource-servers"
_ALGORITHM = "RS256"
_NAME_LENGTH, _DESCRIPTION_LENGTH = 200, 500
_KEEP_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 10.0

Descriptions = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServer:
    """One Auth0 API. ``scopes``: value to description."""

    id: str
    identifier: str
    scopes: Descriptions
    signing_alg: str


class ResourceServers:
    """The resource servers that are ours: the shared one, or all with our prefix."""

    def __init__(self, config: Auth0Config, api: ManagementApi, clock: Clock) -> None:
        self._config = config
        self._api = api
        self._clock = clock
        self._kept: tuple[float, tuple[ResourceServer, ...]] | None = None

    @property
    def shared(self) -> bool:
        """Whether all scopes live in one."""
        return self._config.resources == "shared"

    # one per API version

    def register(self, resource: Resource) -> RemoteResource:
        """Make it exist; one of this identifier is made what is asked."""
        present = self.by_name(resource.identifier)
        if present is None:
            try:
                return _remote(self._create(resource.identifier, resource.name, dict.fromkeys(resource.scopes, "")))
            except KeyManagerRejected as refused:
                present = self.by_name(resource.identifier) if refused.remote_status == 409 else None
                if present is None:
                    raise
        return self._replace(present, resource)

    def update(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Replace name and scopes; descriptions of scopes that stay are kept. One that is gone is made again."""
        present = self.by_name(remote_id)
        return self.register(resource) if present is None else self._replace(present, resource)

    def read(self, remote_id: str) -> RemoteResource | None:
        """By id or identifier."""
        found = self.by_name(remote_id)
        return None if found is None else _remote(found)

    def delete(self, remote_id: str) -> None:
        """One that is gone is success."""
        self._kept = None
        self._api.send("DELETE", f"{_SERVERS}/{quoted(remote_id)}", repeatable=True, doing="the removal of the API")

    # scopes in the shared one

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make it exist in the shared resource server, which is made when it is not there."""
        present = self.by_name(self._config.audience)
        if present is None:
            self._create(self._config.audience, "Archway APIs", {scope.key: scope.description})
        elif present.scopes.get(scope.key) != scope.description:
            self._change_scopes(present, lambda scopes: scopes | {scope.key: scope.description})

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        present = self.by_name(self._config.audience)
        if present is not None and key in present.scopes:
            self._change_scopes(present, lambda scopes: {name: text for name, text in scopes.items() if name != key})

    def scope_keys(self) -> frozenset[str]:
        """Scopes of the shared resource server."""
        present = self.by_name(self._config.audience)
        return frozenset() if present is None else frozenset(present.scopes)

    # all of ours

    def ours(self) -> tuple[ResourceServer, ...]:
        """Read now."""
        if self.shared:
            shared = self.by_name(self._config.audience)
            found: tuple[ResourceServer, ...] = () if shared is None else (shared,)
        else:
            entries = (_parsed(entry) for entry in self._api.numbered_pages("resource-servers"))
            found = tuple(entry for entry in entries if entry.identifier.startswith(self._config.resource_prefix))
        self._kept = (self._clock.now(), found)
        return found

    def audiences_with(self, scopes: Iterable[str]) -> tuple[str, ...]:
        """Identifiers of those that have every one of the scopes; read again when none has, but not all the time."""
        wanted, now = set(scopes), self._clock.now()
        kept = self._kept
        fresh = kept is None or now - kept[0] >= _KEEP_SECONDS
        servers = self.ours() if kept is None or fresh else kept[1]
        found = tuple(server.identifier for server in servers if wanted <= server.scopes.keys())
        if found or fresh or (kept is not None and now - kept[0] < _LOOK_AGAIN_SECONDS):
            return found
        return tuple(server.identifier for server in self.ours() if wanted <= server.scopes.keys())

    def by_name(self, name: str) -> ResourceServer | None:
        """By id or identifier."""
        response = self._api.send("GET", f"{_SERVERS}/{quoted(name)}", doing="to show the API")
        return None if response.status == 404 else _read(response)

    def _create(self, identifier: str, name: str, scopes: Descriptions) -> ResourceServer:
        body = {"identifier": identifier, **self._members(name), "scopes": _listed(scopes)}
        self._kept = None
        # The identifier is unique: a repeat is refused and changes nothing.
        response = self._api.send("POST", _SERVERS, body, repeatable=True, doing="the API")
        return _read(self._api.found(response))

    def _replace(self, present: ResourceServer, resource: Resource) -> RemoteResource:
        scopes = {key: present.scopes.get(key, "") for key in resource.scopes}
        return _remote(self._patch(present, {**self._members(resource.name), "scopes": _listed(scopes)}))

    def _change_scopes(self, present: ResourceServer, change: Callable[[Descriptions], Descriptions]) -> None:
        """The list can only be replaced as a whole: whoever writes at the same moment wins, so look at it again."""
        wanted = change(dict(present.scopes))
        changed = wanted.keys() ^ present.scopes.keys()
        self._patch(present, {"signing_alg": _ALGORITHM, "scopes": _listed(wanted)})
        after = self.by_name(present.id)
        if after is None or any((key in after.scopes) != (key in wanted) for key in changed):
            raise KeyManagerUnavailable("Another change of the scopes at Auth0 came in between", retry_after=1.0)

    def _patch(self, present: ResourceServer, body: Mapping[str, Any]) -> ResourceServer:
        self._kept = None
        path = f"{_SERVERS}/{quoted(present.id)}"
        # Described as 201, while the other PATCH calls answer 200: either is success.
        return _read(self._api.found(self._api.send("PATCH", path, body, repeatable=True, doing="the API")))

    def _members(self, name: str) -> dict[str, Any]:
        """Signed with a key pair, whatever the default: with HS256 a token could not be checked here."""
        shown = name.replace("<", "‹").replace(">", "›")[:_NAME_LENGTH]
        lifetime = {"token_lifetime": self._config.token_lifetime} if self._config.token_lifetime else {}
        return {"name": shown, "signing_alg": _ALGORITHM, **lifetime}


def _listed(scopes: Descriptions) -> list[dict[str, str]]:
    return [
        {"value": key, **({"description": text[:_DESCRIPTION_LENGTH]} if text else {})}
        for key, text in sorted(scopes.items())
    ]


def _read(response: HttpResponse) -> ResourceServer:
    entry = response.json_object()
    if not text_of(entry, "id") or not text_of(entry, "identifier"):
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered {response.status} without the API's ids")
    return _parsed(entry)


def _parsed(entry: Mapping[str, Any]) -> ResourceServer:
    scopes = entry.get("scopes")
    return ResourceServer(
        id=text_of(entry, "id"),
        identifier=text_of(entry, "identifier"),
        scopes={
            text_of(scope, "value"): text_of(scope, "description")
            for scope in (scopes if isinstance(scopes, list) else [])
            if isinstance(scope, dict)
        },
        signing_alg=text_of(entry, "signing_alg"),
    )


def _remote(server: ResourceServer) -> RemoteResource:
    return RemoteResource(remote_id=server.id, identifier=server.identifier, scopes=frozenset(server.scopes))
