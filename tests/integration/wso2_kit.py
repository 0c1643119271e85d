"""What the tests of both WSO2 adapters share: a client's metadata, a token request, HTTP clients to close."""

from typing import Any

from common.address_guard import AddressGuard
from common.http import HttpClient
from keymanager.adapters.contract import (
    ClientMetadata,
    KeyManagerAdapter,
    RegisteredClient,
    TokenAnswer,
    TokenRequest,
)
from tests.conformance.world import ManualClock

READ, WRITE = "museum:read", "museum:write"
MARKER = "0c0ffee0-0000-4000-8000-000000000001"
_LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
_OPENED: list[HttpClient] = []


def opened(clock: ManualClock) -> HttpClient:
    """An HTTP client that ``close_opened`` closes."""
    _OPENED.append(HttpClient(guard=_LOOPBACK, now=clock.now))
    return _OPENED[-1]


def close_opened() -> None:
    """Close every client that was opened."""
    while _OPENED:
        _OPENED.pop().close()


def machine(**changes: Any) -> ClientMetadata:
    """A machine client that may read."""
    return ClientMetadata(**{"client_name": "Shop", "marker": MARKER, "scopes": frozenset({READ}), **changes})


def token(adapter: KeyManagerAdapter, client: RegisteredClient, scope: str = READ) -> TokenAnswer:
    """A client_credentials request."""
    return adapter.issue_token(
        TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("grant_type", "client_credentials"), ("scope", scope)),
        )
    )
