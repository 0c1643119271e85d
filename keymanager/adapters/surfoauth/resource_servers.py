"""Resource servers: found or registered, and their scopes, which are changed by writing back the whole object."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from common.errors import (
    InputError,
    KeyManagerError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
)
from common.http import address_only
from keymanager.adapters.contract import Clock
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of
from keymanager.adapters.surfoauth.administration import Administration, Exchange
from keymanager.adapters.surfoauth.config import SurfOAuthConfig
from keymanager.adapters.surfoauth.refusals import ADMIN_PRINCIPAL, SERVER_LOST, whole

_ROUNDS = 3
_KEPT_SECONDS = 300.0
_FRESH_SECONDS = 5.0
# So often at most are unknown tokens a reason to look for new resource servers.
LOOK_AGAIN_SECONDS = 10.0
_LONGEST = 255

_locks: dict[tuple[str, int], threading.RLock] = {}
_locks_lock = threading.Lock()


def lock_of(base: str, server_id: int) -> threading.RLock:
    """The one lock of a resource server in this process, for its scopes and for those of its clients.

    SurfOAuth has no ETag: between processes, reading back what was written is all that there is.
    """
    with _locks_lock:
        return _locks.setdefault((base, server_id), threading.RLock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One resource server as it is. ``raw``: the whole object, to be sent back with a change."""

    id: int
    name: str
    key: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    servers: tuple[Server, ...]
    since: float


class ResourceServers:
    """The resource servers that the portal uses at one SurfOAuth."""

    def __init__(self, config: SurfOAuthConfig, administration: Administration, clock: Clock) -> None:
        self._config = config
        self._administration = administration
        self._clock = clock
        self._kept: _Kept | None = None

    @property
    def per_api(self) -> bool:
        """Whether each API has its own."""
        return self._config.resource_servers == "per_api"

    def home(self) -> Server:
        """The shared one, by id or by name; it is registered when it does not exist.

        With one per API, clients without any scope live there. Raises ``KeyManagerRejected`` when a configured one
        is not there or not ours.
        """
        config = self._config
        if config.resource_server_id:
            server = self.read(int(config.resource_server_id))
            if server is None:
                raise _lost(config.resource_server_id)
            return server
        return self.named(config.resource_server_name) or self.register(config.resource_server_name, "", ())

    def in_use(self) -> tuple[Server, ...]:
        """Ours: the shared one, and with one per API all of theirs."""
        home = self.home()
        if not self.per_api:
            return (home,)
        return (home, *(server for server in self._listed() if server.id != home.id and self.identifier_of(server)))

    def kept(self, *, at_least_since: float = 0.0) -> tuple[Server, ...]:
        """``in_use`` as it was up to five minutes ago, for looking tokens up: keys and secrets never change."""
        kept, now = self._kept, self._clock.now()
        if kept is None or now - kept.since > _KEPT_SECONDS or kept.since < at_least_since:
            try:
                kept = _Kept(servers=self.in_use(), since=now)
            except KeyManagerError:
                if kept is None:
                    raise
                # Tokens can be looked up without the administration; it is asked again after a while.
                kept = _Kept(servers=kept.servers, since=now - _KEPT_SECONDS + LOOK_AGAIN_SECONDS)
            self._kept = kept
        return kept.servers

    def forget(self) -> bool:
        """Look again next time; returns whether what was known was more than a few seconds old."""
        kept, self._kept = self._kept, None
        return kept is not None and self._clock.now() - kept.since > _FRESH_SECONDS

    def for_scopes(self, scopes: frozenset[str]) -> Server:
        """Where a client with these scopes lives. Raises ``InputError`` naming ``scopes`` when that is nowhere."""
        if not self.per_api or not scopes:
            return self.home()
        for server in self.in_use():
            if scopes <= set(server.scopes):
                return server
        raise InputError.of(
            "scopes",
            "SurfOAuth has one resource server per API: a client can have the scopes of one registered API only",
        )

    def prefixed(self, identifier: str) -> str:
        """The name of an API's resource server. Raises ``InputError`` for one that is too long for it."""
        name = f"{self._config.resource_server_name}:{identifier}"
        if len(name) > _LONGEST:
            raise InputError.of("identifier", f"SurfOAuth keeps names of at most {_LONGEST} characters")
        return name

    def identifier_of(self, server: Server) -> str:
        """The API's identifier, or "" when it is not an API's."""
        prefix = f"{self._config.resource_server_name}:"
        return server.name.removeprefix(prefix) if server.name.startswith(prefix) else ""

    def named(self, name: str) -> Server | None:
        """Ours by name."""
        return next((server for server in self._listed() if server.name == name), None)

    def read(self, server_id: int) -> Server | None:
        """By id; ``None`` also when it belongs to somebody else."""
        exchange = self._administration.call("GET", f"resourceServer/{server_id}")
        if exchange.status == 404:
            return None
        if exchange.status != 200:
            raise exchange.refused("to show the resource server")
        return _server(exchange.response.json_object(), exchange)

    def register(self, name: str, description: str, scopes: Iterable[str]) -> Server:
        """A new one; when somebody was quicker with the name, theirs. The body never carries an id: that overwrites."""
        body = {
            "name": name,
            "contactName": self._config.contact_name,
            "contactEmail": self._config.contact_email,
            "description": description,
            "scopes": sorted(check_scope(scope) for scope in scopes),
            "thumbNailUrl": "",
        }
        exchange = self._administration.call("PUT", "resourceServer", body)
        self._kept = None
        if exchange.status in (200, 201):
            return _server(exchange.response.json_object(), exchange)
        if exchange.status == 500 and not exchange.response.body:
            # This is how it says that the name is taken; it says the same of other things.
            found = self.named(name)
            if found is not None:
                return found
        raise exchange.refused("the resource server")

    def change(
        self, server_id: int, scopes_of: Callable[[tuple[str, ...]], Iterable[str]], *, description: str | None = None
    ) -> Server:
        """Change the scopes, and the description; then read it back, as the answer shows what was sent, not what is.

        Raises ``KeyManagerRejected`` when it is gone or would change its owner, ``KeyManagerUnavailable`` when
        somebody else keeps changing it.
        """
        with lock_of(self._config.base, server_id):
            for _ in range(_ROUNDS):
                server = self.read(server_id)
                if server is None:
                    raise _lost(str(server_id))
                wanted = tuple(dict.fromkeys(check_scope(scope) for scope in scopes_of(server.scopes)))
                same_text = description is None or text_of(server.raw, "description") == description
                if set(wanted) == set(server.scopes) and same_text:
                    return server
                self._write(server, wanted, description)
            changed = self.read(server_id)
            if changed is not None and set(changed.scopes) == set(scopes_of(changed.scopes)):
                return changed
        raise KeyManagerUnavailable("Somebody else changes the resource server at the same time", retry_after=1.0)

    def delete(self, server_id: int) -> None:
        """With all its clients and tokens; one that is gone is success."""
        exchange = self._administration.call("DELETE", f"resourceServer/{server_id}")
        self._kept = None
        if exchange.status in (200, 204, 404):
            return
        raise exchange.refused("the removal of the resource server")

    def _write(self, server: Server, scopes: tuple[str, ...], description: str | None) -> None:
        if self._administration.principal().get("adminPrincipal") is True:
            raise KeyManagerRejected(
                "Our admin client is an administrator of SurfOAuth: a change would take the resource server from its "
                "owner. Use one that is none.",
                remote_code=ADMIN_PRINCIPAL,
            )
        # The whole object with its id, and always the scopes: without them every client would lose all of its own.
        body = {**server.raw, "scopes": list(scopes)}
        if description is not None:
            body["description"] = description
        exchange = self._administration.call("POST", f"resourceServer/{server.id}", body)
        self._kept = None
        if exchange.status == 404:
            raise _lost(str(server.id))
        if exchange.status != 200:
            raise exchange.refused("the change of the resource server")
        _server(exchange.response.json_object(), exchange)

    def _listed(self) -> tuple[Server, ...]:
        exchange = self._administration.call("GET", "resourceServer")
        if exchange.status != 200:
            raise exchange.refused("to list the resource servers")
        rows = exchange.response.json_list()
        return tuple(_server(row, exchange) for row in rows if isinstance(row, dict))


def check_scope(scope: str) -> str:
    """A scope that SurfOAuth can keep. Raises ``InputError`` naming ``scopes``."""
    if "," in scope or not 0 < len(scope) <= _LONGEST:
        raise InputError.of(
            "scopes", f"{scope!r}: SurfOAuth separates scopes by commas and keeps at most {_LONGEST} characters"
        )
    return scope


def _server(body: dict[str, Any], exchange: Exchange) -> Server:
    response = exchange.response
    scopes = body.get("scopes")
    if not isinstance(scopes, list):
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered without scopes")
    return Server(
        id=whole(body, "id", response.url),
        name=text_of(body, "name"),
        key=required_text(body, "key", response),
        secret=required_text(body, "secret", response),
        scopes=texts_of(body, "scopes"),
        raw=body,
    )


def _lost(server_id: str) -> KeyManagerRejected:
    return KeyManagerRejected(
        f"The resource server {server_id} does not exist at SurfOAuth or belongs to somebody else now",
        remote_code=SERVER_LOST,
        remote_status=404,
    )
