"""A fake Auth0 tenant, held against Auth0's own descriptions.

Operations that faults and requests are named by: ``client_create``, ``client_read``, ``client_change``,
``client_delete``, ``client_list``, ``rotate``, ``grant_create``, ``grant_change``, ``grant_delete``, ``grant_list``,
``server_create``, ``server_read``, ``server_change``, ``server_delete``, ``server_list``, ``token``, ``revoke``,
``userinfo``, ``metadata``, ``keys``.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from tests.fakes.auth0_server import management, tokens
from tests.fakes.auth0_server.errors import denied, refuse
from tests.fakes.auth0_server.state import State
from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_server import Handler, VendorServer

AUDIENCE: Final = "https://apis.example.org/"
_THINGS: Final = ("clients", "client_grants", "resource_servers")
MANAGEMENT_SCOPES: Final = (
    *(f"{verb}:{thing}" for verb in ("create", "read", "update", "delete") for thing in _THINGS),
    *("read:client_keys", "update:client_keys"),
)


class Auth0Server(VendorServer):
    """A running fake. ``scopes``: of the resource server ``audience``, which exists at the start."""

    def __init__(
        self,
        *,
        scopes: Iterable[str] = ("museum:read", "museum:write"),
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock=clock, descriptions={"auth0-management": "/api/v2", "auth0-authentication": ""})
        self.issuer = self.token_issuer = f"{self.origin}/"
        self.api_audience = f"{self.origin}/api/v2/"
        self.state = State(clock=clock)
        listed = [{"value": name} for name in scopes]
        self.state.add_server(audience, name="Museum", scopes=listed, signing_alg="RS256")
        system = [{"value": name} for name in MANAGEMENT_SCOPES]
        self.state.add_server(self.api_audience, name="Auth0 Management API", scopes=system, is_system=True)
        self.manager = self.state.add_client(
            name="Portal", grant_types=["client_credentials"], token_endpoint_auth_method="client_secret_post"
        )
        self.state.add_grant(self.manager.client_id, self.api_audience, list(MANAGEMENT_SCOPES))
        self._add_routes()

    def make_token(self, client_id: str, scopes: list[str], *, seconds: float = 3600, **more: Any) -> str:
        """An access token without a request; ``more``: claims, ``None`` leaves one out."""
        made = tokens.claims(
            self.state,
            self.token_issuer,
            client_id=client_id,
            audience=AUDIENCE,
            scopes=scopes,
            seconds=seconds,
            **more,
        )
        return self.signed(made)

    def end_management_tokens(self) -> None:
        """Every management token that was given is refused from now on."""
        self._given.clear()

    def as_described(self, request: Received) -> Received:
        """Credentials by Basic are not in the description, though its clients can be set to use it."""
        return replace(request, body=tokens.basic_as_form(request)) if request.operation == "token" else request

    def unknown(self, _: Received) -> Answer:
        """Auth0's 404."""
        raise refuse(404, "Not Found")

    def _add_routes(self) -> None:
        self._given: dict[str, set[str]] = {}
        managed: tuple[tuple[str, str, str, str, Handler], ...] = (
            ("POST", "/clients", "client_create", "create:clients", management.create_client),
            ("GET", "/clients", "client_list", "read:clients", management.list_clients),
            ("GET", "/clients/{}", "client_read", "read:clients", management.read_client),
            ("PATCH", "/clients/{}", "client_change", "update:clients", management.change_client),
            ("DELETE", "/clients/{}", "client_delete", "delete:clients", management.delete_client),
            ("POST", "/clients/{}/rotate-secret", "rotate", "update:client_keys", management.rotate_secret),
            ("POST", "/client-grants", "grant_create", "create:client_grants", management.create_grant),
            ("GET", "/client-grants", "grant_list", "read:client_grants", management.list_grants),
            ("PATCH", "/client-grants/{}", "grant_change", "update:client_grants", management.change_grant),
            ("DELETE", "/client-grants/{}", "grant_delete", "delete:client_grants", management.delete_grant),
            ("POST", "/resource-servers", "server_create", "create:resource_servers", management.create_server),
            ("GET", "/resource-servers", "server_list", "read:resource_servers", management.list_servers),
            ("GET", "/resource-servers/{}", "server_read", "read:resource_servers", management.read_server),
            ("PATCH", "/resource-servers/{}", "server_change", "update:resource_servers", management.change_server),
            ("DELETE", "/resource-servers/{}", "server_delete", "delete:resource_servers", management.delete_server),
        )
        for method, path, operation, scope, handler in managed:
            self.route(method, f"/api/v2{path}", operation, self._managed(scope, handler))
        public: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/oauth/token", "token", self._token),
            ("POST", "/oauth/revoke", "revoke", lambda request: tokens.revoke(self.state, request)),
            ("GET", "/userinfo", "userinfo", self._userinfo),
            ("GET", "/.well-known/openid-configuration", "metadata", lambda _: self._metadata()),
            ("GET", "/.well-known/jwks.json", "keys", self.jwks),
        )
        for method, path, operation, handler in public:
            self.route(method, path, operation, handler)

    def _managed(self, scope: str, handler: Handler) -> Handler:
        """With a management token that has the scope."""

        def guarded(request: Received, *segments: str) -> Answer:
            held = self._given.get(request.bearer)
            if held is None:
                raise refuse(401, "Invalid token", "invalid_token")
            if scope not in held:
                raise refuse(403, f"Insufficient scope, expected any of: {scope}", "insufficient_scope")
            answer: Answer = handler(self.state, request, *segments)
            if "read:client_keys" not in held and answer.body.startswith(b"{"):
                answer = _without_secret(answer)
            return answer

        return guarded

    def _token(self, request: Received) -> Answer:
        answer = tokens.token(self.state, request, self.token_issuer, self.signed)
        asked = tokens.parameters(request)
        if asked.get("audience") == self.api_audience:
            grant = self.state.grant(asked.get("client_id", ""), self.api_audience)
            if grant is not None:
                self._given[_body(answer)["access_token"]] = set(grant["scope"])
        return answer

    def _userinfo(self, request: Received) -> Answer:
        if request.bearer != "user-token":
            raise denied(401, "invalid_token", "The access token is invalid or has expired")
        return Answer.of({"sub": "auth0|1", "preferred_username": "alice"})

    def _metadata(self) -> Answer:
        return Answer.of(
            {
                "issuer": self.token_issuer,
                "authorization_endpoint": f"{self.origin}/authorize",
                "token_endpoint": f"{self.origin}/oauth/token",
                "userinfo_endpoint": f"{self.origin}/userinfo",
                "jwks_uri": f"{self.origin}/.well-known/jwks.json",
                "registration_endpoint": f"{self.origin}/oidc/register",
                "revocation_endpoint": f"{self.origin}/oauth/revoke",
                "response_types_supported": ["code", "token"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )


def _body(answer: Answer) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(answer.body)
    return loaded


def _without_secret(answer: Answer) -> Answer:
    body = {name: value for name, value in _body(answer).items() if name != "client_secret"}
    return Answer.of(body, status=answer.status)
