"""Which call is which: one servlet under three prefixes, with a filter in front of one of them."""

from dataclasses import replace

from tests.fakes.messages import Answer, Received
from tests.fakes.surfoauth.administration import CORS, AccessTokens, People, admitted, need_scope, preflight
from tests.fakes.surfoauth.answers import fault, found, not_acceptable
from tests.fakes.surfoauth.authorize import Authorize
from tests.fakes.surfoauth.clients import Clients
from tests.fakes.surfoauth.resource_servers import ResourceServers
from tests.fakes.surfoauth.store import Principal, Store, Token
from tests.fakes.surfoauth.tokens import Tokens

_KINDS = {"resourceServer": "resource_server", "accessToken": "access_token", "resourceOwner": "person"}
_ON_MANY = {"GET": "list", "HEAD": "list", "PUT": "create"}
_ON_ONE = {"GET": "read", "HEAD": "read", "POST": "update", "DELETE": "delete"}
_ALLOWED_ON_MANY = "HEAD,GET,OPTIONS,PUT"
_ALLOWED_ON_ONE = "HEAD,DELETE,POST,GET,OPTIONS"
_UNFILTERED = "java.lang.NullPointerException: verifyTokenResponse is null"
_WADL = b'<?xml version="1.0"?><application xmlns="http://wadl.dev.java.net/2009/02"/>'


def operation_of(method: str, path: str) -> str:
    """The name that faults are queued under."""
    _, names = _split(path)
    if names[:1] == ["resourceServer"] and names[1:] in (["principal"], ["stats"]):
        return names[1]
    if names[:1] == ["resourceServer"] and names[2:3] == ["client"]:
        return f"client.{_action(method, names[3:])}"
    if names and names[0] in _KINDS:
        return f"{_KINDS[names[0]]}.{_action(method, names[1:])}"
    return names[0] if names else "root"


def _action(method: str, rest: list[str]) -> str:
    return (_ON_ONE if rest else _ON_MANY).get(method, method)


def _split(path: str) -> tuple[str, list[str]]:
    prefix, *names = path.strip("/").split("/")
    return prefix, names


def _number(names: list[str], place: int) -> int | None:
    """An id in the path; anything that is no number names nothing."""
    return int(names[place]) if len(names) > place and names[place].isdecimal() else None


class Routes:
    """Everything that answers."""

    def __init__(
        self,
        store: Store,
        users: dict[str, Principal],
        everybody: Principal | None,
        base: str,
        *,
        complete_schema: bool,
    ) -> None:
        self._store = store
        self._base = base
        self._servers = ResourceServers(store, complete_schema=complete_schema)
        self._clients = Clients(store)
        self._tokens = Tokens(store, complete_schema=complete_schema)
        self._access_tokens = AccessTokens(store)
        self._people = People(store, complete_schema=complete_schema)
        self._authorize = Authorize(store, users, everybody)

    def answer(self, request: Received, now: int) -> Answer:
        """One call. Raises ``Refused``."""
        prefix, names = _split(request.path)
        if not prefix:
            return Answer(status=200, body=b"<html>SurfOAuth</html>", content_type="text/html")
        if prefix == "admin":
            answer = self._filtered(request, names, now)
            return replace(answer, headers=(*answer.headers, *CORS)) if "origin" in request.headers else answer
        if prefix in ("v1", "oauth2") and names:
            return self._public(request, names[0], now)
        raise fault(request.method, 404, "Not Found")

    def _public(self, request: Received, name: str, now: int) -> Answer:
        if name in _KINDS:
            raise fault(request.method, 500, _UNFILTERED)
        if name in ("token", "revoke"):
            _need_method(request, ("POST",), "POST,OPTIONS")
            return self._tokens.token(request, now) if name == "token" else self._tokens.revoke(request)
        if name == "tokeninfo":
            _need_method(request, ("GET", "HEAD"), "HEAD,GET,OPTIONS")
            _need_json_accepted(request)
            return self._tokens.info(request, now)
        if name == "authorize":
            post = request.method == "POST"
            return self._authorize.login(request, now) if post else self._authorize.start(request, now)
        if name == "consent" and request.method == "POST":
            return self._authorize.consent(request, now)
        raise fault(request.method, 404, "Not Found")

    def _filtered(self, request: Received, names: list[str], now: int) -> Answer:
        if request.method == "OPTIONS" and "origin" in request.headers:
            return preflight(request)
        token = admitted(request, self._store, now)
        if request.method == "OPTIONS":
            allow = (("Allow", "OPTIONS,HEAD,GET,PUT"),)
            return Answer(status=200, body=_WADL, content_type="application/vnd.sun.wadl+xml", headers=allow)
        if not names or names[0] not in _KINDS:
            raise fault(request.method, 404, "Not Found")
        _need_json_accepted(request)
        if names == ["resourceServer", "principal"]:
            return found(token.principal.shown())
        if names == ["resourceServer", "stats"]:
            return self._servers.stats(token.principal)
        one = len(names) in (2, 4)
        _need_method(request, _ON_ONE if one else _ON_MANY, _ALLOWED_ON_ONE if one else _ALLOWED_ON_MANY)
        need_scope(request, token)
        if names[0] == "resourceServer":
            if len(names) > 2:
                return self._client(request, names, token, now)
            return self._server(request, names, token, now)
        if names[0] == "accessToken":
            return self._access_token(request, names, token, now)
        return self._person(request, names, token, now)

    def _server(self, request: Received, names: list[str], token: Token, now: int) -> Answer:
        principal = token.principal
        if len(names) == 1:
            if request.method == "PUT":
                return self._servers.register(request, principal, self._base, now)
            return found([server.shown() for server in self._servers.all_visible(principal)])
        server = self._servers.needed(_number(names, 1), principal, request.method)
        if request.method == "POST":
            return self._servers.update(request, server, principal, now)
        return self._servers.delete(server) if request.method == "DELETE" else found(server.shown())

    def _client(self, request: Received, names: list[str], token: Token, now: int) -> Answer:
        server = self._servers.visible(_number(names, 1), token.principal)
        if names[2] != "client":
            raise fault(request.method, 404, "Not Found")
        if len(names) == 3:
            if request.method == "PUT":
                return self._clients.create(request, server, self._base, now)
            return found([] if server is None else [client.shown() for client in self._store.clients_of(server)])
        client = self._clients.needed(server, _number(names, 3), request.method)
        if request.method == "POST" and server is not None:
            return self._clients.update(request, server, client, now)
        return self._clients.delete(client) if request.method == "DELETE" else found(client.shown())

    def _access_token(self, request: Received, names: list[str], token: Token, now: int) -> Answer:
        if len(names) == 1:
            return found([entry.shown(now) for entry in self._access_tokens.visible(token.principal)])
        entry = self._access_tokens.needed(_number(names, 1), token.principal, request.method)
        return self._access_tokens.delete(entry) if request.method == "DELETE" else found(entry.shown(now))

    def _person(self, request: Received, names: list[str], token: Token, now: int) -> Answer:
        principal = token.principal
        if len(names) == 1:
            if request.method == "PUT":
                return self._people.create(request, principal, self._base, now)
            return found([person.shown() for person in self._people.visible(principal, request.method)])
        if request.method == "POST":
            return self._people.update(request)
        person = self._people.needed(_number(names, 1), principal, request.method)
        return self._people.delete(person) if request.method == "DELETE" else found(person.shown())


def _need_method(request: Received, known: tuple[str, ...] | dict[str, str], allow: str) -> None:
    if request.method not in known:
        raise fault(request.method, 405, "Method Not Allowed", (("Allow", allow),))


def _need_json_accepted(request: Received) -> None:
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("*/*", "application/json", "application/*")):
        raise not_acceptable()
