"""What the suite stands on at an AM, a real or a fake one."""

from collections.abc import Callable
from typing import Any

import httpx2

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.forgerock import ForgeRockAdapter, ForgeRockConfig
from tests.conformance.vendor_wire import VendorWire
from tests.conformance.world import Match, World, introspecting, reading, registering, updating

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
_CLIENTS = "/realm-config/agents/OAuth2Client"


def _calling(method: str, holds: Callable[[str], bool]) -> Match:
    return lambda request: request.method == method and holds(str(request.url))


def _creating(request: httpx2.Request) -> bool:
    return request.method == "POST" and str(request.url).endswith(f"{_CLIENTS}?_action=create")


BY_ADMIN: dict[Match, Match] = {
    registering: _creating,
    updating: _calling("PUT", lambda url: f"{_CLIENTS}/" in url),
    reading: _calling("GET", lambda url: f"{_CLIENTS}/" in url),
    introspecting: _calling("GET", lambda url: url.endswith("/tokeninfo")),
}
BY_REGISTRATION: dict[Match, Match] = {
    registering: lambda request: registering(request) and "/register" in request.url.path,
    reading: _calling("GET", lambda url: "/register?" in url),
    introspecting: BY_ADMIN[introspecting],
}


def forgerock_world(values: dict[str, Any], dialect: dict[Match, Match], **expected: Any) -> World:
    """A world on a running server."""
    config = parse_config(ForgeRockConfig, values)
    adapter = expected.pop("adapter_class", ForgeRockAdapter)
    return World(
        wire=VendorWire(PooledTransport(LOOPBACK), dialect),
        make=lambda http: adapter(config, http, SystemClock()),
        **{"tokens_survive_client": False, **expected},
    )
