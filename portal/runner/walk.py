"""The main job, walked by REST from nothing to a call through the gateway, and the refusals after it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from portal.runner.calls import Caller, WalkFailed, basic, until
from portal.runner.sample_api import SAMPLE_DEFINITION, SAMPLE_SCOPES

SETTLE_SECONDS = 20.0
REFUSAL_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Walk:
    """One walk.

    The three parts of the portal may be one web process or three. ``say`` is told of each finished step with its
    milliseconds. ``scopes``: what the application's client may ask for. ``rotates``: with a new secret for the client,
    for key managers that can give one. ``secrets``: every client secret and token that was used, for whoever searches
    logs for them.
    """

    publisher_url: str
    store_url: str
    front_door_url: str
    gateway_url: str
    backend_url: str
    key_manager: str
    developer_token: str = field(repr=False)
    subscriber_token: str = field(repr=False)
    say: Callable[[str], None] = print
    suffix: str = ""
    scopes: tuple[str, ...] = SAMPLE_SCOPES
    rotates: bool = False
    secrets: list[str] = field(default_factory=list, repr=False)

    def run(self) -> None:
        """Every step in order. Raises ``WalkFailed`` at the first that fails."""
        try:
            with httpx2.Client(timeout=30, trust_env=False) as http:
                self._walk(http)
        except httpx2.HTTPError as exc:
            raise WalkFailed(f"no answer: {exc}") from exc

    def _walk(self, http: httpx2.Client) -> None:
        publisher = Caller(http, f"{self.publisher_url}/api/v1/publisher", self.developer_token)
        store = Caller(http, f"{self.store_url}/api/v1/store", self.subscriber_token)
        context = f"/smoke{self.suffix}"
        calls = f"{self.gateway_url}{context}/1.0.0"

        with self._step("publish an API from an OpenAPI document"):
            api = self._publish(publisher, f"Smoke {self.suffix}".strip(), context)
        with self._step(f"its resource and scopes stand at {self.key_manager}"):
            self._await_registrations(publisher, api)
        with self._step(f"create an application; {self.key_manager} registers a client"):
            application, credential = self._application(store, list(self.scopes))
        with self._step("subscribe"):
            subscription = self._subscribe(store, application, api)
            # What the client may ask for at the key manager follows the subscription by a job.
            self._await_state(store, credential, "active")
        client_id, secret = self._secret(store, credential)
        with self._step("get a token at /token"):
            token = self._token(http, client_id, secret, "books:read")
        with self._step("call through Envoy: 200"):
            self._expect(http, f"{calls}/books", token, 200)
        with self._step("operation that needs no token: 200"):
            self._expect(http, f"{calls}/status", "", 200)
        with self._step("no token: 401"):
            self._expect(http, f"{calls}/books", "", 401)
        with self._step("wrong scope: 403, with a verdict behind the reference"):
            self._wrong_scope(http, store, calls, token)
        secret, token = self._renewed(http, store, credential, (client_id, secret, token))
        self._expect(http, f"{calls}/books", token, 200)
        with self._step("subscription blocked: 403"):
            publisher.post(f"/subscriptions/{subscription}/block/", {"scope": "all"}, 200)
            self._expect(http, f"{calls}/books", token, 403, "subscription_blocked")
            publisher.post(f"/subscriptions/{subscription}/unblock/", {}, 200)
            self._expect(http, f"{calls}/books", token, 200)
        with self._step("no subscription: 403"):
            store.delete(f"/subscriptions/{subscription}/", 204)
            self._expect(http, f"{calls}/books", token, 403, "not_subscribed")
            self._subscribe(store, application, api)
            self._await_state(store, credential, "active")
            self._expect(http, f"{calls}/books", token, 200)
        with self._step("revoked token: 401"):
            self._revoke(http, client_id, secret, token)
            self._expect(http, f"{calls}/books", token, 401)
        with self._step("deleted client: 401"):
            token = self._token(http, client_id, secret, "books:read")
            self._expect(http, f"{calls}/books", token, 200)
            store.delete(f"/credentials/{credential}/", 202)
            self._expect(http, f"{calls}/books", token, 401)
            self._await_state(store, credential, "removed")
        with self._step("remove the application and retire the API"):
            self._retire(publisher, store, api, application)
            self._expect(http, f"{calls}/status", "", 404)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except WalkFailed as exc:
            raise WalkFailed(f"{name}: {exc}") from exc
        self.say(f"  ok  {(time.monotonic() - started) * 1000:7.0f} ms  {name}")

    def _publish(self, publisher: Caller, name: str, context: str) -> str:
        body = {
            "name": name,
            "version": "1.0.0",
            "context": context,
            "endpoints": {"production": self.backend_url, "sandbox": self.backend_url},
            "plans": ["unlimited"],
            "key_managers": "all",
            "definition": SAMPLE_DEFINITION,
        }
        api = str(publisher.post("/apis/", body, 201)["id"])
        state = publisher.post(f"/apis/{api}/lifecycle/", {"action": "publish"}, 200)["state"]
        if state != "published":
            raise WalkFailed(f"the API is {state}")
        return api

    def _await_registrations(self, publisher: Caller, api: str) -> None:
        """A call with a scope that the key manager does not know yet would be refused, and remembered for a moment."""

        def seen() -> tuple[bool, str]:
            rows = publisher.get(f"/apis/{api}/registrations/?page_size=100", 200)["results"]
            ours = {row["subject"]: row["state"] for row in rows if row["key_manager"] == self.key_manager}
            return bool(ours) and set(ours.values()) <= {
                "active",
                "not kept by this key manager",
            }, f"registrations: {ours}"

        until(seen, SETTLE_SECONDS)

    def _application(self, store: Caller, scopes: list[str]) -> tuple[str, str]:
        credential = {"key_manager": self.key_manager, "environment": "production", "scopes": scopes}
        body = {"name": f"smoke{self.suffix}", "credentials": [credential]}
        answer = store.post("/applications/", body, 201)
        credential_id = str(answer["credentials"][0]["id"])
        self._await_state(store, credential_id, "active")
        return str(answer["id"]), credential_id

    def _await_state(self, store: Caller, credential: str, wanted: str) -> None:
        def seen() -> tuple[bool, str]:
            answer = store.get(f"/credentials/{credential}/", 200)
            return answer["state"] == wanted, f"the client is {answer['state']}: {answer['last_error']}"

        until(seen, SETTLE_SECONDS)

    def _subscribe(self, store: Caller, application: str, api: str) -> str:
        body = {"application": application, "api": api, "plan": "unlimited"}
        return str(store.post("/subscriptions/", body, 201)["id"])

    def _secret(self, store: Caller, credential: str) -> tuple[str, str]:
        answer = store.post(f"/credentials/{credential}/reveal-secret/", {}, 200)
        self.secrets.append(str(answer["client_secret"]))
        return str(answer["client_id"]), self.secrets[-1]

    def _renewed(
        self, http: httpx2.Client, store: Caller, credential: str, before: tuple[str, str, str]
    ) -> tuple[str, str]:
        """Secret and token after a rotation; those that there were (client id, secret, token) without one."""
        client_id, secret, token = before
        if not self.rotates:
            return secret, token
        with self._step("a new secret"):
            renewed = self._rotated(store, credential, secret)
            return renewed, self._token(http, client_id, renewed, "books:read")

    def _retire(self, publisher: Caller, store: Caller, api: str, application: str) -> None:
        store.delete(f"/applications/{application}/", 202)
        for action in ("deprecate", "retire"):
            publisher.post(f"/apis/{api}/lifecycle/", {"action": action}, 200)

    def _rotated(self, store: Caller, credential: str, old: str) -> str:
        store.post(f"/credentials/{credential}/rotate-secret/", {}, 202)

        def seen() -> tuple[bool, str]:
            _, secret = self._secret(store, credential)
            return secret != old, "the client has its old secret still"

        until(seen, SETTLE_SECONDS)
        self._await_state(store, credential, "active")
        return self._secret(store, credential)[1]

    def _token(self, http: httpx2.Client, client_id: str, secret: str, scope: str) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = http.post(f"{self.front_door_url}/token", data=form, headers=basic(client_id, secret))
        if answer.status_code != 200:
            raise WalkFailed(f"/token answered {answer.status_code} {answer.json().get('error')}")
        self.secrets.append(str(answer.json()["access_token"]))
        return self.secrets[-1]

    def _revoke(self, http: httpx2.Client, client_id: str, secret: str, token: str) -> None:
        answer = http.post(f"{self.front_door_url}/revoke", data={"token": token}, headers=basic(client_id, secret))
        if answer.status_code != 200:
            raise WalkFailed(f"/revoke answered {answer.status_code}")

    def _wrong_scope(self, http: httpx2.Client, store: Caller, calls: str, token: str) -> None:
        answer = http.post(f"{calls}/books", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 403 or answer.json()["code"] != "insufficient_scope":
            raise WalkFailed(f"the gateway answered {answer.status_code} {answer.text[:200]}")
        reference = answer.json()["reference"]

        def seen() -> tuple[bool, str]:
            status, verdict = store.read(f"/verdicts/{reference}/")
            return status == 200 and verdict["first_failed"] == "scopes", f"the verdict is {status} {verdict}"

        until(seen, REFUSAL_SECONDS)

    def _expect(self, http: httpx2.Client, url: str, token: str, status: int, code: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}

        def seen() -> tuple[bool, str]:
            answer = http.get(url, headers=headers)
            good = answer.status_code == status and (not code or answer.json().get("code") == code)
            return good, f"the gateway answered {answer.status_code} {answer.text[:300]}"

        until(seen, REFUSAL_SECONDS)
