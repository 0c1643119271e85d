"""Clients and tokens of the fake AM."""

import copy
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

PORTAL: Final = ("archway-dcr", "archway-dcr-secret")
GATEWAY: Final = ("archway-gateway", "archway-gateway-secret")
CORE, ADVANCED = "coreOAuth2ClientConfig", "advancedOAuth2ClientConfig"
DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    CORE: {
        "clientType": "Confidential",
        "scopes": [],
        "defaultScopes": [],
        "redirectionUris": [],
        "status": "Active",
        "accessTokenLifetime": 0,
    },
    ADVANCED: {
        "name": [],
        "descriptions": [],
        "grantTypes": ["authorization_code"],
        "responseTypes": ["code"],
        "tokenEndpointAuthMethod": "client_secret_basic",
        "isConsentImplied": False,
    },
}


@dataclass(slots=True, kw_only=True)
class AmClient:
    """One client; ``groups``: plain values by group and member."""

    client_id: str
    secret: str
    groups: dict[str, dict[str, Any]] = field(default_factory=lambda: copy.deepcopy(DEFAULTS))
    registration_access_token: str = ""

    @classmethod
    def made(cls, credentials: tuple[str, str], *, scopes: list[str]) -> Self:
        """A machine client that an administrator made."""
        client = cls(client_id=credentials[0], secret=credentials[1])
        client.groups[CORE].update(scopes=scopes, defaultScopes=scopes)
        client.groups[ADVANCED]["grantTypes"] = ["client_credentials"]
        return client


@dataclass(slots=True, kw_only=True)
class AmToken:
    """One opaque access token."""

    client_id: str
    scopes: list[str]
    expires_at: float


@dataclass(slots=True, kw_only=True)
class State:
    """All that the fake keeps."""

    clock: Callable[[], float]
    issuer: str
    clients: dict[str, AmClient] = field(default_factory=dict)
    tokens: dict[str, AmToken] = field(default_factory=dict)

    def add(self, client: AmClient) -> None:
        """Keep a client."""
        self.clients[client.client_id] = client

    def issue(self, client: AmClient, scopes: list[str], *, seconds: float = 3600) -> str:
        """A new access token."""
        value = secrets.token_urlsafe(20)
        self.tokens[value] = AmToken(client_id=client.client_id, scopes=scopes, expires_at=self.clock() + seconds)
        return value

    def live(self, value: str) -> AmToken | None:
        """A token that is good now: its client is there and active. A client made again has its old tokens back."""
        token = self.tokens.get(value)
        client = self.clients.get(token.client_id) if token else None
        if token is None or client is None or client.groups[CORE]["status"] != "Active":
            return None
        return token if token.expires_at > self.clock() else None


def new_id() -> str:
    """As registration makes them."""
    return str(uuid.uuid4())
