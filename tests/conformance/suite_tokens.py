"""Tokens: issue, introspect, revoke, check (RFC 6749, RFC 7662, RFC 7009, RFC 7517)."""

from dataclasses import replace

import pytest

from common.errors import (
    NotSupported,
)
from keymanager.adapters.contract import (
    Capability,
    Inactive,
    KeyManagerAdapter,
    RegisteredClient,
    TokenFacts,
    TokenRequest,
)
from tests.conformance.base import ConformanceBase, needs
from tests.conformance.world import (
    World,
    ask,
    introspecting,
    token_of,
)

C = Capability


class TokenConformance(ConformanceBase):
    """Tokens: RFC 6749, RFC 7009, RFC 7662, RFC 7517."""

    @pytest.fixture
    def client(self, adapter: KeyManagerAdapter, world: World) -> RegisteredClient:
        return adapter.create_client(world.client_metadata())

    def test_a_token_has_the_asked_scope_and_a_lifetime(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        given = ask(adapter, client, world.scopes[0])
        assert given.scopes == {world.scopes[0]}
        assert given.expires_in is not None
        assert given.expires_in > 0
        assert str(given.body["token_type"]).lower() == "bearer"

    def test_a_wrong_secret_is_an_invalid_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        given = ask(adapter, client, world.scopes[0], client_secret="wrong")
        assert (given.status, given.body["error"]) == (401, "invalid_client")

    def test_an_unknown_client_is_an_invalid_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        given = ask(adapter, client, world.scopes[0], client_id="no-such-client")
        assert (given.status, given.body["error"]) == (401, "invalid_client")

    def test_a_scope_that_the_client_was_not_given_is_never_reported_as_granted(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        given = ask(adapter, client, " ".join(world.scopes))
        assert (world.scopes[1] in given.scopes) == (not world.registers_scopes)
        assert ("scope" in client.ignored) == (not world.registers_scopes)
        if given.ok:
            facts = adapter.introspect(token_of(given))
            assert isinstance(facts, TokenFacts)
            assert facts.scopes == given.scopes

    def test_an_unknown_scope_is_never_reported_as_granted(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        given = ask(adapter, client, f"{world.scopes[0]} museum:no-such-scope")
        assert "museum:no-such-scope" not in given.scopes

    def test_the_facts_of_an_active_token_are_told(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        facts = adapter.introspect(token_of(ask(adapter, client, world.scopes[0])))
        assert isinstance(facts, TokenFacts)
        assert facts.client_id == client.handle.client_id
        assert facts.scopes == {world.scopes[0]}
        assert facts.exp is not None
        assert facts.exp > adapter.clock.now()
        assert facts.token_use == "access"

    @pytest.mark.parametrize("token", ["made-up", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "a.b.c", "ä", "x" * 3000])
    def test_a_made_up_token_is_inactive(self, adapter: KeyManagerAdapter, token: str) -> None:
        assert isinstance(adapter.introspect(token), Inactive)

    def test_a_changed_token_is_inactive(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        # A digit: another case would change nothing at OpenAM, which compares opaque tokens without regard to it.
        changed = token[:-10] + ("0" if token[-10] != "0" else "1") + token[-9:]
        assert isinstance(adapter.introspect(changed), Inactive)

    @needs(C.JWKS)
    def test_the_key_set_has_public_keys_only(self, adapter: KeyManagerAdapter) -> None:
        for key in adapter.jwks()["keys"]:
            assert key["kty"] in ("RSA", "EC", "OKP")
            assert "d" not in key

    @needs(C.REVOKE_TOKEN)
    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token),),
        )
        given = adapter.revoke_token(request)
        assert isinstance(adapter.introspect(token), Inactive) == world.revokes
        assert (given.status == 200) == world.revokes

    def test_revoking_an_unknown_token_is_no_error(self, adapter: KeyManagerAdapter, client: RegisteredClient) -> None:
        handle = client.handle
        request = TokenRequest(
            client_id=handle.client_id, client_secret=handle.client_secret, parameters=(("token", "no-such-token"),)
        )
        if C.REVOKE_TOKEN in adapter.capabilities:
            assert adapter.revoke_token(request).status == 200
        else:
            with pytest.raises(NotSupported):
                adapter.revoke_token(request)

    @needs(C.DELETE_CLIENT)
    def test_the_token_of_a_deleted_client_is_reported_as_the_server_sees_it(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        adapter.delete_client(client.handle)
        assert isinstance(adapter.introspect(token), TokenFacts) == world.tokens_survive_client

    @needs(C.REVOKE_ALL)
    def test_revoking_all_ends_every_token_of_the_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        tokens = [token_of(ask(adapter, client, world.scopes[0])) for _ in range(2)]
        renewed = adapter.revoke_all(client.handle)
        assert all(isinstance(adapter.introspect(token), Inactive) for token in tokens)
        usable = client if renewed is None else replace(client, handle=renewed)
        assert ask(adapter, usable, world.scopes[0]).ok
        assert ask(adapter, client, world.scopes[0]).ok == (renewed is None)

    def test_authentication_in_the_parameters_is_not_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(
                ("grant_type", "client_credentials"),
                ("scope", world.scopes[0]),
                ("client_id", "another"),
                ("client_secret", "another"),
            ),
        )
        assert adapter.issue_token(request).ok

    def test_an_application_is_never_who_introspects(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        adapter.introspect(token_of(ask(adapter, client, world.scopes[0])))
        for request in world.wire.matching(introspecting):
            assert client.handle.client_secret not in request.content.decode()
