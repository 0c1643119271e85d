"""The portal's REST API and OAuth endpoints, as the measurements use them."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.deployment import Deployment
from portal.runner.sample_api import SAMPLE_DEFINITION, SAMPLE_SCOPES

_PATIENCE_SECONDS = 60.0


class UnexpectedAnswer(RuntimeError):
    """The portal or the gateway did not answer as it should; the measurement would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An active client of one application."""

    application: str
    credential: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """RFC 6749 section 2.3.1, HTTP Basic."""
        return "Basic " + base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()


class PortalClient:
    """An API developer and an app developer in one. Use it as a context manager."""

    def __init__(self, deployment: Deployment) -> None:
        self.layout = deployment.layout
        self.http = httpx2.Client(timeout=30, trust_env=False)
        self._developer = f"Bearer {deployment.tokens['api-developer']}"
        self._administrator = f"Bearer {deployment.tokens['admin']}"
        self._subscriber = f"Bearer {deployment.tokens['app-developer']}"

    def __enter__(self) -> "PortalClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def publisher(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call of the publisher's API. Raises ``UnexpectedAnswer``."""
        return self._call(method, f"/api/v1/publisher{path}", body, self._developer)

    def store(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call of the store's API. Raises ``UnexpectedAnswer``."""
        return self._call(method, f"/api/v1/store{path}", body, self._subscriber)

    def add_key_manager(self, slug: str, adapter: str, config: Mapping[str, object]) -> None:
        """A further key manager. Raises ``UnexpectedAnswer``."""
        body = {"slug": slug, "name": slug, "adapter": adapter, "config": dict(config)}
        self._call("POST", "/api/v1/admin/key-managers/", body, self._administrator)

    def _call(self, method: str, path: str, body: object, authorization: str) -> dict[str, Any]:
        answer = self.http.request(
            method, f"{self.layout.web_url}{path}", json=body, headers={"Authorization": authorization}
        )
        if answer.status_code >= 300:
            raise UnexpectedAnswer(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        return dict(answer.json()) if answer.content else {}

    def publish(self, number: int, *, upstream: str = "") -> tuple[str, str]:
        """A published API with the sample's operations: its id and its gateway prefix."""
        url = upstream or self.layout.backend_url
        body = {
            "name": f"Bench {number}",
            "version": "1.0.0",
            "context": f"/bench{number}",
            "endpoints": {"production": url, "sandbox": url},
            "plans": ["unlimited"],
            "key_managers": "all",
            "definition": SAMPLE_DEFINITION,
        }
        api = str(self.publisher("POST", "/apis/", body)["id"])
        self.publisher("POST", f"/apis/{api}/lifecycle/", {"action": "publish"})
        return api, f"/bench{number}/1.0.0"

    def request_client(self, name: str, key_manager: str, *, scopes: Sequence[str] = SAMPLE_SCOPES) -> tuple[str, str]:
        """Wish for an application with one client: the ids of both."""
        credential = {"key_manager": key_manager, "environment": "production", "scopes": list(scopes)}
        answer = self.store("POST", "/applications/", {"name": name, "credentials": [credential]})
        return str(answer["id"]), str(answer["credentials"][0]["id"])

    def clients(self, names: Sequence[str], key_manager: str, *, scopes: Sequence[str] = SAMPLE_SCOPES) -> list[Client]:
        """An application with one registered client for each name."""
        wished = [self.request_client(name, key_manager, scopes=scopes) for name in names]
        return [self._registered(application, credential) for application, credential in wished]

    def _registered(self, application: str, credential: str) -> Client:
        try:
            await_true(
                lambda: self.store("GET", f"/credentials/{credential}/")["state"] == "active", "an active client"
            )
        except UnexpectedAnswer as exc:
            raise UnexpectedAnswer(f"{exc}: {self.store('GET', f'/credentials/{credential}/')}") from exc
        keys = self.store("POST", f"/credentials/{credential}/reveal-secret/", {})
        return Client(
            application=application,
            credential=credential,
            client_id=str(keys["client_id"]),
            client_secret=str(keys["client_secret"]),
        )

    def subscribe(self, application: str, api: str) -> str:
        """The id of a new subscription."""
        body = {"application": application, "api": api, "plan": "unlimited"}
        return str(self.store("POST", "/subscriptions/", body)["id"])

    def token(self, client: Client, *, scope: str = "books:read") -> str:
        """A fresh access token from ``/token``; without a ``scope`` it is the key manager's choice."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        headers = {"Authorization": client.authorization}
        answer = self.http.post(f"{self.layout.web_url}/token", data=form, headers=headers)
        if answer.status_code != 200:
            raise UnexpectedAnswer(f"/token: {answer.status_code} {answer.text[:400]}")
        return str(answer.json()["access_token"])

    def first_token(self, client: Client) -> str:
        """A token as soon as its scope is registered too, which right after the start may come after the client."""
        found: list[str] = []

        def issued() -> bool:
            try:
                found.append(self.token(client))
            except UnexpectedAnswer:
                return False
            return True

        await_true(issued, "a token with the scope books:read", pause=0.2)
        return found[-1]

    def tokens(self, clients: Sequence[Client], count: int) -> list[str]:
        """Many fresh tokens, the clients taking turns."""
        for client in clients:
            self.first_token(client)
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(self.token, [clients[number % len(clients)] for number in range(count)]))

    def revoke(self, client: Client, token: str) -> None:
        """RFC 7009."""
        headers = {"Authorization": client.authorization}
        answer = self.http.post(f"{self.layout.web_url}/revoke", data={"token": token}, headers=headers)
        if answer.status_code != 200:
            raise UnexpectedAnswer(f"/revoke: {answer.status_code}")

    def gateway_status(self, prefix: str, token: str) -> int:
        """Status of one call through the gateway."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get(f"{self.layout.gateway_url}{prefix}/books", headers=headers).status_code

    def await_allowed(self, prefix: str, token: str) -> None:
        """Return when the gateway lets the token through."""
        await_true(lambda: self.gateway_status(prefix, token) == 200, f"200 at {prefix}")


def await_true(seen: Callable[[], bool], what: str, *, pause: float = 0.01, seconds: float = _PATIENCE_SECONDS) -> None:
    """Ask every ``pause`` seconds; return when ``seen`` says True. Raises ``UnexpectedAnswer`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            raise UnexpectedAnswer(f"waited in vain for {what}")
        time.sleep(pause)
