"""One whole installation: every process of the demo, and what a test does with them by REST."""

import shutil
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from portal.runner.calls import Caller, basic, until
from portal.runner.installation import start_installation
from portal.runner.layout import Layout
from portal.runner.processes import Child, Children, await_child, free_ports, stop_children
from portal.runner.sample_api import SAMPLE_SCOPES
from portal.runner.walk import Walk

PEOPLE = ("api-developer", "app-developer", "admin")
# Short, so that a test can wait for a conclusion to grow old.
TOKEN_CACHE_SECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An active client of an application of its own."""

    application: str
    credential: str
    client_id: str
    client_secret: str = field(repr=False)


class Installation:
    """Started in ``home`` on free ports. ``more``: settings. ``http`` is for calls without a person's token.

    ``database``: a migrated one to begin with, which spares the seconds of migrating an empty one.
    """

    def __init__(self, home: Path, *, database: Path | None = None, **more: str) -> None:
        web, gateway, validator, backend = free_ports(4)
        self.layout = Layout(
            home=home,
            web_port=web,
            gateway_port=gateway,
            validator_port=validator,
            backend_port=backend,
            fresh=True,
            more={"ARCHWAY_TOKEN_CACHE_SECONDS": str(TOKEN_CACHE_SECONDS), **more},
        )
        self._new_database = database
        self.children = Children()
        self.tokens: Mapping[str, str] = {}
        self.passwords: Mapping[str, str] = {}
        self.http = httpx2.Client(timeout=30, trust_env=False)
        self.secrets: list[str] = []

    def start(self) -> None:
        self.layout.home.mkdir(parents=True, mode=0o700)
        if self._new_database is not None:
            shutil.copyfile(self._new_database, self.layout.home / "archway.sqlite3")
        prepared = start_installation(self.children, self.layout, tokens_for=PEOPLE)
        self.tokens, self.passwords = prepared.tokens, prepared.passwords
        base = f"{self.layout.web_url}/api/v1"
        self.publisher = Caller(self.http, f"{base}/publisher", self.tokens["api-developer"])
        self.store = Caller(self.http, f"{base}/store", self.tokens["app-developer"])
        self.admin = Caller(self.http, f"{base}/admin", self.tokens["admin"])

    def stop(self) -> None:
        self.http.close()
        self.children.stop()

    # Processes

    def child(self, name: str) -> Child:
        return next(child for child in self.children.children if child.name == name)

    def stop_process(self, name: str) -> None:
        stop_children(self.child(name))

    def kill_process(self, name: str) -> None:
        self.child(name).signal(signal.SIGKILL)

    def start_process(self, name: str) -> None:
        child = self.child(name)
        if child.exit_code() is not None:
            child.start()
        await_child(child)

    # What people do

    def walk(self, *, suffix: str, bases: Sequence[str] = (), key_manager: str = "resident") -> Walk:
        publisher, store, front_door = bases or [self.layout.web_url] * 3
        return Walk(
            publisher_url=publisher,
            store_url=store,
            front_door_url=front_door,
            gateway_url=self.layout.gateway_url,
            backend_url=self.layout.backend_url,
            key_manager=key_manager,
            developer_token=self.tokens["api-developer"],
            subscriber_token=self.tokens["app-developer"],
            suffix=suffix,
        )

    def publish(self, context: str, **facts: Any) -> str:
        """A published API with ``GET /open`` and ``GET, POST /things`` (scope ``books:read``); its id."""
        backend = self.layout.backend_url
        read = {"path": "/things", "scopes": ["books:read"]}
        body = {
            "name": context.strip("/"), "version": "1.0.0", "context": context, "plans": ["unlimited"],
            "endpoints": {"production": backend, "sandbox": backend},
            "operations": [{"method": "GET", **read}, {"method": "POST", **read},
                           {"method": "GET", "path": "/open", "auth": "none"}],
            **facts,
        }  # fmt: skip
        api = str(self.publisher.post("/apis/", body, 201)["id"])
        self.publisher.post(f"/apis/{api}/lifecycle/", {"action": "publish"}, 200)
        return api

    def create_client(self, name: str, *, key_manager: str = "resident", environment: str = "production") -> Client:
        """A new application with an active client."""
        answer = self.request_client(name, key_manager=key_manager, environment=environment)
        application, credential = str(answer["id"]), str(answer["credentials"][0]["id"])
        self.await_active(credential)
        keys = self.store.post(f"/credentials/{credential}/reveal-secret/", {}, 200)
        self.secrets.append(keys["client_secret"])
        return Client(
            application=application,
            credential=credential,
            client_id=keys["client_id"],
            client_secret=keys["client_secret"],
        )

    def request_client(
        self, name: str, *, key_manager: str = "resident", environment: str = "production"
    ) -> dict[str, Any]:
        """A new application with a client that somebody has yet to register; the application's body."""
        scopes = list(SAMPLE_SCOPES)
        credential = {"key_manager": key_manager, "environment": environment, "scopes": scopes}
        return self.store.post("/applications/", {"name": name, "credentials": [credential]}, 201)

    def state_of(self, credential: str) -> str:
        return str(self.store.get(f"/credentials/{credential}/", 200)["state"])

    def await_active(self, credential: str, seconds: float = 25) -> None:
        def look() -> tuple[bool, str]:
            row = self.store.get(f"/credentials/{credential}/", 200)
            return row["state"] == "active", f"the client is {row['state']}: {row['last_error']}"

        until(look, seconds)

    def subscribe(self, client: Client, api: str, plan: str = "unlimited") -> str:
        """The id of a new subscription, once the client may ask for the API's scopes."""
        body = {"application": client.application, "api": api, "plan": plan}
        made = str(self.store.post("/subscriptions/", body, 201)["id"])
        self.await_active(client.credential)
        return made

    def ask_token(self, client: Client) -> httpx2.Response:
        form = {"grant_type": "client_credentials", "scope": "books:read"}
        headers = basic(client.client_id, client.client_secret)
        return self.http.post(f"{self.layout.web_url}/token", data=form, headers=headers)

    def token(self, client: Client) -> str:
        answer = self.ask_token(client)
        assert answer.status_code == 200, answer.text
        self.secrets.append(answer.json()["access_token"])
        return self.secrets[-1]

    def revoke(self, client: Client, token: str) -> None:
        headers = basic(client.client_id, client.client_secret)
        answer = self.http.post(f"{self.layout.web_url}/revoke", data={"token": token}, headers=headers)
        assert answer.status_code == 200, answer.text

    def call(self, path: str, token: str = "", *, method: str = "GET", **more: Any) -> httpx2.Response:
        """One call through the gateway."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return self.http.request(method, f"{self.layout.gateway_url}{path}", headers=headers, **more)

    def await_status(self, status: int, path: str, token: str = "", *, seconds: float = 10) -> httpx2.Response:
        """The first answer of the gateway with this status."""
        seen: list[httpx2.Response] = []

        def look() -> tuple[bool, str]:
            seen.append(self.call(path, token))
            return seen[-1].status_code == status, f"{path}: {seen[-1].status_code} {seen[-1].text[:300]}"

        until(look, seconds)
        return seen[-1]

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Rows of the database file, read beside every process."""
        with closing(sqlite3.connect(self.layout.home / "archway.sqlite3")) as database:
            return database.execute(query, values).fetchall()
