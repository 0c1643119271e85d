"""A fake Ory Hydra on two loopback ports, after its source: public and administration, which authenticates nobody.

    with HydraServer(habits=HydraHabits(rotation=False)) as server:
        server.fault("create", Fault.lost_answer())

Operations that faults and requests are named by: ``discovery``, ``jwks``, ``token``, ``revoke``, ``userinfo``,
``register``, ``read_own``, ``replace_own``, ``delete_own``, ``create``, ``read``, ``replace``, ``delete``, ``list``,
``rotate``, ``drop_rotated``, ``delete_tokens``, ``introspect``, ``unknown``.
"""

import re
import time
import urllib.parse
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.fakes.fake_server import FakeServer, Run
from tests.fakes.hydra_server import admin, public
from tests.fakes.hydra_server.state import HydraClient, HydraHabits, HydraState
from tests.fakes.messages import Answer, Received, Refused

__all__ = ["HydraHabits", "HydraServer"]

Handler = Callable[..., Answer]
_CLIENT = r"/admin/clients/([^/]+)"
_OWN = r"/oauth2/register/([^/]+)"
_PUBLIC: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", r"/\.well-known/(?:openid-configuration|oauth-authorization-server)", "discovery", public.discovery),
    ("GET", r"/\.well-known/jwks\.json", "jwks", public.jwks),
    ("POST", r"/oauth2/token", "token", public.token),
    ("POST", r"/oauth2/revoke", "revoke", public.revoke),
    ("POST", r"/oauth2/register", "register", public.register),
    ("GET", _OWN, "read_own", public.show_own),
    ("PUT", _OWN, "replace_own", public.replace_own),
    ("DELETE", _OWN, "delete_own", public.delete_own),
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


class HydraServer(FakeServer):
    """A running fake. ``clock``: epoch seconds."""

    def __init__(self, *, habits: HydraHabits | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.habits = habits or HydraHabits()
        self.state = HydraState(self.habits, clock)
        self.issuer = self.state.issuer = self._open(partial(self._find, _PUBLIC))
        self.admin_url = self._open(partial(self._find, _ADMIN))
        self._start()

    @property
    def clients(self) -> dict[str, HydraClient]:
        """By client id."""
        return self.state.clients

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

    def _pass_proxy(self, request: Received) -> None:
        wanted = self.habits.proxy_header
        if wanted is not None and request.headers.get(wanted[0].lower()) != wanted[1]:
            raise Refused(Answer.page(403, "The proxy lets nobody in"))

    def _find(self, routes: tuple[tuple[str, str, str, Handler], ...], method: str, path: str) -> tuple[str, Run]:
        for wanted, pattern, operation, handler in routes:
            found = re.fullmatch(pattern, path)
            absent = operation in ("rotate", "drop_rotated") and not self.habits.rotation
            if wanted == method and found and not absent:
                segments = tuple(urllib.parse.unquote(part) for part in found.groups())
                return operation, partial(self._run, routes is _ADMIN, handler, segments)
        return "unknown", lambda _: Answer(status=404, body=b"404 page not found\n", content_type="text/plain")

    def _run(self, guarded: bool, handler: Handler, segments: tuple[str, ...], request: Received) -> Answer:
        if guarded:
            self._pass_proxy(request)
        return handler(self.state, request, *segments)
