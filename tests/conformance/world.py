"""What the conformance suite stands on: an adapter, the wire below it, and what its server is expected to do."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from common.http import HttpClient
from keymanager.adapters.contract import ClientMetadata, KeyManagerAdapter, RegisteredClient, TokenAnswer, TokenRequest

Match = Callable[[httpx2.Request], bool]
Behaviour = Callable[[httpx2.Request, httpx2.BaseTransport], httpx2.Response]


class Wire(httpx2.BaseTransport):
    """Passes requests on, keeps them, and misbehaves once for the next request that matches."""

    def __init__(self, inner: httpx2.BaseTransport, meanings: Mapping[Match, Match] | None = None) -> None:
        """``meanings``: how this server's requests for what the suite calls ``registering`` ... are recognised."""
        self._inner = inner
        self._meanings = dict(meanings or {})
        self._planned: tuple[Match, Behaviour] | None = None
        self.sent: list[httpx2.Request] = []

    def plan(self, match: Match, behaviour: Behaviour) -> None:
        """Let ``behaviour`` answer every request that matches, until ``heal``."""
        self._planned = (self._meanings.get(match, match), behaviour)

    def heal(self) -> None:
        """Behave well again."""
        self._planned = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.sent.append(request)
        if self._planned is not None and self._planned[0](request):
            return self._planned[1](request, self._inner)
        return self._inner.handle_request(request)

    def matching(self, match: Match) -> list[httpx2.Request]:
        """Requests sent so far that match."""
        meant = self._meanings.get(match, match)
        return [request for request in self.sent if meant(request)]

    def close(self) -> None:
        self._inner.close()


def registering(request: httpx2.Request) -> bool:
    """The request that creates a client."""
    return request.method == "POST" and b"client_name" in request.content


def updating(request: httpx2.Request) -> bool:
    """The request that updates a client."""
    return request.method == "PUT" and b"client_name" in request.content


def deleting(request: httpx2.Request) -> bool:
    """The request that deletes."""
    return request.method == "DELETE"


def asking_for_a_token(request: httpx2.Request) -> bool:
    """A request of an application's client for a token (our own clients ask for no ``museum`` scope)."""
    return request.method == "POST" and b"museum" in request.content and b"grant_type" in request.content


def introspecting(request: httpx2.Request) -> bool:
    """An introspection."""
    return request.method == "POST" and request.content.startswith(b"token=")


def reading(request: httpx2.Request) -> bool:
    """A read with a right: of a client, not of a discovery document."""
    return request.method == "GET" and "authorization" in request.headers


def lost_answer(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
    """It is done, and nobody says so."""
    inner.handle_request(request).read()
    raise httpx2.ReadTimeout("no answer")


def refused_connection(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
    """It never arrived."""
    raise httpx2.ConnectError("refused")


class Watched:
    """Behaves well, and keeps every request with the answer to it."""

    def __init__(self) -> None:
        self.seen: list[tuple[httpx2.Request, bytes]] = []

    def __call__(self, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
        given = inner.handle_request(request)
        body = given.read()
        self.seen.append((request, body))
        return httpx2.Response(given.status_code, headers=given.headers, content=body)

    def maker_of(self, secret: str) -> Match:
        """The first change that brought this secret to the server, or back from it."""
        made = next(
            request
            for request, body in self.seen
            if request.method in ("POST", "PUT", "PATCH") and secret.encode() in request.content + body
        )
        return lambda request: (request.method, request.url.path) == (made.method, made.url.path)


def answer(status: int, *, headers: dict[str, str] | None = None, **content: Any) -> Behaviour:
    """Nothing is done, and this is the answer."""
    return lambda _request, _inner: httpx2.Response(status, headers=headers, **content)


PAGE = answer(200, html="<!doctype html><title>Sign in</title>")
BUSY = answer(429, headers={"Retry-After": "7"}, json={"error": "slow_down"})


class ManualClock:
    """A clock that a test moves."""

    def __init__(self, start: float) -> None:
        self.time = start

    def now(self) -> float:
        return self.time


@dataclass(kw_only=True)
class World:
    """One server behind one adapter.

    ``scopes``: two scopes that the server knows. ``tokens_survive_client``: what introspection says of a token after
    its client was deleted. ``revokes``: a revoked token is inactive afterwards; otherwise revoking it is refused.
    ``registers_scopes``: the scopes in a registration limit what the client is granted.
    ``limits_resources``: the resources in a registration limit what the client is granted.
    ``takes_resource``: a token request may name its API (RFC 8707).
    ``secrets_have_ids``: each new secret of a client comes with an id of its own.
    ``make``: another adapter for the same server on the given client.
    """

    wire: Wire
    make: Callable[[HttpClient], KeyManagerAdapter]
    scopes: tuple[str, str] = ("museum:read", "museum:write")
    tokens_survive_client: bool = True
    revokes: bool = True
    registers_scopes: bool = True
    limits_resources: bool = False
    takes_resource: bool = True
    secrets_have_ids: bool = False

    def adapter(self) -> KeyManagerAdapter:
        """An adapter with nothing kept, on the wire."""
        return self.make(HttpClient(transport=self.wire))

    def client_metadata(self, **changes: Any) -> ClientMetadata:
        """A machine client that may have the first scope only."""
        values: dict[str, Any] = {
            "client_name": "Museum shop",
            "marker": str(uuid.uuid4()),
            "scopes": frozenset({self.scopes[0]}),
        }
        return ClientMetadata(**{**values, **changes})


def ask(adapter: KeyManagerAdapter, client: RegisteredClient, scope: str, **changes: str) -> TokenAnswer:
    """A client_credentials request of a registered client."""
    request = TokenRequest(
        client_id=changes.get("client_id", client.handle.client_id),
        client_secret=changes.get("client_secret", client.handle.client_secret),
        parameters=(("grant_type", "client_credentials"), ("scope", scope)),
    )
    return adapter.issue_token(request)


def ask_at(
    adapter: KeyManagerAdapter, world: World, client: RegisteredClient, scope: str, resource: str
) -> TokenAnswer:
    """The same for one API (RFC 8707), where the server can be told."""
    if not world.takes_resource:
        return ask(adapter, client, scope)
    request = TokenRequest(
        client_id=client.handle.client_id,
        client_secret=client.handle.client_secret,
        parameters=(("grant_type", "client_credentials"), ("scope", scope), ("resource", resource)),
    )
    return adapter.issue_token(request)


def token_of(given: TokenAnswer) -> str:
    """The access token of a good answer."""
    assert given.ok, given.status
    return str(given.body["access_token"])
