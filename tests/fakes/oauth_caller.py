"""A plain OAuth caller for tests of servers: no opinion, no retry, no redirect; it returns whatever came back."""

import base64
import hashlib
import secrets
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The addresses of one authorization server."""

    registration: str
    token: str
    introspection: str
    revocation: str


def encoded_basic(client_id: str, client_secret: str) -> dict[str, str]:
    """Basic credentials as RFC 6749 2.3.1 says: form-encoded first."""
    return raw_basic(urllib.parse.quote_plus(client_id), urllib.parse.quote_plus(client_secret))


def raw_basic(client_id: str, client_secret: str) -> dict[str, str]:
    """Basic credentials as RFC 7617 alone says: exactly as they are."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """A bearer token's header."""
    return {"Authorization": f"Bearer {token}"}


def pkce() -> tuple[str, str]:
    """A fresh (code_verifier, code_challenge) pair, S256."""
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return verifier, challenge


class OAuthCaller:
    """Calls one server; use as a context manager. Timeouts are short: these servers are on loopback."""

    def __init__(self, endpoints: Endpoints, *, timeout: float = 5) -> None:
        self.endpoints = endpoints
        self.http = httpx2.Client(timeout=timeout, trust_env=False)

    def register(self, metadata: Mapping[str, Any], initial_token: str) -> httpx2.Response:
        """RFC 7591; an empty initial access token is not sent."""
        headers = bearer(initial_token) if initial_token else {}
        return self.http.post(self.endpoints.registration, json=dict(metadata), headers=headers)

    def read(self, client: Mapping[str, Any]) -> httpx2.Response:
        """RFC 7592 read, with the registration access token of the registration answer."""
        headers = bearer(client["registration_access_token"])
        return self.http.get(client["registration_client_uri"], headers=headers)

    def update(self, client: Mapping[str, Any], metadata: Mapping[str, Any]) -> httpx2.Response:
        """RFC 7592 update; ``client_id`` is added."""
        body = {"client_id": client["client_id"], **metadata}
        headers = bearer(client["registration_access_token"])
        return self.http.put(client["registration_client_uri"], json=body, headers=headers)

    def delete(self, client: Mapping[str, Any]) -> httpx2.Response:
        """RFC 7592 delete."""
        headers = bearer(client["registration_access_token"])
        return self.http.delete(client["registration_client_uri"], headers=headers)

    def token(
        self,
        client: Mapping[str, Any],
        form: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """RFC 6749 token request: client_credentials unless the form says otherwise, Basic unless headers are given."""
        chosen = encoded_basic(client["client_id"], client["client_secret"]) if headers is None else headers
        data = {"grant_type": "client_credentials", **(form or {})}
        return self.http.post(self.endpoints.token, data=data, headers=dict(chosen))

    def introspect(self, token: str, headers: Mapping[str, str]) -> httpx2.Response:
        """RFC 7662."""
        return self.http.post(self.endpoints.introspection, data={"token": token}, headers=dict(headers))

    def revoke(self, token: str, headers: Mapping[str, str]) -> httpx2.Response:
        """RFC 7009."""
        return self.http.post(self.endpoints.revocation, data={"token": token}, headers=dict(headers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
