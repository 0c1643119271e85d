"""The conformance suite of Archway on a real Better Auth."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from archway_betterauth import BetterAuthAdapter, BetterAuthConfig
from betterauth_server import running_server

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import (
    Wire,
    World,
    deleting,
    reading,
    registering,
    updating,
)

SCOPES = ("museum:read", "museum:write")
_CACHE = Path(os.environ.get("ARCHWAY_TEST_SERVERS", ".servers"))


def _asks(*paths: str) -> Any:
    return lambda request: isinstance(request, httpx2.Request) and request.url.path.endswith(paths)


MEANINGS = {
    registering: _asks("/admin/oauth2/create-client"),
    updating: _asks("/admin/oauth2/update-client"),
    deleting: _asks("/oauth2/delete-client"),
    reading: _asks("/oauth2/get-client"),
}


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    with running_server(_CACHE, SCOPES) as config:
        yield config


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
class TestBetterAuth(AdapterConformance):
    slug = "betterauth"

    @pytest.fixture
    def world(self, settings: dict[str, str]) -> Iterator[World]:
        config = parse_config(BetterAuthConfig, settings)
        wire = Wire(PooledTransport(AddressGuard.of("127.0.0.0/8")), MEANINGS)
        yield World(
            wire=wire,
            make=lambda http: BetterAuthAdapter(config, http, SystemClock()),
            scopes=SCOPES,
            takes_resource=False,
        )
        wire.close()
