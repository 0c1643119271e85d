"""What a SurfOAuth keeps: resource servers, clients, tokens, people; with ids in blocks of 50 from one counter."""

import uuid
from dataclasses import dataclass, field
from typing import Any

_BLOCK = 50
_WRAP = 1 << 64


@dataclass(slots=True, kw_only=True)
class Principal:
    """Who a token speaks for."""

    name: str
    admin: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "roles": list(self.roles),
            "groups": list(self.groups),
            "adminPrincipal": self.admin,
            "attributes": dict(self.attributes),
        }


@dataclass(slots=True, kw_only=True)
class Row:
    """What every entity has. ``seeded``: shipped with the server's own data, without dates."""

    id: int
    created: int | None = None
    modified: int | None = None

    @property
    def seeded(self) -> bool:
        """Whether the row came with the server."""
        return self.created is None

    def dates(self) -> dict[str, Any]:
        """As JSON."""
        return {"id": self.id, "creationDate": self.created, "modificationDate": self.modified}


@dataclass(slots=True, kw_only=True)
class ResourceServer(Row):
    """A resource server; ``owner`` is the name of a principal."""

    name: str
    key: str
    secret: str
    owner: str | None
    scopes: list[str] = field(default_factory=list)
    description: str | None = None
    contact_name: str = ""
    contact_email: str | None = None
    thumb_nail_url: str | None = None

    def shown(self) -> dict[str, Any]:
        """As JSON; the owner is never shown."""
        return {
            **self.dates(),
            "name": self.name,
            "key": self.key,
            "description": self.description,
            "scopes": list(self.scopes),
            "secret": self.secret,
            "contactName": self.contact_name,
            "contactEmail": self.contact_email,
            "thumbNailUrl": self.thumb_nail_url,
        }


@dataclass(slots=True, kw_only=True)
class Client(Row):
    """A client of one resource server."""

    server_id: int
    name: str
    client_id: str
    secret: str | None
    scopes: list[str] = field(default_factory=list)
    description: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    thumb_nail_url: str | None = None
    redirect_uris: list[str] = field(default_factory=list)
    attributes: dict[str, str | None] = field(default_factory=dict)
    skip_consent: bool = False
    include_principal: bool = False
    expire_duration: int = 0
    use_refresh_tokens: bool = False
    implicit: bool = False
    client_credentials: bool = False

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.dates(),
            "name": self.name,
            "clientId": self.client_id,
            "secret": self.secret,
            "description": self.description,
            "contactName": self.contact_name,
            "contactEmail": self.contact_email,
            "scopes": list(self.scopes),
            "attributes": dict(self.attributes),
            "thumbNailUrl": self.thumb_nail_url,
            "redirectUris": list(self.redirect_uris),
            "skipConsent": self.skip_consent,
            "includePrincipal": self.include_principal,
            "expireDuration": self.expire_duration,
            "useRefreshTokens": self.use_refresh_tokens,
            "allowedImplicitGrant": self.implicit,
            "allowedClientCredentials": self.client_credentials,
        }


@dataclass(slots=True, kw_only=True)
class Token(Row):
    """An access token with its refresh token. ``expires``: epoch milliseconds, 0 is never."""

    value: str
    refresh: str | None
    client: int
    client_id: str
    owner: str
    principal: Principal
    scopes: list[str]
    expires: int = 0

    def expired(self, now: int) -> bool:
        """Whether it has ended."""
        return self.expires != 0 and self.expires < now

    def seconds_left(self, now: int) -> int:
        """As ``expires_in``; 0 is never."""
        return 0 if self.expires == 0 else int((self.expires - now) / 1000)

    def shown(self, now: int) -> dict[str, Any]:
        """As JSON of the administration."""
        return {
            **self.dates(),
            "token": self.value,
            "refreshToken": self.refresh,
            "scopes": list(self.scopes),
            "resourceOwnerId": self.owner,
            "clientId": self.client_id,
            "expiresIn": self.seconds_left(now),
        }


@dataclass(slots=True, kw_only=True)
class Person(Row):
    """A user of the password grant."""

    username: str
    password: str

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.dates(), "username": self.username}


@dataclass(slots=True, kw_only=True)
class Authorization:
    """One visit of the authorization endpoint, until its code is exchanged."""

    state_key: str
    client: int
    response_type: str
    redirect_uri: str
    requested: list[str]
    state: str | None
    principal: Principal | None = None
    granted: list[str] = field(default_factory=list)
    code: str = ""


class Ids:
    """Every kind of row takes blocks of 50 from one counter; a restart throws the rest of the blocks away."""

    def __init__(self) -> None:
        self._next_block = 1
        self._open: dict[str, list[int]] = {}

    def take(self, kind: str) -> int:
        """The next id of a kind."""
        waiting = self._open.get(kind)
        if not waiting:
            waiting = list(range(self._next_block, self._next_block + _BLOCK))
            self._next_block += _BLOCK
            self._open[kind] = waiting
        return waiting.pop(0)

    def restart(self) -> None:
        """Begin new blocks."""
        self._open.clear()


class Store:
    """All rows."""

    def __init__(self) -> None:
        self.ids = Ids()
        self.servers: dict[int, ResourceServer] = {}
        self.clients: dict[int, Client] = {}
        self.tokens: dict[int, Token] = {}
        self.people: dict[int, Person] = {}
        self.authorizations: dict[str, Authorization] = {}
        self.sessions: dict[str, Principal | None] = {}
        self.skew_ms = 0

    def client_by_id(self, client_id: str) -> Client | None:
        """By its OAuth id."""
        return next((client for client in self.clients.values() if client.client_id == client_id), None)

    def clients_of(self, server: ResourceServer) -> list[Client]:
        """Clients of one resource server."""
        return [client for client in self.clients.values() if client.server_id == server.id]

    def token_by_value(self, value: str) -> Token | None:
        """By the access token."""
        return next((token for token in self.tokens.values() if token.value == value), None)

    def remove_client(self, client: Client) -> None:
        """With its tokens."""
        del self.clients[client.id]
        for token in [token for token in self.tokens.values() if token.client == client.id]:
            del self.tokens[token.id]

    def remove_server(self, server: ResourceServer) -> None:
        """With its clients and their tokens."""
        for client in self.clients_of(server):
            self.remove_client(client)
        del self.servers[server.id]

    def issue(self, client: Client, principal: Principal, scopes: list[str], *, now: int, refresh: bool) -> Token:
        """A new token; the old ones stay. The expiry overflows as Java's long does."""
        expires = 0
        if client.expire_duration:
            expires = (now + 1000 * client.expire_duration + (_WRAP >> 1)) % _WRAP - (_WRAP >> 1)
        token = Token(
            id=self.ids.take("token"),
            created=now,
            modified=now,
            value=str(uuid.uuid4()),
            refresh=str(uuid.uuid4()) if refresh else None,
            client=client.id,
            client_id=client.client_id,
            owner=principal.name,
            principal=principal,
            scopes=list(scopes),
            expires=expires,
        )
        self.tokens[token.id] = token
        return token
