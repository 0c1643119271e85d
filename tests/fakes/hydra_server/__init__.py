"""A fake Ory Hydra on two loopback ports, after its source: public and administration, which authenticates nobody.

    with HydraServer(habits=HydraHabits(rotation=False)) as server:
        server.fault("create", Fault.lost_answer())

Operations that faults and requests are named by: ``discovery``, ``jwks``, ``token``, ``revoke``, ``userinfo``,
``register``, ``create``, ``read``, ``replace``, ``delete``, ``list``, ``rotate``, ``drop_rotated``, ``delete_tokens``,
``introspect``, ``unknown``.
"""

import re
import threading
import time
import urllib.parse
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.fakes.faults import Fault, FaultQueue
from tests.fakes.hydra_server import admin, public
from tests.fakes.hydra_server.state import HydraClient, HydraHabits, HydraState
from tests.fakes.listener import Listener, Outcome
from tests.fakes.messages import Answer, Received, Refused

__all__ = ["HydraHabits", "HydraServer"]

Handler = Callable[..., Answer]
_CLIENT = r"/admin/clients/([^/]+)"
_PUBLIC: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", r"/\.well-known/(?:openid-configuration|oauth-authorization-server)", "discovery", public.discovery),
    ("GET", r"/\.well-known/jwks\.json", "jwks", public.jwks),
    ("POST", r"/oauth2/token", "token", public.token),
    ("POST", r"/oauth2/revoke", "revoke", public.revoke),
    ("POST", r"/oauth2/register", "register", public.register),
    ("GET", r"/userinfo", "userinfo", public.userinfo),
)
_ADMIN: tuple[tuple[str, str, str, Handler], ...] = (
    ("POST", r"/admin/clients", "create", admin.create),
    ("GET", r"/admin/clients", "list", admin.page),
    ("GET", _CLIENT, "read", admin.show),
    ("PUT", _CLIENT, "replace", admin.replace),
    ("DELETE", _CLIENT, "delete", admin.delete),
    ("POST", rf"{_CLIENT}/secrets/rotate", "rotate", admin.rotate),
    ("DELETE", rf"{_CLIENT}/secrets/rotate", "drop_rotated", admin.drop_rotated),
    ("DELETE", r"/admin/oauth2/tokens", "delete_tokens", admin.delete_tokens),
    ("POST", r"/admin/oauth2/introspect", "introspect", admin.introspect),
)


class HydraServer:
    """A running fake; use as a context manager, or call ``stop``. ``clock``: epoch seconds."""

    def __init__(self, *, habits: HydraHabits | None = None, clock: Callable[[], float] = time.time) -> None:
        self.habits = habits or HydraHabits()
        self.state = HydraState(self.habits, clock)
        self.requests: list[Received] = []
        self._faults = FaultQueue()
        self._lock = threading.RLock()
        self._public = Listener(lambda *call: self._handle(_PUBLIC, *call))
        self._admin = Listener(lambda *call: self._handle(_ADMIN, *call))
        self.issuer = self.state.issuer = f"http://127.0.0.1:{self._public.port}"
        self.admin_url = f"http://127.0.0.1:{self._admin.port}"
        self._public.start()
        self._admin.start()

    @property
    def clients(self) -> dict[str, HydraClient]:
        """By client id."""
        return self.state.clients

    def fault(self, operation: str, fault: Fault) -> None:
        """Queues a fault for the next calls of an operation; ``*`` means any operation."""
        with self._lock:
            self._faults.add(operation, fault)

    def requests_of(self, operation: str) -> list[Received]:
        """The requests received for an operation, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.operation == operation]

    def add_client(self, client_id: str, secret: str, **members: Any) -> HydraClient:
        """A client that an administrator made by hand."""
        document = admin.document_of(self.state, {"grant_types": ["client_credentials"], **members}, client_id)
        client = HydraClient(client_id=client_id, document=document, secret=secret)
        with self._lock:
            self.state.clients[client_id] = client
        return client

    def sign_in(self, client_id: str, *, scope: str, subject: str = "alice") -> tuple[str, str]:
        """Access and refresh token of a person, as the code grant gives them."""
        with self._lock:
            client, scopes = self.state.clients[client_id], scope.split()
            refresh = self.state.issue(client, scopes, [], use="refresh_token", subject=subject)
            access = self.state.issue(client, scopes, [], subject=subject, family=refresh.family)
        return access.value, refresh.value

    def make_token(self, client_id: str, *, scope: str = "", seconds: float | None = None, **claims: Any) -> str:
        """An access token without a request; negative ``seconds``: expired already."""
        with self._lock:
            client = self.state.clients[client_id]
            return self.state.issue(client, scope.split(), [], seconds=seconds, claims=claims).value

    def stop(self) -> None:
        """Stops both ports."""
        self._public.stop()
        self._admin.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _handle(
        self,
        routes: tuple[tuple[str, str, str, Handler], ...],
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        body: bytes,
    ) -> Outcome:
        operation, handler, segments = self._find(routes, method, path)
        request = Received(operation=operation, method=method, path=path, query=query, headers=headers, body=body)
        with self._lock:
            self.requests.append(request)
            fault = self._faults.take(operation)

        def run() -> Answer:
            with self._lock:
                try:
                    if routes is _ADMIN:
                        self._pass_proxy(request)
                    return handler(self.state, request, *segments)
                except Refused as exc:
                    return exc.answer

        return Outcome(run=run, fault=fault)

    def _pass_proxy(self, request: Received) -> None:
        wanted = self.habits.proxy_header
        if wanted is not None and request.headers.get(wanted[0].lower()) != wanted[1]:
            raise Refused(Answer.page(403, "The proxy lets nobody in"))

    def _find(
        self, routes: tuple[tuple[str, str, str, Handler], ...], method: str, path: str
    ) -> tuple[str, Handler, tuple[str, ...]]:
        for wanted, pattern, operation, handler in routes:
            found = re.fullmatch(pattern, path)
            absent = operation in ("rotate", "drop_rotated") and not self.habits.rotation
            if wanted == method and found and not absent:
                return operation, handler, tuple(urllib.parse.unquote(part) for part in found.groups())
        return "unknown", lambda *_: Answer(status=404, body=b"404 page not found\n", content_type="text/plain"), ()
