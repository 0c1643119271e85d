"""A faithful fake of an OAuth authorization server: real HTTP on loopback, switchable habits, faults on request.

    with RfcServer(quirks=GLEWLWYD) as server:
        server.fault("register", Fault.lost_answer())
        ...
        assert len(server.clients) == 1

Operations that faults and recorded requests are named by: ``discovery``, ``jwks``, ``register``, ``read``, ``update``,
``delete``, ``token``, ``introspect``, ``revoke``, ``authorize``, ``userinfo``, ``administer`` and ``unknown``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.fakes import administration, discovery, grants, introspection, registration
from tests.fakes.fake_server import FakeServer, Run
from tests.fakes.messages import Answer, Received
from tests.fakes.quirks import Quirks
from tests.fakes.store import FakeClient, FakeScope, FakeToken, Store, system_clock

DEFAULT_SCOPES = ("openid", "offline_access", "read", "write", "museum:read", "museum:write")


class RfcServer(FakeServer):
    """A running fake identity provider.

    ``scopes``: what it knows at the start. ``resources``: identifiers accepted when ``quirks.resource`` is "listed".
    ``clock``: epoch seconds, for tests that move the time. It listens on a free loopback port from the start.
    """

    def __init__(
        self,
        *,
        quirks: Quirks | None = None,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        resources: Iterable[str] = ("urn:archway:apis", "https://apis.example.org/"),
        clock: Callable[[], float] = system_clock,
        descriptions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(descriptions=descriptions)
        self.quirks = quirks or Quirks()
        self.initial_access_token = "initial-access-token"
        self.gateway_client_id, self.gateway_client_secret = "gateway", "gateway-secret"
        self.dcr_client_id, self.dcr_client_secret = "portal", "portal-secret"
        self.admin_api_key = "admin-api-key"
        self.person = "alice"
        self.origin = self._open(self._route)
        self.issuer = f"{self.origin}{self.quirks.issuer_path}"
        self.admin_url = f"{self.origin}/admin"
        self.discovery_url = f"{self.issuer}/.well-known/openid-configuration"
        self.rfc8414_url = f"{self.origin}/.well-known/oauth-authorization-server{self.quirks.issuer_path}"
        self.store = Store(self.quirks, issuer=self.issuer, scopes=scopes, clock=clock)
        self.store.resources = set(resources)
        self.store.people = {self.person: "alice-password"}
        self._add_static_client(self.gateway_client_id, self.gateway_client_secret, introspection.INTROSPECTION_SCOPE)
        self._add_static_client(self.dcr_client_id, self.dcr_client_secret, registration.REGISTRATION_SCOPE)
        self._start()

    # What a test arranges

    def rotate_key(self, *, keep_old: bool = True) -> None:
        """Signs with a new key; without ``keep_old`` the old one leaves the JWKS."""
        with self._lock:
            self.store.signing_key()
            self.store.rotate_key(keep_old=keep_old)

    def claim_issuer(self, issuer: str) -> None:
        """Puts another issuer into tokens, introspection and discovery from now on."""
        self.store.token_issuer = issuer

    def make_token(
        self,
        client_id: str,
        /,
        *,
        scope: str = "",
        subject: str = "",
        audience: Iterable[str] = (),
        seconds: float | None = None,
        token_format: str | None = None,
        **claims: Any,
    ) -> str:
        """Issues an access token without a request. Negative ``seconds``: expired already. A claim ``None``: left out.

        ``client_id`` need not exist. ``token_format``: "opaque" or "jwt", otherwise the server's own.
        """
        with self._lock:
            token = self.store.issue(
                "access",
                client_id,
                scope.split(),
                subject=subject,
                audience=audience,
                seconds=seconds,
                token_format=token_format,
                claims=claims,
            )
        return token.value

    def add_client(
        self,
        client_id: str,
        client_secret: str,
        *,
        grant_types: Iterable[str] = ("client_credentials",),
        scope: str = "",
        redirect_uris: Iterable[str] = (),
    ) -> FakeClient:
        """A client made by hand at the server, unknown to whoever registers clients."""
        metadata = {"grant_types": list(grant_types), "scope": scope, "redirect_uris": list(redirect_uris)}
        with self._lock:
            return self.store.add_client(
                FakeClient(client_id=client_id, client_secret=client_secret, metadata=metadata, scopes=scope.split())
            )

    def forget_client(self, client_id: str) -> None:
        """Removes a client behind the back of whoever registered it."""
        with self._lock:
            self.store.remove_client(self.store.clients[client_id])

    def revoke_everything(self) -> None:
        """Ends every token."""
        with self._lock:
            for token in self.store.tokens.values():
                token.active = False

    # What a test looks at

    @property
    def clients(self) -> dict[str, FakeClient]:
        """Registered clients by ``client_id``, without the two static ones."""
        with self._lock:
            return {name: client for name, client in self.store.clients.items() if not client.static}

    @property
    def tokens(self) -> dict[str, FakeToken]:
        """Every token ever issued, by value."""
        return self.store.tokens

    @property
    def scopes(self) -> dict[str, FakeScope]:
        """The scopes that the server knows, by name."""
        return self.store.scopes

    def _route(self, method: str, path: str) -> tuple[str, Run]:
        store, prefix = self.store, self.quirks.issuer_path
        openid_path = f"{prefix}/.well-known/openid-configuration"
        rfc8414_path = f"/.well-known/oauth-authorization-server{prefix}"
        if (path == openid_path and self.quirks.openid_discovery) or (
            path == rfc8414_path and self.quirks.rfc8414_discovery
        ):
            return "discovery", lambda _: discovery.document(store)
        if path.startswith("/admin/"):
            below = path.removeprefix("/admin")
            return "administer", lambda request: administration.administer(store, request, self.admin_api_key, below)
        local = path.removeprefix(prefix)
        if local.startswith("/register/"):
            client_id = local.removeprefix("/register/")
            managed = {"GET": registration.read, "PUT": registration.update, "DELETE": registration.delete}
            if method in managed:
                name = {"GET": "read", "PUT": "update", "DELETE": "delete"}[method]
                return name, lambda request: managed[method](store, request, client_id)
        routes: dict[tuple[str, str], tuple[str, Run]] = {
            ("GET", "/jwks"): ("jwks", lambda _: discovery.jwks(store)),
            ("POST", "/register"): ("register", lambda r: registration.register(store, r, self.initial_access_token)),
            ("POST", "/token"): ("token", lambda r: grants.token(store, r)),
            ("GET", "/authorize"): ("authorize", lambda r: grants.authorize(store, r, self.person)),
            ("POST", "/introspect"): ("introspect", lambda r: introspection.introspect(store, r)),
            ("POST", "/revoke"): ("revoke", lambda r: introspection.revoke(store, r)),
            ("GET", "/userinfo"): ("userinfo", lambda r: introspection.userinfo(store, r)),
        }
        return routes.get((method, local), ("unknown", self._unknown))

    def _unknown(self, _: Received) -> Answer:
        if self.quirks.html_for_unknown_paths:
            return Answer.page(200, "Please sign in")
        return Answer.error(404, "not_found")

    def _add_static_client(self, client_id: str, client_secret: str, scope: str) -> None:
        metadata = {"grant_types": ["client_credentials"], "client_name": client_id}
        self.store.add_client(
            FakeClient(client_id=client_id, client_secret=client_secret, metadata=metadata, scopes=[scope], static=True)
        )
