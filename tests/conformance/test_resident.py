"""The ``resident`` adapter on our own authorization server, in this process."""

from typing import Any, ClassVar

import pytest

from common.clock import SystemClock
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import ScopeSpec
from keymanager.adapters.resident import ResidentAdapter, ResidentConfig
from keymanager.resident.issuer import issuer
from keymanager.resident.management import management_token
from keymanager.resident.transport import ResidentTransport
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World

pytestmark = [pytest.mark.django_db]


class OnResident(AdapterConformance):
    """A subclass says which format access tokens have."""

    slug = "resident"
    token_format: ClassVar[str]

    @pytest.fixture
    def world(self, db: Any) -> World:
        values = {
            "issuer": issuer(),
            "management_token": management_token(),
            "access_token_format": self.token_format,
        }
        config = parse_config(ResidentConfig, values)
        world = World(
            wire=Wire(ResidentTransport()),
            make=lambda http: ResidentAdapter(config, http, SystemClock()),
            tokens_survive_client=False,
        )
        adapter = world.adapter()
        for key in world.scopes:
            adapter.register_scope(ScopeSpec(key=key))
        world.wire.sent.clear()
        return world


class TestResidentWithJwtTokens(OnResident):
    token_format = "jwt"


class TestResidentWithOpaqueTokens(OnResident):
    token_format = "opaque"
