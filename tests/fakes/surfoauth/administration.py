"""The filter in front of ``/admin/`` and what lies behind it besides clients and resource servers."""

import re

from tests.fakes.messages import Answer, Received
from tests.fakes.surfoauth.answers import Headers, fault, found, invalid_scope, nothing, violations
from tests.fakes.surfoauth.bodies import PERSON_FIELDS, read
from tests.fakes.surfoauth.seeds import ADMIN_SERVER
from tests.fakes.surfoauth.store import Person, Principal, Store, Token

CORS: Headers = (("Access-Control-Allow-Origin", "*"),)
_METHODS = "GET, OPTIONS, HEAD, PUT, PATCH, POST, DELETE"
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def preflight(request: Received) -> Answer:
    """A browser asks before it calls; nobody needs a token for that. The origin is allowed with every answer."""
    asked = request.headers.get("access-control-request-headers", "")
    headers = (
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", asked),
        ("Access-Control-Max-Age", "86400"),
    )
    return Answer(status=200, headers=headers)


def admitted(request: Received, store: Store, now: int) -> Token:
    """The admin token of a call; 403 for whatever is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and (" " in value.strip() or _BAD_ESCAPE.search(value)):
        # The token goes unescaped into the address of the server's own call.
        raise fault(request.method, 500, "java.lang.IllegalArgumentException: Illegal character in query")
    token = store.token_by_value(value.strip()) if scheme.lower() == "bearer" else None
    if token is None or token.expired(now) or store.clients[token.client].server_id != ADMIN_SERVER:
        raise fault(request.method, 403, "OAuth2 endpoint")
    return token


def need_scope(request: Received, token: Token) -> None:
    """Reading needs read, everything else needs write."""
    if ("read" if request.method in ("GET", "HEAD") else "write") not in token.scopes:
        raise invalid_scope()


class AccessTokens:
    """``/admin/accessToken``: one's own tokens, or all for an admin principal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def visible(self, principal: Principal) -> list[Token]:
        """Those that a principal may see."""
        return [token for token in self._store.tokens.values() if principal.admin or token.owner == principal.name]

    def needed(self, number: int | None, principal: Principal, method: str) -> Token:
        """One that must be there."""
        token = next((token for token in self.visible(principal) if token.id == number), None)
        if token is None:
            raise fault(method, 404, "Not Found")
        return token

    def delete(self, token: Token) -> Answer:
        """It ends at once."""
        del self._store.tokens[token.id]
        return nothing(204)


class People:
    """``/admin/resourceOwner``, where the schema has the table."""

    def __init__(self, store: Store, *, complete_schema: bool) -> None:
        self._store = store
        self._complete = complete_schema

    def visible(self, principal: Principal, method: str) -> list[Person]:
        """All for an admin principal; others see themselves."""
        if not self._complete:
            raise fault(method, 500, "org.springframework.orm.jpa.JpaSystemException: RESOURCEOWNER")
        people = self._store.people.values()
        return [person for person in people if principal.admin or person.username == principal.name]

    def needed(self, number: int | None, principal: Principal, method: str) -> Person:
        """One that must be there."""
        person = next((person for person in self.visible(principal, method) if person.id == number), None)
        if person is None:
            raise fault(method, 404, "Not Found")
        return person

    def create(self, request: Received, principal: Principal, base: str, now: int) -> Answer:
        """PUT."""
        self.visible(principal, request.method)
        sent = read(request, PERSON_FIELDS)
        missing = ["may not be null" for name in ("username", "password") if sent.get(name) is None]
        if missing:
            raise violations(missing)
        if any(person.username == sent.get("username") for person in self._store.people.values()):
            raise fault(request.method, 500, "org.springframework.dao.DataIntegrityViolationException")
        person = Person(
            id=self._store.ids.take("person"), created=now, modified=now, username=sent.get("username"),
            password=sent.get("password"),
        )  # fmt: skip
        self._store.people[person.id] = person
        location = f"{base}/admin/resourceOwner/{person.id}.json"
        return found(person.shown(), status=201, headers=(("Location", location),))

    def update(self, request: Received) -> Answer:
        """POST is broken in the server."""
        title = "org.springframework.dao.InvalidDataAccessApiUsageException: The given id must not be null!"
        raise fault(request.method, 500, title)

    def delete(self, person: Person) -> Answer:
        """DELETE."""
        del self._store.people[person.id]
        return nothing(204)
