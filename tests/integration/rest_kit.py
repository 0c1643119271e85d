"""What the tests of the REST API share: people with API tokens, a published API, an application, a worker."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from rest_framework.test import APIClient

from accounts.actor import Actor, actor_of
from accounts.models import Role, User
from accounts.services import create_api_token, create_user
from keymanager.models import KeyManager
from keymanager.services.adapters import close_adapters
from keymanager.services.key_managers import ensure_resident
from tests.integration.front_door_kit import work_once

API = "/api/v1"
MUSEUM: Mapping[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Museum", "version": "1.0.0"},
    "paths": {
        "/hours": {"get": {"operationId": "hours", "responses": {"200": {"description": "ok"}}}},
        "/tickets": {
            "post": {
                "operationId": "buy",
                "security": [{"oauth": ["tickets:buy"]}],
                "responses": {"201": {"description": "bought"}},
            }
        },
    },
    "components": {
        "securitySchemes": {
            "oauth": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://login.example/token",
                        "scopes": {"tickets:buy": "Buy tickets"},
                    }
                },
            }
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person who calls the REST API with a bearer API token; ``path`` is below ``/api/v1``."""

    user: User
    actor: Actor
    token: str = field(repr=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer; header names are written with underscores."""
        client = APIClient(raise_request_exception=True)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic(
            method,
            f"{API}{path}",
            _json(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **sent},
        )

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST of JSON."""
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH of JSON."""
        return self.call("PATCH", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        """PUT of JSON."""
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **headers)


def _json(body: Any) -> str:
    return "" if body is None else json.dumps(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One portal with a person for each task, and the resident key manager."""

    publisher: Caller
    developer: Caller
    admin: Caller
    resident: KeyManager

    def make_api(self, **changes: Any) -> dict[str, Any]:
        """An API version in the state ``created``."""
        answer = self.publisher.post("/publisher/apis/", api_body(**changes))
        assert answer.status_code == 201, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def move(self, api: Mapping[str, Any], *actions: str) -> dict[str, Any]:
        """Lifecycle actions, one after the other."""
        moved: dict[str, Any] = {}
        for action in actions:
            answer = self.publisher.post(f"/publisher/apis/{api['id']}/lifecycle/", {"action": action})
            assert answer.status_code == 200, answer.json()
            moved = answer.json()
        return moved

    def make_published(self, **changes: Any) -> dict[str, Any]:
        """A published API version."""
        return self.move(self.make_api(**changes), "publish")

    def add_key_manager(self, slug: str, **changes: Any) -> dict[str, Any]:
        """A key manager by name only: nothing answers there."""
        config = {
            "issuer": f"https://{slug}.example",
            "token_endpoint": f"https://{slug}.example/token",
            "introspection_client_id": "gateway",
            "introspection_client_secret": "gateway-secret-5b1f",
        }
        body = {"slug": slug, "name": slug.title(), "adapter": "rfc", "config": config, **changes}
        answer = self.admin.post("/admin/key-managers/", body)
        assert answer.status_code == 201, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def make_application(self, name: str = "Guide", *credentials: Mapping[str, Any]) -> dict[str, Any]:
        """An application of the developer."""
        answer = self.developer.post("/store/applications/", {"name": name, "credentials": list(credentials)})
        assert answer.status_code == 201, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def make_client(self, name: str = "Guide", **wanted: Any) -> dict[str, Any]:
        """A registered client of a new application at the resident key manager, as the store shows it."""
        made = self.make_application(name, {"key_manager": "resident", **wanted})
        self.work()
        client: dict[str, Any] = self.developer.get(f"/store/credentials/{made['credentials'][0]['id']}/").json()
        assert client["state"] == "active", client
        return client

    def subscribe(self, application: Mapping[str, Any], api: Mapping[str, Any], plan: str = "gold") -> dict[str, Any]:
        """A subscription."""
        body = {"application": application["id"], "api": api["id"], "plan": plan}
        answer = self.developer.post("/store/subscriptions/", body)
        assert answer.status_code == 201, answer.json()
        made: dict[str, Any] = answer.json()
        return made

    def work(self) -> None:
        """The worker carries out what is due."""
        for _ in range(3):
            work_once()


def api_body(**changes: Any) -> dict[str, Any]:
    """A whole body for a new API version that can be published at once."""
    body: dict[str, Any] = {
        "name": "Museum",
        "version": "1.0.0",
        "context": "/museum",
        "endpoints": {"production": "http://127.0.0.1:9000/v1"},
        "plans": ["unlimited", "gold"],
        "key_managers": "all",
        "tags": ["Culture"],
        "definition": MUSEUM,
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def make_caller(name: str, *roles: Role) -> Caller:
    """A person with these roles and an API token of the personal team."""
    user = create_user(username=name, password="correct horse battery", roles=roles)
    token = create_api_token(user=user, name="test")
    return Caller(user=user, actor=actor_of(user, token.row), token=token.value)


def make_world() -> Iterator[World]:
    """For a fixture: everybody is there before, no adapter is left after."""
    yield World(
        publisher=make_caller("api-developer", Role.API_DEVELOPER, Role.PUBLISHER),
        developer=make_caller("app-developer", Role.APP_DEVELOPER),
        admin=make_caller("admin", Role.ADMINISTRATOR),
        resident=ensure_resident(),
    )
    close_adapters()


def fields_of(answer: Any) -> dict[str, str]:
    """The fields that a problem document names, with the first message of each."""
    named: dict[str, str] = {}
    for item in answer.json().get("errors", []):
        named.setdefault(item["field"], item["message"])
    return named


@contextmanager
def served_text(text: str) -> Iterator[str]:
    """A loopback URL that answers with ``text``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/yaml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/openapi.yaml"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
