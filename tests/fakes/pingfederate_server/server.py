"""The fake of PingFederate as one server on loopback.

Operations that faults are queued at: ``create``, ``read``, ``update``, ``delete``, ``list``, ``secret``, ``scope``
(administrative API), ``service`` (client management service), ``token``, ``introspect``, ``revoke``, ``discovery``,
``jwks``, ``authorize``.
"""

import urllib.parse
from collections.abc import Callable

from tests.fakes import discovery, grants, introspection
from tests.fakes.messages import Answer, Received
from tests.fakes.pingfederate_server.admin_api import AdminApi
from tests.fakes.pingfederate_server.client_service import ClientService
from tests.fakes.pingfederate_server.clients import Clients
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.fakes.store import system_clock

HABITS = Quirks(
    # The answer names scopes only where they differ from what was asked, which here they never do.
    scope_in_answer="never",
    introspection_omits=frozenset({"iat", "iss", "jti"}),
    client_id_claim="client_id_name",
)
_ADMIN = "/pf-admin-api/v1"
_SERVICE = "/pf-ws/rest/oauth/clients"


class PingFederateServer(RfcServer):
    """``managed``: its clients. ``service``: the client management service's two unknowns."""

    def __init__(self, *, quirks: Quirks = HABITS, clock: Callable[[], float] = system_clock) -> None:
        self.user = ("Administrator", "admin-password")
        super().__init__(quirks=quirks, scopes=(), clock=clock, descriptions={"pingfederate-admin": _ADMIN})
        self.managed = Clients(store=self.store, clock=clock)
        self.service = ClientService(self.managed, self.user)
        self._admin = AdminApi(self.managed, self.user)
        self.admin_api_url = f"{self.origin}{_ADMIN}"
        self.service_url = f"{self.origin}{_SERVICE}"

    def _route(self, method: str, path: str) -> tuple[str, Callable[[Received], Answer]]:
        self.managed.sync()
        store = self.store
        routes: dict[tuple[str, str], tuple[str, Callable[[Received], Answer]]] = {
            ("GET", "/.well-known/openid-configuration"): ("discovery", lambda _: self._document()),
            ("GET", "/pf/JWKS"): ("jwks", lambda _: discovery.jwks(store)),
            ("POST", "/as/token.oauth2"): ("token", lambda request: grants.token(store, request)),
            ("GET", "/as/authorization.oauth2"): (
                "authorize",
                lambda request: grants.authorize(store, request, self.person),
            ),
            ("POST", "/as/introspect.oauth2"): ("introspect", lambda request: introspection.introspect(store, request)),
            ("POST", "/as/revoke_token.oauth2"): ("revoke", lambda request: introspection.revoke(store, request)),
        }
        if (method, path) in routes:
            return routes[method, path]
        if path.startswith(f"{_ADMIN}/"):
            below = urllib.parse.unquote(path.removeprefix(_ADMIN))
            return self._admin.operation(method, below), lambda request: self._admin.answer(request, below)
        if path == _SERVICE or path.startswith(f"{_SERVICE}/"):
            client_id = urllib.parse.unquote(path.removeprefix(_SERVICE).removeprefix("/"))
            return "service", lambda request: self.service.answer(request, client_id)
        return "unknown", lambda _: Answer.page(404, "Not found")

    def _document(self) -> Answer:
        names = {
            "issuer": self.store.token_issuer,
            "authorization_endpoint": f"{self.origin}/as/authorization.oauth2",
            "token_endpoint": f"{self.origin}/as/token.oauth2",
            "revocation_endpoint": f"{self.origin}/as/revoke_token.oauth2",
            "introspection_endpoint": f"{self.origin}/as/introspect.oauth2",
            "userinfo_endpoint": f"{self.origin}/idp/userinfo.openid",
            "jwks_uri": f"{self.origin}/pf/JWKS",
            "scopes_supported": sorted(self.store.scopes),
        }
        return Answer.of(names)
