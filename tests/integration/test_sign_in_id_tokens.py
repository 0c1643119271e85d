"""What the portal believes of a login provider: its ID tokens and its user information, with one thing wrong each."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.integration.sign_in_kit import begin, use_provider

pytestmark = pytest.mark.django_db
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})
Change = Callable[["LyingProvider"], Any]


@dataclass(slots=True)
class LyingProvider:
    """An OpenID provider that says what a test lets it say."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "mallory", "preferred_username": "mallory"})
    key: RSAKey = field(default_factory=lambda: KEY)
    discovered_issuer: str = ""

    def answer(self, path: str) -> dict[str, Any]:
        """The JSON behind a path."""
        if path == "/jwks":
            return {"keys": [KEY.as_dict(private=False)]}
        if path == "/userinfo":
            return self.userinfo
        if path == "/token":
            token = jwt.encode(self.header, self.claims, self.key, algorithms=["RS256", "RS512"])
            return {"access_token": "access", "id_token": token, "token_type": "Bearer"}
        return {
            "issuer": self.discovered_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
        }


@pytest.fixture
def provider(settings: Settings) -> Iterator[LyingProvider]:
    class Handler(BaseHTTPRequestHandler):
        """Answers as the provider says."""

        def do_GET(self) -> None:
            """Any path."""
            body = json.dumps(made.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            """The same, once the form is read."""
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = LyingProvider(issuer=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    use_provider(settings, issuer=made.issuer, client_id="portal", client_secret="secret")
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def come_back(browser: Client, provider: LyingProvider, change: Change = lambda _: None) -> Any:
    """The portal's answer to a code, after ``change`` of what is true."""
    query = parse_qs(urlsplit(begin(browser)).query)
    provider.claims = {
        "iss": provider.issuer,
        "aud": "portal",
        "sub": "mallory",
        "nonce": query["nonce"][0],
        "exp": int(time.time()) + 60,
    }
    change(provider)
    return browser.get("/sign-in/openid/callback/", {"code": "c", "state": query["state"][0]})


def test_a_provider_that_lies_in_nothing_lets_people_in(client: Client, provider: LyingProvider) -> None:
    assert come_back(client, provider)["Location"] == "/account/"
    assert User.objects.get().username == "mallory"


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.claims.update(iss="https://other.example"),
        lambda it: it.claims.update(aud="another-client"),
        lambda it: it.claims.update(aud=["portal", "another-client"], azp="another-client"),
        lambda it: it.claims.update(exp=int(time.time()) - 60),
        lambda it: it.claims.pop("exp"),
        lambda it: it.claims.update(nonce="of-another-request"),
        lambda it: it.claims.pop("nonce"),
        lambda it: it.claims.pop("sub"),
        lambda it: it.userinfo.update(sub="root"),
        lambda it: it.header.update(alg="RS512"),
        lambda it: it.header.update(kid="unknown"),
        lambda it: setattr(it, "key", OTHER_KEY),
    ],
    ids=[
        *("issuer", "audience", "authorized party", "expired", "no end", "nonce", "no nonce", "no subject"),
        *("user information of another", "algorithm", "unknown key", "another key"),
    ],
)
def test_one_thing_that_is_wrong_lets_nobody_in(client: Client, provider: LyingProvider, change: Change) -> None:
    answer = come_back(client, provider, change)
    assert answer.status_code == 502
    assert "Example company could not sign you in" in answer.content.decode()
    assert not User.objects.exists()
    assert client.get("/account/").status_code == 302


def test_a_discovery_document_of_another_issuer_is_not_followed(client: Client, provider: LyingProvider) -> None:
    provider.discovered_issuer = "https://other.example"
    answer = client.get("/sign-in/openid/")
    assert answer.status_code == 502
    assert "another issuer" in answer.content.decode()


def test_an_answer_that_names_another_issuer_is_refused(client: Client, provider: LyingProvider) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    query = {"code": "c", "state": state, "iss": "https://other.example"}
    assert client.get("/sign-in/openid/callback/", query).status_code == 400


def test_a_sign_in_over_the_session_of_somebody_else_can_still_be_ended_at_the_provider(
    client: Client, provider: LyingProvider, settings: Settings
) -> None:
    settings.ARCHWAY_OIDC_END_SESSION_ENDPOINT = f"{provider.issuer}/end"
    come_back(client, provider)

    def somebody_else(it: LyingProvider) -> None:
        it.claims["sub"] = it.userinfo["sub"] = "another"

    come_back(client, provider, somebody_else)
    assert User.objects.count() == 2
    assert client.post("/sign-out/")["Location"].startswith(f"{provider.issuer}/end?id_token_hint=ey")
