"""The ``wso2is`` adapter on a fake server that is held against its own descriptions."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter, RegisteredClient, TokenFacts, TokenRequest
from keymanager.adapters.wso2is import Wso2IsAdapter, Wso2IsConfig
from tests.conformance.suite import AdapterConformance
from tests.conformance.vendor_wire import VendorWire
from tests.conformance.world import Match, World, ask, registering, token_of, updating
from tests.fakes.wso2is_server import PORTAL, Wso2IsServer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


def calling(method: str, path: str) -> Match:
    """A request of this method whose whole path matches."""
    pattern = re.compile(path)
    return lambda request: request.method == method and pattern.fullmatch(request.url.path) is not None


_DCR = "(/t/[^/]+)?/keymanager-operations/dcr/register"
DIALECT: dict[Match, Match] = {registering: calling("POST", _DCR), updating: calling("PUT", f"{_DCR}/[^/]+")}


def wso2is_values(server: Wso2IsServer, **more: Any) -> dict[str, Any]:
    """Configuration for a fake."""
    user, password = PORTAL
    return {"issuer": server.token_issuer, "management_id": user, "management_secret": password, **more}


class OnWso2Is(AdapterConformance):
    """A subclass gives the configuration. What a client may ask for is not limited by the server."""

    slug = "wso2is"
    server: ClassVar[dict[str, Any]] = {}
    config: ClassVar[dict[str, Any]] = {}
    tokens_survive_client: ClassVar[bool] = False

    @contextmanager
    def running(self) -> Iterator[World]:
        with Wso2IsServer(**self.server) as server:
            config = parse_config(Wso2IsConfig, wso2is_values(server, **self.config))
            world = World(
                wire=VendorWire(PooledTransport(LOOPBACK), DIALECT),
                make=lambda http: Wso2IsAdapter(config, http, SystemClock()),
                tokens_survive_client=self.tokens_survive_client,
                registers_scopes=False,
                secrets_have_ids=self.config.get("secret_rotation") == "overlap",
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

    def test_a_scope_that_the_client_was_not_given_is_never_reported_as_granted(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """The server keeps the scopes of a client and grants others all the same: what it granted is reported."""
        given = ask(adapter, client, " ".join(world.scopes))
        assert "scope" not in client.ignored
        facts = adapter.introspect(token_of(given))
        assert isinstance(facts, TokenFacts)
        assert facts.scopes == given.scopes == set(world.scopes)


class TestWithEncodedIds(OnWso2Is):
    pass


class TestATenantOfAnOldReleaseWithPlainIds(OnWso2Is):
    server: ClassVar[dict[str, Any]] = {"encoded_ids": False, "tenant": "museum.example"}
    config: ClassVar[dict[str, Any]] = {"encoded_ids": False}


class TestWithTwoSecrets(OnWso2Is):
    config: ClassVar[dict[str, Any]] = {"secret_rotation": "overlap"}

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


class TestJwtAccessTokens(OnWso2Is):
    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}
    tokens_survive_client = True

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
