"""Keycloak's event feeds as servers give them that are not the one the other tests run on."""

from typing import Any

import httpx2

from common.clock import SystemClock
from common.http import HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.keycloak import KeycloakAdapter, KeycloakConfig

ISSUER = "https://id.example/realms/museum"


class Feed(httpx2.BaseTransport):
    """A realm of which only the events can be seen. ``hidden``: internal ids of clients that we may not read."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.hidden: set[str] = set()

    def changed(self, remote_id: str, moment: int, **more: str) -> None:
        """An administrator's change of a client."""
        path = f"clients/{remote_id}"
        self.events.append({"time": moment, "operationType": "UPDATE", "resourcePath": path, **more})

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to one request of the adapter."""
        path, query = request.url.path, request.url.params
        if path.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(200, json={"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"})
        if path.endswith("/token"):
            return httpx2.Response(200, json={"access_token": "ours", "token_type": "Bearer", "expires_in": 60})
        if path.endswith("/admin-events"):
            begin = int(query.get("dateFrom", "0"))
            shown = [event for event in self.events if event["time"] >= begin]
            return httpx2.Response(200, json=shown if "direction" in query else shown[::-1][:1])
        if path.endswith("/events"):
            return httpx2.Response(200, json=[])
        if path.endswith("/clients"):
            return httpx2.Response(200, json=[{"id": "ours", "clientId": query["clientId"]}])
        remote_id = path.rpartition("/")[2]
        if remote_id in self.hidden:
            return httpx2.Response(403, json={"error": "HTTP 403 Forbidden"})
        return httpx2.Response(200, json={"id": remote_id, "clientId": f"client-{remote_id}"})


def adapter_on(feed: Feed) -> KeycloakAdapter:
    """The adapter with nothing but the feed behind it."""
    config = parse_config(KeycloakConfig, {"issuer": ISSUER, "client_id": "archway", "client_secret": "s3cret"})
    return KeycloakAdapter(config, HttpClient(transport=feed), SystemClock())


def test_events_without_an_id_are_each_reported_once() -> None:
    feed = Feed()
    adapter = adapter_on(feed)
    feed.changed("old", 100_000)
    _, cursor = adapter.changes_since("")
    feed.changed("a", 101_000)
    first, cursor = adapter.changes_since(cursor)
    feed.changed("b", 102_000)
    second, cursor = adapter.changes_since(cursor)
    # The same client again, near its last change.
    feed.changed("a", 103_000)
    third, cursor = adapter.changes_since(cursor)
    assert (first, second, third) == (("client-a",), ("client-b",), ("client-a",))
    assert adapter.changes_since(cursor)[0] == ()


def test_a_client_that_is_not_shown_to_us_hides_no_other_event() -> None:
    feed = Feed()
    adapter = adapter_on(feed)
    _, cursor = adapter.changes_since("")
    feed.hidden.add("secret")
    feed.changed("secret", 1_000, id="e1")
    feed.changed("b", 2_000, id="e2")
    changed, cursor = adapter.changes_since(cursor)
    assert changed == ("client-b",)
    assert adapter.changes_since(cursor)[0] == ()
