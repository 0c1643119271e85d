"""A fake Okta organisation with one authorization server, held against Okta's own description.

Operations that faults and requests are named by: ``app_create``, ``app_read``, ``app_update``, ``app_delete``,
``app_lifecycle``, ``app_list``, ``secret_add``, ``secret_list``, ``secret_change``, ``client_create``, ``client_read``,
``client_update``, ``client_delete``, ``client_secret``, ``client_list``, ``scopes``, ``policies``, ``token``,
``introspect``, ``revoke``, ``userinfo``, ``metadata``, ``keys``.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from tests.fakes.messages import Answer, Received
from tests.fakes.okta_server import apps, authorization, registration, tokens
from tests.fakes.okta_server.errors import invalid, missing, refuse
from tests.fakes.okta_server.state import App, State
from tests.fakes.vendor_server import Handler, VendorServer, random_id

AUTHORIZATION_SERVER = "default"
SYSTEM_SCOPES = ("openid", "profile", "email", "offline_access")


class OktaServer(VendorServer):
    """A running fake. ``scopes``: what the authorization server knows at the start besides Okta's own."""

    def __init__(
        self,
        *,
        scopes: Iterable[str] = ("museum:read", "museum:write"),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock=clock, descriptions={"okta-management": "", "okta-oauth": ""})
        self.api_token = f"00{random_id(40)}"
        self.issuer = self.token_issuer = f"{self.origin}/oauth2/{AUTHORIZATION_SERVER}"
        self.state = State(clock=clock)
        for name in SYSTEM_SCOPES:
            authorization.add_scope(self.state, name, system=True)
        for name in scopes:
            authorization.add_scope(self.state, name)
        self.gateway = self._service_app("gateway")
        self._add_routes()

    def make_token(self, client_id: str, scopes: list[str], *, seconds: float = 3600, **more: Any) -> str:
        """An access token without a request; ``more``: claims, ``None`` leaves one out."""
        with self._lock:
            made = tokens.issue(
                self.state, self.token_issuer, self.signed, client_id=client_id, scopes=scopes, seconds=seconds, **more
            )
        return made.value

    def add_policy_for_everyone(self) -> None:
        """The policy that Okta's ``default`` authorization server is born with."""
        with self._lock:
            policy = authorization.add_policy(
                self.state,
                type="OAUTH_AUTHORIZATION_POLICY",
                status="ACTIVE",
                name="Default Policy",
                description="Default policy for all clients",
                priority=99,
                conditions={"clients": {"include": ["ALL_CLIENTS"]}},
            )
            conditions = {"grantTypes": {"include": ["client_credentials"]}, "scopes": {"include": ["*"]}}
            authorization.add_rule(self.state, policy["id"], {"name": "Default Rule", "conditions": conditions})

    def _service_app(self, label: str) -> App:
        oauth = {"application_type": "service", "grant_types": ["client_credentials"], "response_types": ["token"]}
        app_id = f"0oa{random_id(17)}"
        return self.state.add_app(
            App(
                id=app_id,
                client_id=app_id,
                label=label,
                created=self.clock(),
                oauth=oauth,
                credentials={"token_endpoint_auth_method": "client_secret_basic"},
            )
        )

    def _add_routes(self) -> None:
        managed: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/api/v1/apps", "app_create", apps.create),
            ("GET", "/api/v1/apps", "app_list", self._paged(apps.matching)),
            ("GET", "/api/v1/apps/{}", "app_read", apps.read),
            ("PUT", "/api/v1/apps/{}", "app_update", apps.update),
            ("DELETE", "/api/v1/apps/{}", "app_delete", apps.delete),
            ("POST", "/api/v1/apps/{}/lifecycle/activate", "app_lifecycle", apps.set_status("ACTIVE")),
            ("POST", "/api/v1/apps/{}/lifecycle/deactivate", "app_lifecycle", apps.set_status("INACTIVE")),
            ("POST", "/api/v1/apps/{}/credentials/secrets", "secret_add", apps.add_secret),
            ("GET", "/api/v1/apps/{}/credentials/secrets", "secret_list", apps.list_secrets),
            (
                "POST",
                "/api/v1/apps/{}/credentials/secrets/{}/lifecycle/deactivate",
                "secret_change",
                apps.deactivate_secret,
            ),
            ("DELETE", "/api/v1/apps/{}/credentials/secrets/{}", "secret_change", apps.delete_secret),
            ("POST", "/oauth2/v1/clients", "client_create", registration.create),
            ("GET", "/oauth2/v1/clients", "client_list", self._paged(registration.matching, most_by_default=20)),
            ("GET", "/oauth2/v1/clients/{}", "client_read", registration.read),
            ("PUT", "/oauth2/v1/clients/{}", "client_update", registration.update),
            ("DELETE", "/oauth2/v1/clients/{}", "client_delete", registration.delete),
            ("POST", "/oauth2/v1/clients/{}/lifecycle/newSecret", "client_secret", registration.new_secret),
        )
        for method, path, operation, handler in managed:
            self.route(method, path, operation, self._managed(handler))
        self._add_authorization_routes()

    def _add_authorization_routes(self) -> None:
        server = f"/api/v1/authorizationServers/{AUTHORIZATION_SERVER}"
        scopes = self._paged(lambda state, _: list(state.scopes.values()))
        managed: tuple[tuple[str, str, str, Handler], ...] = (
            ("GET", f"{server}/scopes", "scopes", scopes),
            ("POST", f"{server}/scopes", "scopes", authorization.create_scope),
            ("GET", f"{server}/scopes/{{}}", "scopes", authorization.read_scope),
            ("PUT", f"{server}/scopes/{{}}", "scopes", authorization.replace_scope),
            ("DELETE", f"{server}/scopes/{{}}", "scopes", authorization.delete_scope),
            ("GET", f"{server}/policies", "policies", authorization.list_policies),
            ("POST", f"{server}/policies", "policies", authorization.create_policy),
            ("DELETE", f"{server}/policies/{{}}", "policies", authorization.delete_policy),
            ("GET", f"{server}/policies/{{}}/rules", "policies", authorization.list_rules),
            ("POST", f"{server}/policies/{{}}/rules", "policies", authorization.create_rule),
            ("PUT", f"{server}/policies/{{}}/rules/{{}}", "policies", authorization.replace_rule),
        )
        for method, path, operation, handler in managed:
            self.route(method, path, operation, self._managed(handler))
        public: tuple[tuple[str, str, str, Handler], ...] = (
            (
                "GET",
                "/.well-known/oauth-authorization-server",
                "metadata",
                lambda _: tokens.metadata(self.token_issuer),
            ),
            ("GET", "/v1/keys", "keys", self.jwks),
            ("POST", "/v1/token", "token", lambda r: tokens.token(self.state, r, self.token_issuer, self.signed)),
            ("POST", "/v1/introspect", "introspect", lambda r: tokens.introspect(self.state, r)),
            ("POST", "/v1/revoke", "revoke", lambda r: tokens.revoke(self.state, r)),
            ("GET", "/v1/userinfo", "userinfo", lambda r: tokens.userinfo(self.state, r)),
        )
        for method, path, operation, handler in public:
            self.route(method, f"/oauth2/{AUTHORIZATION_SERVER}{path}", operation, handler)

    def _managed(self, handler: Handler) -> Handler:
        """With the API token (Okta's own SDK leaves out the blank behind the scheme), with the rate limit's headers."""

        def guarded(request: Received, *segments: str) -> Answer:
            sent = request.headers.get("authorization", "")
            if sent.removeprefix("SSWS").strip() != self.api_token or not sent.startswith("SSWS"):
                raise refuse(401, "E0000011")
            answer = handler(self.state, request, *segments)
            left = (("X-Rate-Limit-Limit", "600"), ("X-Rate-Limit-Remaining", "599"))
            reset = ("X-Rate-Limit-Reset", str(int(self.clock()) + 60))
            return Answer(
                status=answer.status,
                body=answer.body,
                content_type=answer.content_type,
                headers=(*answer.headers, *left, reset),
            )

        return guarded

    def _paged(
        self, listing: Callable[[State, Received], list[dict[str, Any]]], *, most_by_default: int = 200
    ) -> Handler:
        """A listing by an opaque cursor that only the ``Link`` header tells."""

        def handler(state: State, request: Received) -> Answer:
            asked = request.parameters
            limit = int(asked.get("limit", most_by_default))
            if not 1 <= limit <= 200:
                raise invalid("limit", "limit: must be between 1 and 200")
            start = int(asked["after"].removeprefix("c")) if "after" in asked else 0
            found = listing(state, request)
            page = found[start : start + limit]
            url = f"{self.origin}{request.path}?"
            links = [("Link", f'<{url}{request.query}>; rel="self"')]
            if start + limit < len(found):
                following = urlencode({**asked, "after": f"c{start + limit}"})
                links.append(("Link", f'<{url}{following}>; rel="next"'))
            return Answer.of(page, headers=tuple(links))

        return handler

    def unknown(self, request: Received) -> Answer:
        """Okta's 404."""
        raise missing(request.path, "Endpoint")
