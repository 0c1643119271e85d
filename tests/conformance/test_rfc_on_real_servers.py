"""The ``rfc`` adapter on real identity providers that are not ours, started by ``tests/servers``."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.errors import KeyManagerRejected
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import ScopeSpec
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.rfc.presets import with_preset
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World
from tests.servers import glewlwyd, oidc_provider

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")

pytestmark = pytest.mark.servers


def real_world(preset: str, values: dict[str, Any], adapter: type[RfcAdapter] = RfcAdapter, **expected: Any) -> World:
    """A world on a running server."""
    config = parse_config(RfcConfig, with_preset(preset, values))
    return World(
        wire=Wire(PooledTransport(LOOPBACK)),
        make=lambda http: adapter(config, http, SystemClock()),
        **expected,
    )


class OnOidcProvider(AdapterConformance):
    """A subclass says how the server is started."""

    slug = "rfc"
    options: ClassVar[oidc_provider.OidcProviderOptions]
    config: ClassVar[dict[str, Any]]
    revokes: ClassVar[bool]

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[oidc_provider.OidcProviderServer]:
        home: Path = tmp_path_factory.mktemp("oidc-provider")
        started = oidc_provider.start(options=cls.options, home=home)
        yield started
        started.stop()

    @pytest.fixture
    def world(self, server: oidc_provider.OidcProviderServer) -> Iterator[World]:
        values = {
            "issuer": server.issuer,
            "initial_access_token": server.options.initial_access_token,
            "introspection_client_id": server.options.gateway_client_id,
            "introspection_client_secret": server.options.gateway_client_secret,
            "keeps_unknown_metadata": True,
            **self.config,
        }
        world = real_world("oidc-provider", values, revokes=self.revokes)
        yield world
        world.wire.close()


class TestOidcProviderWithOpaqueTokensAndRotation(OnOidcProvider):
    options = oidc_provider.OidcProviderOptions(token_format="opaque", rotate_registration_access_tokens=True)
    config: ClassVar[dict[str, Any]] = {}
    revokes = True


class TestOidcProviderWithJwtTokensAndNoRotation(OnOidcProvider):
    options = oidc_provider.OidcProviderOptions(token_format="jwt", rotate_registration_access_tokens=False)
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt", "rotates_registration_token": False}
    revokes = False


class TestGlewlwyd(AdapterConformance):
    slug = "rfc"

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[glewlwyd.GlewlwydServer]:
        home: Path = tmp_path_factory.mktemp("glewlwyd")
        started = glewlwyd.start(home=home)
        yield started
        started.stop()

    @pytest.fixture
    def world(self, server: glewlwyd.GlewlwydServer) -> Iterator[World]:
        options = server.options
        values = {
            "issuer": server.issuer,
            "registration_client_id": options.dcr_client_id,
            "registration_client_secret": options.dcr_client_secret,
            "registration_scope": options.registration_scope,
            "introspection_client_id": options.gateway_client_id,
            "introspection_client_secret": options.gateway_client_secret,
            "admin_url": server.admin_url,
            "admin_api_key": server.admin_api_key,
        }
        world = real_world("glewlwyd", values)
        yield world
        world.wire.close()

    def test_a_user_name_and_password_administer_as_well_as_an_api_key(self, server: glewlwyd.GlewlwydServer) -> None:
        values = {"issuer": server.issuer, "registration": "none", "admin_url": server.admin_url}
        own = {"introspection_client_id": "x", "registration_client_id": "x", "admin_user": "admin"}
        good = real_world("glewlwyd", {**values, **own, "admin_password": "password"})
        wrong = real_world("glewlwyd", {**values, **own, "admin_password": "wrong"})
        with closing(good.wire), closing(wrong.wire):
            adapter = good.adapter()
            adapter.register_scope(ScopeSpec(key="museum:guide", description="Guide visitors"))
            assert "museum:guide" in adapter.list_scopes()
            adapter.delete_scope("museum:guide")
            assert "museum:guide" not in adapter.list_scopes()
            with pytest.raises(KeyManagerRejected):
                wrong.adapter().list_scopes()
