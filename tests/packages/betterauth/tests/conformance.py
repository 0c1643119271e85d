"""The conformance suite of Archway on a real Better Auth. Run it where the package is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from archway_betterauth import BetterAuthAdapter, BetterAuthConfig
from betterauth_server import running_server

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.registry import ADAPTERS, PACKAGE_FAULTS
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import (
    Match,
    Wire,
    World,
    deleting,
    reading,
    registering,
    updating,
)

SCOPES = ("museum:read", "museum:write")
CACHE = Path(".servers").resolve()


def _asks(path: str) -> Match:
    return lambda request: request.url.path.endswith(path)


MEANINGS: dict[Match, Match] = {
    registering: _asks("/admin/oauth2/create-client"),
    updating: _asks("/admin/oauth2/update-client"),
    deleting: _asks("/oauth2/delete-client"),
    reading: _asks("/oauth2/get-client"),
}


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    with running_server(CACHE, SCOPES) as config:
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


def test_the_package_is_found_by_its_entry_point() -> None:
    assert ADAPTERS["betterauth"] is BetterAuthAdapter
    assert PACKAGE_FAULTS == []
