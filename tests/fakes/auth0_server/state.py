"""What an Auth0 tenant remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vendor_server import random_id


@dataclass(slots=True, kw_only=True)
class Client:
    """One application. ``members``: as the Management API shows it, without id and secret."""

    client_id: str
    secret: str
    members: dict[str, Any]
    secret_good_from: float = 0.0

    @property
    def auth_method(self) -> str:
        """A client that was made without one is public."""
        return str(self.members.get("token_endpoint_auth_method") or "none")


@dataclass(slots=True, kw_only=True)
class State:
    """Clients, resource servers, client grants. ``secret_lag``: seconds until a new secret works."""

    clock: Callable[[], float]
    clients: dict[str, Client] = field(default_factory=dict)
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    grants: dict[str, dict[str, Any]] = field(default_factory=dict)
    secret_lag: float = 0.0

    def add_client(self, **members: Any) -> Client:
        """Keep a new client."""
        client = Client(client_id=random_id(32), secret=random_id(64), members=members)
        self.clients[client.client_id] = client
        return client

    def server(self, name: str) -> dict[str, Any] | None:
        """By id or identifier."""
        return next((entry for entry in self.servers.values() if name in (entry["id"], entry["identifier"])), None)

    def add_server(self, identifier: str, **members: Any) -> dict[str, Any]:
        """Keep a new resource server. Auth0 signs with HS256 unless it is told otherwise."""
        server_id = random_id(24)
        entry = {"id": server_id, "identifier": identifier, "signing_alg": "HS256", "is_system": False, **members}
        self.servers[server_id] = entry
        return entry

    def add_grant(self, client_id: str, audience: str, scope: list[str]) -> dict[str, Any]:
        """Keep a new client grant."""
        grant_id = f"cgr_{random_id(16)}"
        self.grants[grant_id] = {"id": grant_id, "client_id": client_id, "audience": audience, "scope": scope}
        return self.grants[grant_id]

    def grant(self, client_id: str, audience: str) -> dict[str, Any] | None:
        """The one grant of a client at a resource server."""
        for entry in self.grants.values():
            if (entry["client_id"], entry["audience"]) == (client_id, audience):
                return entry
        return None
