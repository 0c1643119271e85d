"""What the tests of the embedded authorization server share: a client of its HTTP endpoints, in-process."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
from django.test import Client as Browser

from keymanager.resident.issuer import issuer
from keymanager.resident.management import management_token
from keymanager.resident.transport import ResidentTransport

CALLBACK = "https://app.example.com/callback"


class ResidentUnderTest:
    """Speaks HTTP to the resident key manager through ``ResidentTransport``."""

    def __init__(self, http: httpx2.Client | None = None) -> None:
        self.http = http or httpx2.Client(transport=ResidentTransport())
        self.base = issuer()

    def manage(self, method: str, path: str, document: object = None) -> httpx2.Response:
        """A call with the management token."""
        headers = {"Authorization": f"Bearer {management_token()}"}
        return self.http.request(method, f"{self.base}/{path}", headers=headers, json=document)

    def add_scopes(self, *keys: str) -> None:
        """Make scopes exist."""
        for key in keys:
            assert self.manage("PUT", f"manage/scopes/{quote(key, safe='')}", {"description": key}).status_code == 201

    def register(self, **metadata: Any) -> dict[str, Any]:
        """A registered client, by default for client_credentials with the scope ``read``."""
        document = {"client_name": "Test", "grant_types": ["client_credentials"], "scope": "read"} | metadata
        answer = self.manage("POST", "register", document)
        assert answer.status_code == 201, answer.text
        registered: dict[str, Any] = answer.json()
        return registered

    def register_web(self, **metadata: Any) -> dict[str, Any]:
        """A registered client with all grants."""
        grants = ["client_credentials", "authorization_code", "refresh_token"]
        return self.register(**({"grant_types": grants, "redirect_uris": [CALLBACK]} | metadata))

    def post(self, path: str, client: Mapping[str, Any] | None = None, /, **form: Any) -> httpx2.Response:
        """A form post, with HTTP Basic when a client with a secret is given."""
        auth: Any = (client["client_id"], client["client_secret"]) if client else None
        return self.http.post(f"{self.base}/{path}", data=form, auth=auth)

    def token(self, client: Mapping[str, Any], /, **form: Any) -> dict[str, Any]:
        """A successful token answer, by default by client_credentials."""
        answer = self.post("token", client, **({"grant_type": "client_credentials"} | form))
        assert answer.status_code == 200, answer.text
        issued: dict[str, Any] = answer.json()
        return issued

    def introspect(self, token: str) -> dict[str, Any]:
        """The management token's view of a token."""
        headers = {"Authorization": f"Bearer {management_token()}"}
        answer = self.http.post(f"{self.base}/introspect", data={"token": token}, headers=headers)
        assert answer.status_code == 200, answer.text
        facts: dict[str, Any] = answer.json()
        return facts


def pkce() -> tuple[str, str]:
    """A code verifier and its S256 challenge (RFC 7636)."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return verifier, challenge


def authorization_url(client: Mapping[str, Any], challenge: str, **extra: Any) -> str:
    """Path and query of an authorization request; ``None`` leaves a parameter out."""
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "scope": "read",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | extra
    return f"/resident/authorize?{urlencode({name: value for name, value in query.items() if value is not None})}"


def sent_back(response: Any) -> dict[str, str]:
    """The parameters of the redirect to the client."""
    assert response.status_code == 302, response.content
    return dict(parse_qsl(urlsplit(response["Location"]).query))


def code_for(browser: Browser, client: Mapping[str, Any], challenge: str, **extra: Any) -> str:
    """A code that the signed-in person approved."""
    answer = sent_back(browser.post(authorization_url(client, challenge, **extra), {"allow": "yes"}))
    return answer["code"]


def exchange(resident: ResidentUnderTest, client: Mapping[str, Any], browser: Browser, **extra: Any) -> dict[str, Any]:
    """The token answer of the whole code flow."""
    verifier, challenge = pkce()
    code = code_for(browser, client, challenge, **extra)
    return resident.token(
        client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier
    )
