"""The fake of Entra ID as one server on loopback: sign-in below ``/<tenant>``, Graph below ``/v1.0``.

Operations that faults are queued at: ``token``, ``authorize``, ``discovery``, ``jwks``, ``upsert``, ``find``, ``read``,
``update``, ``delete``, ``list``, ``add_password``, ``remove_password``, ``principal``, ``read_principal``,
``list_principals``, ``assign``, ``unassign``, ``assignments``, ``consent``, ``unconsent``, ``consents``.
"""

import json
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import replace

from tests.fakes import discovery
from tests.fakes.entra_server.directory import Directory, Switches, refused
from tests.fakes.entra_server.graph import Graph
from tests.fakes.entra_server.login import Login
from tests.fakes.faults import Fault
from tests.fakes.messages import Answer, Received
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.fakes.store import system_clock


class EntraServer(RfcServer):
    """One tenant. ``switches``: its lasting faults. ``directory``: what it holds. ``login``: who it says it is."""

    def __init__(self, *, clock: Callable[[], float] = system_clock) -> None:
        # The address is known only when the listener has its port, which the base class opens last.
        self.tenant = str(uuid.uuid4())
        self.admin = (str(uuid.uuid4()), "admin~secret")
        self.directory = Directory(tenant=self.tenant, clock=clock)
        super().__init__(
            quirks=Quirks(token_format="jwt", token_seconds=3599),
            scopes=(),
            clock=clock,
            descriptions={"msgraph-applications": "/v1.0"},
        )
        self.login = Login(self.directory, self.store, authority=self.origin, admin=self.admin)
        self._graph = Graph(self.directory, f"{self.origin}/v1.0", self.admin[0])

    @property
    def switches(self) -> Switches:
        """The lasting faults."""
        return self.directory.switches

    def admin_token(self) -> str:
        """A token for Graph, as our administrative application gets one."""
        client_id, secret = self.admin
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        scope = f"{self.login.graph_url}/.default"
        request = urllib.request.Request(
            f"{self.origin}/{self.tenant}/oauth2/v2.0/token",
            data=urllib.parse.urlencode({**form, "scope": scope}).encode(),
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(json.load(answer)["access_token"])

    def forget_our_tokens(self) -> None:
        """Our administrative application's tokens end before their time."""
        self.revoke_everything()

    def _route(self, method: str, path: str) -> tuple[str, Callable[[Received], Answer]]:
        tenant = f"/{self.tenant}"
        routes: dict[tuple[str, str], tuple[str, Callable[[Received], Answer]]] = {
            ("GET", f"{tenant}/v2.0/.well-known/openid-configuration"): ("discovery", lambda _: self.login.document(2)),
            ("GET", f"{tenant}/.well-known/openid-configuration"): ("discovery", lambda _: self.login.document(1)),
            ("GET", f"{tenant}/discovery/v2.0/keys"): ("jwks", lambda _: discovery.jwks(self.store)),
            ("GET", f"{tenant}/discovery/keys"): ("jwks", lambda _: discovery.jwks(self.store)),
            ("POST", f"{tenant}/oauth2/v2.0/token"): ("token", self.login.token),
            ("GET", f"{tenant}/oauth2/v2.0/authorize"): ("authorize", self.login.authorize),
        }
        if (method, path) in routes:
            return routes[method, path]
        if path.startswith("/v1.0/"):
            operation, run = self._graph.route(method, urllib.parse.unquote(path.removeprefix("/v1.0")))
            return operation, lambda request: self._authorized(run, request)
        return "unknown", lambda _: Answer.page(404, "Not found")

    def _authorized(self, run: Callable[[Received], Answer], request: Received) -> Answer:
        if not self.login.caller(request):
            raise refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return run(request)


def throttled(*, retry_after: int | None, times: int = 1) -> Fault:
    """429 in Graph's words, with or without Retry-After: Graph does not always say when."""
    error = {"error": {"code": "TooManyRequests", "message": "Request was throttled.", "innerError": {}}}
    fault = Fault.refused(429, times=times)
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return replace(fault, body=json.dumps(error).encode(), headers=headers)


def failing(status: int, code: str, *, times: int = 1) -> Fault:
    """A refusal in Graph's words instead of doing anything."""
    error = {"error": {"code": code, "message": "a queued fault", "innerError": {}}}
    return replace(Fault.refused(status, times=times), body=json.dumps(error).encode())
