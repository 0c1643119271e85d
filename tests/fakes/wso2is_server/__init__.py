"""A fake WSO2 Identity Server 5 or 6, held against its own descriptions.

Operations that faults and requests are named by: ``client_create``, ``client_read``, ``client_change``,
``client_delete``, ``rotate``, ``secret_create``, ``secret_list``, ``secret_delete``, ``scope_create``, ``scope_list``,
``scope_read``, ``scope_change``, ``scope_delete``, ``token``, ``revoke``, ``introspect``, ``userinfo``, ``metadata``,
``keys``.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_server import Handler, VendorServer
from tests.fakes.wso2is7_server import tokens
from tests.fakes.wso2is7_server.state import App, State
from tests.fakes.wso2is_server import clients, scopes

# A name and a password that are spoilt by whoever encodes them before Base64.
PORTAL: Final = ("portal@example.org", "p+a:ss%41")
_REGISTER: Final = "/keymanager-operations/dcr/register"
_SCOPES: Final = "/api/identity/oauth2/v1.0/scopes"


class Wso2IsServer(VendorServer):
    """A running fake. ``known``: registered scopes.

    ``drops_unregistered``: the server leaves scopes out that are not registered; otherwise it gives whatever is asked.
    """

    def __init__(
        self,
        *,
        known: Iterable[str] = ("museum:read", "museum:write"),
        encoded_ids: bool = True,
        drops_unregistered: bool = True,
        tenant: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        prefix = f"/t/{tenant}" if tenant else ""
        descriptions = {
            "wso2is-keymanager-operations": f"{prefix}/keymanager-operations",
            "wso2is-oauth2-scopes": f"{prefix}/api/identity/oauth2/v1.0",
        }
        super().__init__(clock=clock, descriptions=descriptions)
        self.base_url = f"{self.origin}{prefix}"
        self.token_issuer = f"{self.base_url}/oauth2/token"
        self.state = State(clock=clock)
        self.clients = clients.Clients(self.state, encoded_ids=encoded_ids)
        self.scopes = scopes.Scopes(known)
        self.drops_unregistered = drops_unregistered
        self._add_routes(prefix)

    def make_token(self, client_id: str, scopes: list[str], *, seconds: float = 3600, **more: Any) -> str:
        """A JWT access token without a request; ``more``: claims, ``None`` leaves one out."""
        return self.signed(tokens.claims(self.state, self.token_issuer, client_id, scopes, seconds=seconds, **more))

    def _add_routes(self, prefix: str) -> None:
        one = f"{_REGISTER}/{{}}"
        managed: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", _REGISTER, "client_create", self.clients.create),
            ("GET", one, "client_read", self.clients.read),
            ("PUT", one, "client_change", self.clients.change),
            ("DELETE", one, "client_delete", self.clients.delete),
            ("POST", f"{one}/regenerate-consumer-secret", "rotate", self.clients.regenerate),
            ("POST", f"{one}/generate-secret", "secret_create", self.clients.add_secret),
            ("GET", f"{one}/secrets", "secret_list", self.clients.list_secrets),
            ("DELETE", f"{one}/secrets/{{}}", "secret_delete", self.clients.drop_secret),
            ("POST", _SCOPES, "scope_create", self.scopes.create),
            ("GET", _SCOPES, "scope_list", self.scopes.listing),
            ("GET", f"{_SCOPES}/name/{{}}", "scope_read", self.scopes.read),
            ("PUT", f"{_SCOPES}/name/{{}}", "scope_change", self.scopes.change),
            ("DELETE", f"{_SCOPES}/name/{{}}", "scope_delete", self.scopes.delete),
        )
        for method, path, operation, handler in managed:
            self.route(method, f"{prefix}{path}", operation, self._managed(handler))
        public: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/token", "token", self._token),
            ("POST", "/revoke", "revoke", lambda got: tokens.revoke(self.state, got)),
            ("POST", "/introspect", "introspect", self._managed(lambda got: tokens.introspect(self.state, got))),
            ("GET", "/userinfo", "userinfo", tokens.userinfo),
            ("GET", "/token/.well-known/openid-configuration", "metadata", lambda _: self._metadata()),
            ("GET", "/jwks", "keys", self.jwks),
        )
        for method, path, operation, handler in public:
            self.route(method, f"{prefix}/oauth2{path}", operation, handler)

    def _managed(self, handler: Handler) -> Handler:
        """For the administrator. A refusal has no body."""

        def guarded(request: Received, *segments: str) -> Answer:
            if request.basic != PORTAL:
                raise Refused(Answer(status=401))
            return handler(request, *segments)

        return guarded

    def _token(self, request: Received) -> Answer:
        return tokens.token(self.state, request, self.token_issuer, self.signed, self._granted)

    def _granted(self, _: App, asked: list[str]) -> list[str]:
        """Whatever is asked for, by any client."""
        return [key for key in asked if key in self.scopes.known or not self.drops_unregistered]

    def _metadata(self) -> Answer:
        oauth2 = f"{self.base_url}/oauth2"
        return Answer.of(
            {
                "issuer": self.token_issuer,
                "authorization_endpoint": f"{oauth2}/authorize",
                "token_endpoint": f"{oauth2}/token",
                "userinfo_endpoint": f"{oauth2}/userinfo",
                "jwks_uri": f"{oauth2}/jwks",
                "introspection_endpoint": f"{oauth2}/introspect",
                "revocation_endpoint": f"{oauth2}/revoke",
                "response_types_supported": ["code"],
            }
        )
