"""A fake ForgeRock AM 7: what no server that the tests can install has, told by its documentation and connectors.

    with ForgeRockServer() as server:
        server.fault("client_create", Fault.lost_answer())

Operations that faults and requests are named by: ``login``, ``client_create``, ``client_list``, ``client_read``,
``client_put``, ``client_delete``, ``register``, ``registered_read``, ``registered_change``, ``registered_delete``,
``metadata``, ``keys``, ``token``, ``tokeninfo``, ``introspect``, ``revoke``.
"""

import time
from collections.abc import Callable

from tests.fakes.forgerock_server import clients, registration, tokens
from tests.fakes.forgerock_server.state import GATEWAY, PORTAL, AmClient, State
from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_server import Handler, VendorServer

__all__ = ["ForgeRockServer"]

ADMIN = ("archway", "archway-password")
_REALM = "/realms/root/realms/alpha"


class ForgeRockServer(VendorServer):
    """A running fake with the realm ``alpha``, an administrator, a client that registers and one that introspects."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock=clock)
        self.issuer = self.token_issuer = f"{self.origin}/am/oauth2{_REALM}"
        self.state = State(clock=clock, issuer=self.issuer)
        self.state.add(AmClient.made(PORTAL, scopes=["dynamic_client_registration"]))
        self.state.add(AmClient.made(GATEWAY, scopes=["am-introspect-all-tokens"]))
        self.sessions: set[str] = set()
        self._add_routes()

    def end_sessions(self) -> None:
        """The administrator is signed out everywhere."""
        self.sessions.clear()

    def _add_routes(self) -> None:
        state, listed = self.state, f"/am/json{_REALM}/realm-config/agents/OAuth2Client"
        managed: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", listed, "client_create", clients.create_or_template),
            ("GET", listed, "client_list", clients.listing),
            ("GET", f"{listed}/{{}}", "client_read", clients.read),
            ("PUT", f"{listed}/{{}}", "client_put", clients.put),
            ("DELETE", f"{listed}/{{}}", "client_delete", clients.delete),
        )
        for method, path, operation, handler in managed:
            self.route(method, path, operation, self._signed_in(handler))
        self.route("POST", "/am/json/realms/root/authenticate", "login", self._login)
        oauth2 = f"/am/oauth2{_REALM}"
        public: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/register", "register", registration.register),
            ("GET", "/register", "registered_read", registration.read),
            ("PUT", "/register", "registered_change", registration.change),
            ("DELETE", "/register", "registered_delete", registration.delete),
            ("POST", "/access_token", "token", tokens.token),
            ("GET", "/tokeninfo", "tokeninfo", tokens.tokeninfo),
            ("POST", "/introspect", "introspect", tokens.introspect),
            ("POST", "/token/revoke", "revoke", tokens.revoke),
        )
        for method, path, operation, handler in public:
            self.route(method, f"{oauth2}{path}", operation, self._with_state(handler))
        self.route("GET", f"{oauth2}/connect/jwk_uri", "keys", self.jwks)
        self.route("GET", f"{oauth2}/.well-known/openid-configuration", "metadata", lambda _: tokens.metadata(state))

    def _with_state(self, handler: Handler) -> Handler:
        return lambda request, *segments: handler(self.state, request, *segments)

    def _signed_in(self, handler: Handler) -> Handler:
        def guarded(request: Received, *segments: str) -> Answer:
            if request.headers.get("iplanetdirectorypro") not in self.sessions:
                return clients.failure(401, "Unauthorized", "Access Denied")
            return handler(self.state, request, *segments)

        return guarded

    def _login(self, request: Received) -> Answer:
        shown = (request.headers.get("x-openam-username"), request.headers.get("x-openam-password"))
        if shown != ADMIN:
            return clients.failure(401, "Unauthorized", "Authentication Failed")
        session = f"session-{len(self.requests)}-{self.clock()}"
        self.sessions.add(session)
        return Answer.of({"tokenId": session, "successUrl": "/am/console", "realm": "/"})
