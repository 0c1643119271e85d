"""A SurfOAuth on loopback. It keeps its rows in memory, serves one call at a time, and plays the faults queued."""

import time
from collections.abc import Callable
from dataclasses import replace

from tests.fakes.fake_server import FakeServer, Run
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.surfoauth.routes import Routes, operation_of
from tests.fakes.surfoauth.seeds import ADMIN_SERVER, ADMIN_TOKEN, plant
from tests.fakes.surfoauth.store import Client, Principal, ResourceServer, Store

NOOP = Principal(name="noop", admin=True)


class SurfOAuthServer(FakeServer):
    """``complete_schema``: with the table of people. ``everybody_is_admin``: visitors need no login and are admins.

    The plain one is the server as it ships, with the form login.
    """

    def __init__(self, *, complete_schema: bool = False, everybody_is_admin: bool = False) -> None:
        super().__init__()
        self.store = Store()
        plant(self.store)
        self.users: dict[str, Principal] = {}
        self._meanwhile: dict[str, list[Callable[[], None]]] = {}
        # Scheme, host and port.
        self.base_url = self._open(self._find)
        everybody = NOOP if everybody_is_admin else None
        self._routes = Routes(self.store, self.users, everybody, self.base_url, complete_schema=complete_schema)
        self._start()

    # Where it is, and who may manage it

    @property
    def admin_token(self) -> str:
        """The shipped token of a user that may manage its own resource servers; it never expires."""
        return ADMIN_TOKEN

    def add_admin_client(
        self, client_id: str, secret: str, *, seconds: int = 3600, scope: str = "read,write"
    ) -> Client:
        """A client below the server's own resource server, as an administrator makes it for a portal."""
        with self._lock:
            client = Client(
                id=self.store.ids.take("client"), created=self.now_ms(), server_id=ADMIN_SERVER, name=client_id,
                client_id=client_id, secret=secret, scopes=scope.split(","), client_credentials=True,
                expire_duration=seconds,
            )  # fmt: skip
            self.store.clients[client.id] = client
            return client

    # Switches

    def meanwhile(self, operation: str, act: Callable[[], None]) -> None:
        """Something that somebody else does right after the next call of an operation, before it is answered."""
        with self._lock:
            self._meanwhile.setdefault(operation, []).append(act)

    def advance(self, seconds: float) -> None:
        """Let the server's clock run ahead."""
        with self._lock:
            self.store.skew_ms += round(seconds * 1000)

    def restart(self) -> None:
        """Rows stay, sessions go, ids jump."""
        with self._lock:
            self.store.sessions.clear()
            self.store.ids.restart()

    def make_admin(self, name: str) -> None:
        """Turn a user into an admin principal, also for tokens that it has already."""
        with self._lock:
            self.users[name] = Principal(name=name, admin=True)
            for token in self.store.tokens.values():
                if token.owner == name:
                    token.principal = replace(token.principal, admin=True)

    # What a test looks at

    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the server's clock."""
        return int(time.time() * 1000) + self.store.skew_ms

    def client(self, client_id: str) -> Client | None:
        """A client by its OAuth id."""
        with self._lock:
            return self.store.client_by_id(client_id)

    def resource_server(self, name: str) -> ResourceServer | None:
        """A resource server by name."""
        with self._lock:
            return next((server for server in self.store.servers.values() if server.name == name), None)

    # Running

    def _find(self, method: str, path: str) -> tuple[str, Run]:
        return operation_of(method, path), self._answered

    def _answered(self, request: Received) -> Answer:
        try:
            answer = self._routes.answer(request, self.now_ms())
        except Refused as exc:
            answer = exc.answer
        for act in self._meanwhile.pop(request.operation, []):
            act()
        return answer
