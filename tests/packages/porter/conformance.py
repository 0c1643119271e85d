"""The conformance suite on a Porter. ``pytest tests/packages/porter/conformance.py`` where the package is installed."""

from collections.abc import Iterator

import pytest
from archway_porter import PorterAdapter, PorterConfig
from porter_server import PorterServer

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.registry import ADAPTERS, PACKAGE_FAULTS
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Match, Wire, World, answer, registering, updating


def putting(*, secret: bool) -> Match:
    """The request that makes a client (with its secret) or changes it (without one)."""
    return lambda request: request.method == "PUT" and (b'client_secret"' in request.content) is secret


class TestPorter(AdapterConformance):
    slug = "porter"

    @pytest.fixture
    def world(self) -> Iterator[World]:
        with PorterServer() as server:
            values = {
                "issuer": server.issuer,
                "admin_key": server.admin_key,
                "introspection_client_id": server.gateway_client_id,
                "introspection_client_secret": server.gateway_client_secret,
            }
            config = parse_config(PorterConfig, values)
            guard = AddressGuard.of("127.0.0.0/8", "::1/128")
            world = World(
                wire=Wire(PooledTransport(guard), {registering: putting(secret=True), updating: putting(secret=False)}),
                make=lambda http: PorterAdapter(config, http, SystemClock()),
            )
            yield world
            world.wire.close()

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """In Porter's words: the answer has the id that was asked about."""
        metadata = world.client_metadata()
        body = {"id": f"archway-{metadata.marker}", "client_name": "Another"}
        world.wire.plan(registering, answer(200, json=body))
        assert "client_name" in adapter.create_client(metadata).ignored


def test_the_package_is_found_by_its_entry_point() -> None:
    assert ADAPTERS["porter"] is PorterAdapter
    assert PACKAGE_FAULTS == []
