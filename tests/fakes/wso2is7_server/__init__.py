"""A fake WSO2 Identity Server 7, held against its own descriptions.

Operations that faults and requests are named by: ``client_create``, ``client_read``, ``client_change``,
``client_delete``, ``application_list``, ``application_change``, ``rotate``, ``secret_create``, ``secret_list``,
``secret_delete``, ``authorised_list``, ``authorised_create``, ``authorised_change``, ``authorised_delete``,
``resource_create``, ``resource_list``, ``resource_read``, ``resource_change``, ``resource_delete``, ``scope_change``,
``scope_delete``, ``token``, ``revoke``, ``introspect``, ``userinfo``, ``metadata``, ``keys``.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from keymanager.adapters.wso2is7.config import MANAGEMENT_SCOPES
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_server import Handler, VendorServer
from tests.fakes.wso2is7_server import api_resources, applications, registration, tokens
from tests.fakes.wso2is7_server.state import State

SHARED: Final = "urn:archway:apis"
# A name and a password that are spoilt by whoever encodes them before Base64.
PORTAL: Final = ("portal@example.org", "p+a:ss%41")
_DCR: Final = "/api/identity/oauth2/dcr/v1.1/register"
_SERVER: Final = "/api/server/v1"
_APP: Final = f"{_SERVER}/applications"
_OIDC: Final = f"{_APP}/{{}}/inbound-protocols/oidc"
_API: Final = f"{_SERVER}/api-resources"


class Wso2Is7Server(VendorServer):
    """A running fake. ``scopes``: of the API resource ``identifier``, which exists at the start."""

    def __init__(
        self,
        *,
        scopes: Iterable[str] = ("museum:read", "museum:write"),
        identifier: str = SHARED,
        tenant: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        prefix = f"/t/{tenant}" if tenant else ""
        descriptions = {
            "wso2is7-dcr": f"{prefix}/api/identity/oauth2/dcr/v1.1",
            "wso2is7-applications": f"{prefix}{_SERVER}",
            "wso2is7-api-resources": f"{prefix}{_SERVER}",
        }
        super().__init__(clock=clock, descriptions=descriptions)
        self.base_url = f"{self.origin}{prefix}"
        self.token_issuer = f"{self.base_url}/oauth2/token"
        self.state = State(clock=clock)
        self.state.add_resource(identifier, "Museum", [{"name": name} for name in scopes])
        system = self.state.add_resource("/api/server", "Management", [{"name": name} for name in MANAGEMENT_SCOPES])
        self.manager = self.state.add_app("portal", "manager_000000000001", grant_types=["client_credentials"])
        self.manager.authorised[system.id] = set(MANAGEMENT_SCOPES)
        self._add_routes(prefix)

    def make_token(self, client_id: str, scopes: list[str], *, seconds: float = 3600, **more: Any) -> str:
        """A JWT access token without a request; ``more``: claims, ``None`` leaves one out."""
        return self.signed(tokens.claims(self.state, self.token_issuer, client_id, scopes, seconds=seconds, **more))

    def _add_routes(self, prefix: str) -> None:
        app, api = "internal_application_mgt", "internal_api_resource"
        managed: tuple[tuple[str, str, str, str, Handler], ...] = (
            ("POST", _DCR, "client_create", "internal_dcr_create", registration.create),
            ("GET", f"{_DCR}/{{}}", "client_read", "internal_dcr_view", registration.read),
            ("PUT", f"{_DCR}/{{}}", "client_change", "internal_dcr_update", registration.change),
            ("DELETE", f"{_DCR}/{{}}", "client_delete", "internal_dcr_delete", registration.delete),
            ("GET", _APP, "application_list", f"{app}_view", applications.listing),
            ("PATCH", f"{_APP}/{{}}", "application_change", f"{app}_update", applications.change),
            ("POST", f"{_OIDC}/regenerate-secret", "rotate", f"{app}_client_secret_create", applications.regenerate),
            ("POST", f"{_OIDC}/secrets", "secret_create", f"{app}_client_secret_create", applications.add_secret),
            ("GET", f"{_OIDC}/secrets", "secret_list", f"{app}_client_secret_view", applications.list_secrets),
            ("DELETE", f"{_OIDC}/secrets/{{}}", "secret_delete", f"{app}_client_secret_delete", applications.drop),
            ("GET", f"{_APP}/{{}}/authorized-apis", "authorised_list", f"{app}_view", applications.authorised),
            ("POST", f"{_APP}/{{}}/authorized-apis", "authorised_create", f"{app}_update", applications.authorise),
            ("PATCH", f"{_APP}/{{}}/authorized-apis/{{}}", "authorised_change", f"{app}_update", applications.adjust),
            ("DELETE", f"{_APP}/{{}}/authorized-apis/{{}}", "authorised_delete", f"{app}_update", applications.forbid),
            ("POST", _API, "resource_create", f"{api}_create", api_resources.create),
            ("GET", _API, "resource_list", f"{api}_view", api_resources.listing),
            ("GET", f"{_API}/{{}}", "resource_read", f"{api}_view", api_resources.read),
            ("PATCH", f"{_API}/{{}}", "resource_change", f"{api}_update", api_resources.change),
            ("DELETE", f"{_API}/{{}}", "resource_delete", f"{api}_delete", api_resources.delete),
            ("PATCH", f"{_API}/{{}}/scopes/{{}}", "scope_change", f"{api}_update", api_resources.change_scope),
            ("DELETE", f"{_API}/{{}}/scopes/{{}}", "scope_delete", f"{api}_delete", api_resources.delete_scope),
        )
        for method, path, operation, scope, handler in managed:
            self.route(method, f"{prefix}{path}", operation, self._managed(scope, handler))
        public: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/token", "token", lambda got: tokens.token(self.state, got, self.token_issuer, self.signed)),
            ("POST", "/revoke", "revoke", lambda got: tokens.revoke(self.state, got)),
            ("POST", "/introspect", "introspect", self._introspect),
            ("GET", "/userinfo", "userinfo", tokens.userinfo),
            ("GET", "/token/.well-known/openid-configuration", "metadata", lambda _: self._metadata()),
            ("GET", "/jwks", "keys", self.jwks),
        )
        for method, path, operation, handler in public:
            self.route(method, f"{prefix}/oauth2{path}", operation, handler)

    def _managed(self, scope: str, handler: Handler) -> Handler:
        """For the administrator, or for a token with the scope. A refusal has no body."""

        def guarded(request: Received, *segments: str) -> Answer:
            if request.basic != PORTAL:
                token = self.state.live(request.bearer)
                if token is None:
                    raise Refused(Answer(status=401))
                if scope not in token["scopes"]:
                    raise Refused(Answer(status=403))
            answer: Answer = handler(self.state, request, *segments)
            return answer

        return guarded

    def _introspect(self, request: Received) -> Answer:
        if request.basic not in (PORTAL, (self.manager.client_id, self.manager.secret)):
            raise Refused(Answer(status=401))
        return tokens.introspect(self.state, request)

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
                "registration_endpoint": f"{self.base_url}{_DCR}",
                "response_types_supported": ["code"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )
