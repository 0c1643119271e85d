"""The ``rfc`` adapter on the fake server, in the habits of every server that was observed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.rfc.presets import with_preset
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import Wire, World
from tests.fakes.quirks import ALLAUTH, GLEWLWYD, LEMONLDAP, OIDC_PROVIDER, TOOLKIT, Quirks
from tests.fakes.rfc_server import RfcServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def basics(server: RfcServer) -> dict[str, Any]:
    """Configuration that any server needs."""
    return {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }


def fake_world(
    server: RfcServer, values: dict[str, Any], adapter: type[RfcAdapter] = RfcAdapter, **expected: Any
) -> World:
    """A world on a fake server."""
    config = parse_config(RfcConfig, values)

    def make(http: Any) -> KeyManagerAdapter:
        return adapter(config, http, SystemClock())

    return World(wire=Wire(PooledTransport(LOOPBACK)), make=make, **expected)


class OnTheFake(AdapterConformance):
    """A subclass gives the habits, the configuration for them and the expectations."""

    slug = "rfc"
    quirks: ClassVar[Quirks]
    preset: ClassVar[str] = ""
    config: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[dict[str, Any]] = {}

    def values(self, server: RfcServer) -> dict[str, Any]:
        values = {**basics(server), **self.config}
        return with_preset(self.preset, values) if self.preset else values

    @pytest.fixture
    def world(self) -> Iterator[World]:
        with RfcServer(quirks=self.quirks) as server:
            world = fake_world(server, self.values(server), **self.expected)
            yield world
            world.wire.close()


class TestByTheRfcs(OnTheFake):
    quirks = Quirks()
    config: ClassVar[dict[str, Any]] = {"keeps_unknown_metadata": True, "resource_style": "any"}


class TestJwtByTheRfcs(OnTheFake):
    quirks = Quirks(token_format="jwt", issuer_path="/realms/one")
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}


class TestLikeOidcProvider(OnTheFake):
    quirks = OIDC_PROVIDER
    preset = "oidc-provider"


class TestLikeOidcProviderWithJwt(OnTheFake):
    quirks = replace(OIDC_PROVIDER, token_format="jwt")
    preset = "oidc-provider"
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}
    expected: ClassVar[dict[str, Any]] = {"revokes": False}


class TestLikeGlewlwyd(OnTheFake):
    quirks = GLEWLWYD
    preset = "glewlwyd"

    def values(self, server: RfcServer) -> dict[str, Any]:
        own = {
            "issuer": server.issuer,
            "registration_client_id": server.dcr_client_id,
            "registration_client_secret": server.dcr_client_secret,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
            "admin_url": server.admin_url,
            "admin_api_key": server.admin_api_key,
        }
        return with_preset(self.preset, own)


class TestLikeDjangoOauthToolkit(OnTheFake):
    quirks = TOOLKIT
    preset = "django-oauth-toolkit"
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": False, "registers_scopes": False}


class TestWithABearerTokenForIntrospection(OnTheFake):
    quirks = Quirks(introspection_auth=frozenset({"bearer"}))
    config: ClassVar[dict[str, Any]] = {"introspection_auth": "bearer", "introspection_scope": "introspect"}


class TestWithAwkwardSecretsAndPost(OnTheFake):
    quirks = Quirks(awkward_secrets=True, rotate_registration_access_token=True)
    config: ClassVar[dict[str, Any]] = {"introspection_auth": "post", "rotates_registration_token": True}


class TestWithAwkwardSecretsAndRawBasic(OnTheFake):
    quirks = Quirks(awkward_secrets=True, basic_decoding="raw")
    config: ClassVar[dict[str, Any]] = {"basic_encoding": "raw"}


class TestWithoutRevocation(OnTheFake):
    quirks = Quirks(revocation=False)
    config: ClassVar[dict[str, Any]] = {"revocation": False}


class TestLikeLemonldap(OnTheFake):
    quirks = replace(LEMONLDAP, unknown_scope="dropped", foreign_scope="dropped")
    config: ClassVar[dict[str, Any]] = {
        "registration": "create_only",
        "initial_access_token_mode": "none",
        "revocation": False,
    }


class TestLikeAllauth(OnTheFake):
    quirks = ALLAUTH
    config: ClassVar[dict[str, Any]] = {
        "registration": "create_only",
        "empty_redirect_uris": False,
        "placeholder_redirect_uri": "https://localhost/none",
        "basic_encoding": "raw",
    }
