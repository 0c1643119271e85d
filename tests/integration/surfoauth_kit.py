"""A fake SurfOAuth, adapters on it, and a browser for its forms."""

import http.client
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from common.clock import SystemClock
from common.http import AddressGuard, HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientMetadata,
    Clock,
    RegisteredClient,
    ScopeSpec,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.surfoauth import SurfOAuthAdapter, SurfOAuthConfig
from tests.fakes.surfoauth import SurfOAuthServer
from tests.fakes.surfoauth.seeds import ADMIN_TOKEN

ADMIN, ADMIN_SECRET = "portal-adapter", "secret-of-the-portal"
LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


@dataclass(slots=True, kw_only=True)
class Place:
    """One server, and the HTTP clients that were made for it."""

    server: SurfOAuthServer
    opened: list[HttpClient] = field(default_factory=list)

    def adapter(self, *scopes: str, clock: Clock | None = None, **values: Any) -> SurfOAuthAdapter:
        """An adapter of an ordinary admin client, ``scopes`` being registered."""
        if self.server.client(ADMIN) is None:
            self.server.add_admin_client(ADMIN, ADMIN_SECRET)
        own = {"admin_client_id": ADMIN, "admin_client_secret": ADMIN_SECRET}
        own = {} if "admin_token" in values else own
        config = parse_config(SurfOAuthConfig, {"base_url": self.server.base_url, **own, **values})
        client = HttpClient(guard=LOOPBACK)
        self.opened.append(client)
        adapter = SurfOAuthAdapter(config, client, clock or SystemClock())
        for scope in scopes:
            adapter.register_scope(ScopeSpec(key=scope))
        return adapter

    def close(self) -> None:
        """Close everything."""
        for client in self.opened:
            client.close()
        self.server.stop()

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: str = ADMIN_TOKEN
    ) -> tuple[int, Any]:
        """A call of the administration by somebody else (``admin-enduser``)."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer, text = self._send(method, f"/admin/{path}", sent, headers)
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def visit(self, url: str, user: str, *scopes: str) -> dict[str, str]:
        """Log in, tick ``scopes``, and return what comes back to the application."""
        parts = urlsplit(url)
        answer, page = self._send("GET", f"{parts.path}?{parts.query}", None, {})
        state = re.search(r'AUTH_STATE" value="([^"]+)"', page)
        assert state is not None, answer.status
        form = {"j_username": user, "j_password": "x", "AUTH_STATE": state[1]}
        typed = {"Content-Type": "application/x-www-form-urlencoded"}
        answer, page = self._send("POST", "/oauth2/authorize", urlencode(form).encode(), typed)
        if answer.status == 200:
            ticked = [("AUTH_STATE", state[1]), ("user_oauth_approval", "true")]
            ticked += [("GRANTED_SCOPES", scope) for scope in scopes]
            answer, page = self._send("POST", "/oauth2/consent", urlencode(ticked).encode(), typed)
        back = urlsplit(answer.headers["Location"])
        return dict(parse_qsl(f"{back.query}&{back.fragment}"))

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection(urlsplit(self.server.base_url).netloc, timeout=10)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()


def metadata(*scopes: str, **changes: Any) -> ClientMetadata:
    """A machine client with these scopes."""
    values: dict[str, Any] = {"client_name": "Museum shop", "marker": str(uuid.uuid4()), "scopes": frozenset(scopes)}
    return ClientMetadata(**{**values, **changes})


def ask(adapter: SurfOAuthAdapter, client: RegisteredClient, scope: str = "", **parameters: str) -> TokenAnswer:
    """A token request of a client; client_credentials unless ``parameters`` say otherwise."""
    form = {"grant_type": "client_credentials", **parameters, **({"scope": scope} if scope else {})}
    public = client.observed["token_endpoint_auth_method"] == "none"
    return adapter.issue_token(
        TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            token_endpoint_auth_method="none" if public else "client_secret_basic",
            parameters=tuple(form.items()),
        )
    )


def revoke(adapter: SurfOAuthAdapter, client: RegisteredClient, token: str) -> TokenAnswer:
    """A revocation by a client."""
    handle = client.handle
    return adapter.revoke_token(
        TokenRequest(client_id=handle.client_id, client_secret=handle.client_secret, parameters=(("token", token),))
    )
