"""The ``wso2is7`` adapter on a fake server that is held against its own descriptions."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient, Resource, TokenFacts, TokenRequest
from keymanager.adapters.wso2is7 import Wso2Is7Adapter, Wso2Is7Config
from tests.conformance.suite import AdapterConformance
from tests.conformance.vendor_wire import VendorWire
from tests.conformance.world import Match, World, ask, registering, token_of, updating
from tests.fakes.wso2is7_server import PORTAL, SHARED, Wso2Is7Server

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def calling(method: str, path: str) -> Match:
    """A request of this method whose whole path matches."""
    pattern = re.compile(path)
    return lambda request: request.method == method and pattern.fullmatch(request.url.path) is not None


_DCR = "(/t/[^/]+)?/api/identity/oauth2/dcr/v1.1/register"
DIALECT: dict[Match, Match] = {registering: calling("POST", _DCR), updating: calling("PUT", f"{_DCR}/[^/]+")}


def wso2is7_values(server: Wso2Is7Server, **more: Any) -> dict[str, Any]:
    """Configuration for a fake."""
    user, password = PORTAL
    return {"issuer": server.token_issuer, "management_id": user, "management_secret": password, **more}


class OnWso2Is7(AdapterConformance):
    """A subclass gives the configuration."""

    slug = "wso2is7"
    identifier: ClassVar[str] = SHARED
    tenant: ClassVar[str] = ""
    config: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": False}

    def values(self, server: Wso2Is7Server) -> dict[str, Any]:
        return wso2is7_values(server, **self.config)

    @contextmanager
    def running(self) -> Iterator[World]:
        with Wso2Is7Server(identifier=self.identifier, tenant=self.tenant) as server:
            config = parse_config(Wso2Is7Config, self.values(server))
            world = World(
                wire=VendorWire(PooledTransport(LOOPBACK), DIALECT),
                make=lambda http: Wso2Is7Adapter(config, http, SystemClock()),
                **self.expected,
            )
            try:
                yield world
            finally:
                world.wire.close()
            assert server.undescribed == []
            # What is as the RFCs say, and not in the vendor's description of its management.
            assert server.exchanges.passed_over <= {"token", "introspect", "revoke", "userinfo", "metadata", "keys"}

    def test_a_name_with_any_character_is_kept(self, adapter: KeyManagerAdapter, world: World) -> None:
        """Names have few characters there: the others are replaced, and that is said."""
        made = adapter.create_client(world.client_metadata(client_name="Müsli & Söhne <b>"))
        assert made.observed["client_name"] == "M_sli _ S_hne _b_"
        assert "client_name" in made.ignored


class TestOneSharedApiResource(OnWso2Is7):
    pass


class TestOneApiResourceForEachVersion(OnWso2Is7):
    identifier = "urn:archway:api:garden"
    config: ClassVar[dict[str, Any]] = {"resources": "per_api"}
    expected: ClassVar[dict[str, Any]] = {
        "tokens_survive_client": False,
        "limits_resources": True,
        "takes_resource": False,
    }

    def test_a_resource_lives_from_registration_to_deletion(self, adapter: KeyManagerAdapter) -> None:
        """The suite's, with a scope that no other API has: names are unique in a tenant."""
        garden = adapter.register_resource(Resource(identifier=self.identifier, name="Garden"))
        adapter.delete_resource(garden.remote_id)
        super().test_a_resource_lives_from_registration_to_deletion(adapter=adapter)


class TestATenantManagedWithATokenAndTwoSecrets(OnWso2Is7):
    tenant = "museum.example"
    config: ClassVar[dict[str, Any]] = {"management_auth": "oauth", "secret_rotation": "overlap"}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": False, "secrets_have_ids": True}

    def values(self, server: Wso2Is7Server) -> dict[str, Any]:
        own = {"management_id": server.manager.client_id, "management_secret": server.manager.secret}
        return {**super().values(server), **own}

    def test_a_new_secret_works_and_the_old_one_does_not(self, adapter: KeyManagerAdapter, world: World) -> None:
        """Both work until the old one is dropped, and tokens live on."""
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        token = token_of(ask(adapter, made, world.scopes[0]))
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert rotated.handle.client_secret != made.handle.client_secret
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert ask(adapter, made, world.scopes[0]).ok
        adapter.drop_old_secret(rotated.handle)
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert not ask(adapter, made, world.scopes[0]).ok
        assert isinstance(adapter.introspect(token), TokenFacts)


class TestJwtAccessTokens(OnWso2Is7):
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": True}

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """The server revokes it, and whoever checks with the keys alone does not see that until it expires."""
        token = token_of(ask(adapter, client, world.scopes[0]))
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token),),
        )
        assert adapter.revoke_token(request).status == 200
        assert isinstance(adapter.introspect(token), TokenFacts)
