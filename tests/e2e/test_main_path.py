"""The main job through real processes: portal, worker, validator, Envoy, backends."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from portal.runner.calls import until
from tests.e2e.installed import Client, Installation
from tests.fakes.gateway_peers import Peer, Received, echo

# A busy machine takes its time to start so many processes.
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A published API with a backend for each kind of key, and a subscribed client of each kind."""

    api: str
    production: Peer
    sandbox: Peer
    client: Client
    sandbox_client: Client
    token: str


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Iterator[Shop]:
    with Peer(echo) as production, Peer(echo) as sandbox:
        endpoints = {
            "production": f"http://127.0.0.1:{production.port}",
            "sandbox": f"http://127.0.0.1:{sandbox.port}",
        }
        api = installation.publish("/shop", endpoints=endpoints)
        client = installation.create_client("shop user")
        sandbox_client = installation.create_client("shop tester", environment="sandbox")
        for each in (client, sandbox_client):
            installation.subscribe(each, api)
        token = installation.token(client)
        installation.await_status(200, "/shop/1.0.0/things", token)
        yield Shop(
            api=api,
            production=production,
            sandbox=sandbox,
            client=client,
            sandbox_client=sandbox_client,
            token=token,
        )


def received(answer: httpx2.Response) -> Received:
    """What the echoing backend says reached it."""
    assert answer.status_code == 200, answer.text
    said = json.loads(answer.content)
    headers = tuple((name, value) for name, value in said["headers"])
    return Received(method=said["method"], target=said["target"], headers=headers, body_bytes=said["body_bytes"])


def await_header(installation: Installation, shop: Shop, name: str, *, present: bool) -> str:
    """The header's value at the backend, once a changed API is in effect everywhere."""
    values: list[str] = []

    def look() -> tuple[bool, str]:
        values.append(received(installation.call("/shop/1.0.0/things", shop.token)).first(name))
        return bool(values[-1]) is present, f"{name}: {values[-1]!r}"

    until(look, 10)
    return values[-1]


def test_the_main_job_is_walked_by_rest(installation: Installation) -> None:
    walk = installation.walk(suffix="-main")

    walk.run()

    assert len(walk.secrets) >= 3
    installation.secrets += walk.secrets


def test_the_kind_of_key_chooses_the_backend(installation: Installation, shop: Shop) -> None:
    marks = {"production": str(uuid.uuid4()), "sandbox": str(uuid.uuid4())}
    tokens = {"production": shop.token, "sandbox": installation.token(shop.sandbox_client)}
    for kind, mark in marks.items():
        installation.await_status(200, "/shop/1.0.0/things", tokens[kind])
        answer = installation.call("/shop/1.0.0/things", tokens[kind], headers={"X-Request-ID": mark})
        assert answer.status_code == 200, answer.text

    assert shop.production.received(marks["production"])
    assert shop.sandbox.received(marks["sandbox"])
    assert not shop.production.received(marks["sandbox"])
    assert not shop.sandbox.received(marks["production"])


def test_the_backend_is_told_about_the_caller_by_a_signed_jwt_only_when_the_api_says_so(
    installation: Installation, shop: Shop
) -> None:
    assert not received(installation.call("/shop/1.0.0/things", shop.token)).all("x-jwt-assertion")

    installation.publisher.patch(f"/apis/{shop.api}/", {"backend_jwt": True}, 200)
    assertion = await_header(installation, shop, "x-jwt-assertion", present=True)
    keys = installation.http.get(f"{installation.layout.web_url}/.well-known/jwks.json").json()
    claims = jwt.decode(assertion, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
    assert (claims["client_id"], claims["iss"]) == (shop.client.client_id, installation.layout.web_url)
    assert claims["application"]["id"] == shop.client.application

    installation.publisher.patch(f"/apis/{shop.api}/", {"backend_jwt": False}, 200)
    await_header(installation, shop, "x-jwt-assertion", present=False)


def test_the_token_reaches_the_backend_only_when_the_api_says_so(installation: Installation, shop: Shop) -> None:
    assert not received(installation.call("/shop/1.0.0/things", shop.token)).all("authorization")

    installation.publisher.patch(f"/apis/{shop.api}/", {"forward_token": True}, 200)
    assert await_header(installation, shop, "authorization", present=True) == f"Bearer {shop.token}"

    installation.publisher.patch(f"/apis/{shop.api}/", {"forward_token": False}, 200)
    await_header(installation, shop, "authorization", present=False)


def test_headers_that_only_the_gateway_may_set_do_not_pass_from_callers(installation: Installation, shop: Shop) -> None:
    spoofed = {"X-JWT-Assertion": "made.up.jwt", "X-Archway-Environment": "sandbox", "X-Archway-Application": "other"}
    mark = str(uuid.uuid4())

    installation.call("/shop/1.0.0/things", shop.token, headers={**spoofed, "X-Request-ID": mark})

    (at_backend,) = shop.production.received(mark)
    assert not [name for name, value in at_backend.headers if value in spoofed.values()]


def test_a_browser_on_the_portal_may_call_apis_and_one_elsewhere_may_not(
    installation: Installation, shop: Shop
) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    portal, elsewhere = installation.layout.web_url, "https://elsewhere.example"

    ours = installation.call("/shop/1.0.0/things", method="OPTIONS", headers={"Origin": portal, **asked})
    theirs = installation.call("/shop/1.0.0/things", method="OPTIONS", headers={"Origin": elsewhere, **asked})

    assert (ours.status_code, ours.headers["access-control-allow-origin"]) == (200, portal)
    assert "authorization" in ours.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-origin" not in theirs.headers


def test_a_call_beyond_the_plan_is_429_with_the_time_to_wait(installation: Installation, shop: Shop) -> None:
    plan = {"slug": "two-an-hour", "name": "Two an hour", "requests": 2, "per_seconds": 3600}
    installation.admin.post("/plans/", plan, 201)
    installation.publisher.patch(f"/apis/{shop.api}/", {"plans": ["unlimited", "two-an-hour"]}, 200)
    client = installation.create_client("limited user")
    installation.subscribe(client, shop.api, "two-an-hour")
    token = installation.token(client)
    installation.await_status(200, "/shop/1.0.0/things", token)

    limited = installation.await_status(429, "/shop/1.0.0/things", token)

    assert limited.json()["code"] == "plan_limit_reached"
    assert 1 <= int(limited.headers["retry-after"]) <= 3600
    assert installation.call("/shop/1.0.0/things", shop.token).status_code == 200


def test_a_large_body_passes_with_a_token_and_never_without(installation: Installation, shop: Shop) -> None:
    body = b"x" * 3_000_000
    mark = str(uuid.uuid4())

    refused = installation.call("/shop/1.0.0/things", method="POST", content=body, headers={"X-Request-ID": mark})
    passed = installation.call("/shop/1.0.0/things", shop.token, method="POST", content=body)

    assert refused.status_code == 401
    assert not shop.production.received(mark)
    assert received(passed).body_bytes == len(body)


def test_no_log_and_no_row_holds_a_secret_that_these_tests_used(installation: Installation, shop: Shop) -> None:
    secrets = [*installation.secrets, *installation.tokens.values()]
    assert {shop.token, shop.client.client_secret} <= set(secrets)
    logs = [path for path in installation.layout.home.rglob("*.log") if path.is_file()]
    assert {path.name for path in logs} >= {"web.log", "worker.log", "validator.log", "gateway.log", "envoy.log"}
    assert installation.rows("SELECT * FROM subscriptions_auditevent WHERE action = 'credential.reveal_secret'")

    texts = {path.name: path.read_text(errors="replace") for path in logs}
    for (table,) in installation.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        texts[table] = repr(installation.rows(f"SELECT * FROM {table}"))  # noqa: S608 - the database's own name

    assert {name for name, text in texts.items() if any(secret in text for secret in secrets)} == set()
