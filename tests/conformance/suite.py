"""What every adapter must do, on every server. A subclass gives the fixture ``world``; ``adapter`` follows from it.

Nothing here is skipped: where a capability is not declared, its operation must raise ``NotSupported``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import pytest

from common.errors import (
    ArchwayError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotSupported,
    OutcomeUnknown,
)
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    Inactive,
    KeyManagerAdapter,
    RegisteredClient,
    Resource,
    ScopeSpec,
    StepState,
    TokenFacts,
    TokenRequest,
)
from tests.conformance.operations import call
from tests.conformance.world import (
    BUSY,
    PAGE,
    World,
    answer,
    ask,
    asking_for_a_token,
    deleting,
    introspecting,
    lost_answer,
    reading,
    refused_connection,
    registering,
    token_of,
    updating,
)

C = Capability


T = TypeVar("T")


def refusal_code(operation: Callable[[], T]) -> tuple[str, T | None]:
    """The code with which the key manager refused and nothing, or "" and the value."""
    try:
        return "", operation()
    except KeyManagerRejected as exc:
        return exc.remote_code, None


class ConformanceBase:
    """Fixtures of the suite. ``slug``: the adapter that a subclass is about."""

    slug: ClassVar[str] = ""

    @pytest.fixture
    def adapter(self, world: World) -> KeyManagerAdapter:
        return world.adapter()


class ClientConformance(ConformanceBase):
    """Clients: RFC 7591 and RFC 7592."""

    def test_a_registered_client_has_an_id_and_a_secret(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        assert made.handle.client_id
        assert made.handle.client_secret
        assert token_of(ask(adapter, made, world.scopes[0]))

    def test_a_name_with_any_character_is_kept(self, adapter: KeyManagerAdapter, world: World) -> None:
        name = "Müsli & Söhne <b> “quoted”"
        made = adapter.create_client(world.client_metadata(client_name=name))
        assert made.observed["client_name"] == name
        assert "client_name" not in made.ignored

    def test_a_client_is_read_back(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        if C.READ_CLIENT not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.read_client(made.handle)
            return
        found = adapter.read_client(made.handle)
        assert found is not None
        assert found.handle == made.handle
        assert found.observed["client_name"] == "Museum shop"

    def test_an_update_replaces_the_metadata(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        updated = adapter.update_client(made.handle, replace(metadata, client_name="Renamed"))
        found = adapter.read_client(updated.handle)
        assert found is not None
        assert found.observed["client_name"] == "Renamed"

    def test_each_update_leaves_a_client_that_can_be_managed_and_used(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        client = adapter.create_client(metadata)
        for number in range(3):
            client = adapter.update_client(client.handle, replace(metadata, client_name=f"Name {number}"))
            assert token_of(ask(adapter, client, world.scopes[0]))
        assert adapter.read_client(client.handle) is not None

    def test_a_deleted_client_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        adapter.delete_client(made.handle)
        assert adapter.read_client(made.handle) is None
        assert not ask(adapter, made, world.scopes[0]).ok

    def test_deleting_twice_is_success(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        adapter.delete_client(made.handle)
        adapter.delete_client(made.handle)

    def test_updating_a_deleted_client_says_that_it_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        adapter.delete_client(made.handle)
        with pytest.raises(KeyManagerRejected) as caught:
            adapter.update_client(made.handle, metadata)
        assert caught.value.remote_code == "client_gone"

    def test_a_client_that_lives_is_never_reported_gone_because_our_token_is_lost(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        made = adapter.create_client(world.client_metadata())
        lost = replace(made.handle, registration_access_token="lost-0123456789")
        code, found = refusal_code(lambda: adapter.read_client(lost))
        if code:
            assert code == "registration_access_token_lost"
        else:
            assert found is not None
            assert found.handle.client_id == made.handle.client_id

    def test_a_removal_is_claimed_only_when_the_client_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        lost = replace(made.handle, registration_access_token="lost-0123456789")
        code, _ = refusal_code(lambda: adapter.delete_client(lost))
        assert code in ("", "registration_access_token_lost")
        assert ask(adapter, made, world.scopes[0]).ok == bool(code)

    def test_an_update_without_our_token_says_so_or_recovers(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        lost = replace(made.handle, registration_access_token="lost-0123456789")
        code, updated = refusal_code(lambda: adapter.update_client(lost, metadata))
        if code:
            assert code == "registration_access_token_lost"
        else:
            assert updated is not None
            assert ask(adapter, updated, world.scopes[0]).ok

    def test_a_registration_access_token_goes_to_its_own_url_only(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        updated = adapter.update_client(made.handle, metadata)
        adapter.read_client(updated.handle)
        adapter.delete_client(updated.handle)
        for handle in (made.handle, updated.handle):
            for request in world.wire.sent:
                if handle.registration_access_token in request.headers.get("authorization", ""):
                    assert str(request.url) == handle.registration_client_uri

    def test_an_update_never_echoes_what_the_server_owns(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        adapter.update_client(adapter.create_client(metadata).handle, metadata)
        for request in world.wire.matching(updating):
            assert b"registration_access_token" not in request.content
            assert b"client_id_issued_at" not in request.content

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        changed = answer(201, json={"client_id": "c", "client_secret": "s", "client_name": "Another", "scope": "other"})
        adapter.create_client(world.client_metadata())
        world.wire.plan(registering, changed)
        made = adapter.create_client(world.client_metadata())
        assert "client_name" in made.ignored

    def test_a_grant_type_that_is_not_on_offer_is_refused_before_anything_is_sent(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        with pytest.raises(ArchwayError) as caught:
            adapter.create_client(world.client_metadata(grant_types=("urn:no-such-grant",)))
        assert caught.value.status == 400

    def test_verification_proves_what_can_be_proved(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        bare = ClientHandle(client_id=made.handle.client_id, client_secret=made.handle.client_secret)
        good = adapter.verify_client(bare)
        bad = adapter.verify_client(replace(bare, client_secret="wrong"))
        assert (good.exists, good.secret_works) == (True, True)
        assert bad.secret_works is False
        assert bad.exists is not False

    def test_a_new_secret_works_and_the_old_one_does_not(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        if C.ROTATE_SECRET not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.rotate_secret(made.handle, metadata)
            return
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert rotated.handle.client_secret != made.handle.client_secret
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert not ask(adapter, made, world.scopes[0]).ok

    def test_a_client_is_found_by_our_marker(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        if C.FIND_CLIENT not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.find_client(metadata.marker)
            return
        found = adapter.find_client(metadata.marker)
        assert found is not None
        assert found.handle.client_id == made.handle.client_id
        assert adapter.find_client("no-such-marker") is None

    def test_a_client_whose_creation_was_not_answered_is_found_and_adopted(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        if C.FIND_CLIENT not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.find_client("any")
            return
        metadata = world.client_metadata()
        world.wire.plan(registering, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.create_client(metadata)
        world.wire.heal()
        found = adapter.find_client(metadata.marker)
        assert found is not None
        adopted = adapter.rotate_secret(found.handle, metadata)
        assert ask(adapter, adopted, world.scopes[0]).ok
        assert adapter.update_client(adopted.handle, replace(metadata, client_name="Adopted")).handle.client_id

    def test_the_list_of_clients_has_every_client(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = [adapter.create_client(world.client_metadata()).handle.client_id for _ in range(3)]
        if C.LIST_CLIENTS not in adapter.capabilities:
            with pytest.raises(NotSupported):
                list(adapter.list_clients())
            return
        assert set(made) <= {client.handle.client_id for client in adapter.list_clients()}

    def test_a_suspended_client_gets_no_token_until_it_is_resumed(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        made = adapter.create_client(world.client_metadata())
        if C.SUSPEND_CLIENT not in adapter.capabilities:
            for operation in (adapter.suspend_client, adapter.resume_client):
                with pytest.raises(NotSupported):
                    operation(made.handle)
            return
        adapter.suspend_client(made.handle)
        assert not ask(adapter, made, world.scopes[0]).ok
        adapter.resume_client(made.handle)
        assert ask(adapter, made, world.scopes[0]).ok


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
        changed = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
        assert isinstance(adapter.introspect(changed), Inactive)

    def test_the_key_set_has_public_keys_only(self, adapter: KeyManagerAdapter) -> None:
        if C.JWKS not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.jwks()
            return
        for key in adapter.jwks()["keys"]:
            assert key["kty"] in ("RSA", "EC", "OKP")
            assert "d" not in key

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("token", token),),
        )
        if C.REVOKE_TOKEN not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.revoke_token(request)
            return
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

    def test_the_token_of_a_deleted_client_is_reported_as_the_server_sees_it(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        adapter.delete_client(client.handle)
        assert isinstance(adapter.introspect(token), TokenFacts) == world.tokens_survive_client

    def test_revoking_all_ends_every_token_of_the_client(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        if C.REVOKE_ALL not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.revoke_all(client.handle)
            return
        tokens = [token_of(ask(adapter, client, world.scopes[0])) for _ in range(2)]
        adapter.revoke_all(client.handle)
        assert all(isinstance(adapter.introspect(token), Inactive) for token in tokens)

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


class ServerConformance(ConformanceBase):
    """Metadata, resources, scopes, the connection check, and what is not declared."""

    def test_the_metadata_name_the_token_endpoint(self, adapter: KeyManagerAdapter) -> None:
        found = adapter.metadata()
        assert found.token_endpoint.startswith("http")
        assert found.issuer

    def test_the_authorization_url_carries_the_query(self, adapter: KeyManagerAdapter) -> None:
        if C.AUTHORIZATION_URL not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.authorization_url("state=1")
            return
        url = adapter.authorization_url("response_type=code&state=a%20b")
        assert url == f"{adapter.metadata().authorization_endpoint}?response_type=code&state=a%20b"

    def test_every_step_of_the_connection_check_passes(self, adapter: KeyManagerAdapter) -> None:
        steps = list(adapter.check())
        assert [(step.name, step.reason) for step in steps if step.state is StepState.FAILED] == []
        assert any(step.state is StepState.PASSED for step in steps)
        assert all(step.reason for step in steps if step.state is StepState.SKIPPED)

    def test_the_connection_check_of_an_unreachable_server_fails_without_raising(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        world.wire.plan(lambda _: True, refused_connection)
        steps = list(adapter.check())
        assert any(step.state is StepState.FAILED for step in steps)
        assert all(step.reason for step in steps if step.state is not StepState.PASSED)

    def test_what_is_not_declared_is_not_supported(self, adapter: KeyManagerAdapter) -> None:
        for capability in Capability:
            if capability not in adapter.capabilities:
                with pytest.raises(NotSupported):
                    call(adapter, capability)

    def test_a_registered_scope_is_listed_until_it_is_deleted(self, adapter: KeyManagerAdapter) -> None:
        scope = ScopeSpec(key="museum:restore", description="Restore paintings")
        if C.SCOPES not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.register_scope(scope)
            return
        adapter.register_scope(scope)
        adapter.register_scope(replace(scope, description=""))
        adapter.register_scope(replace(scope, description="Changed"))
        assert scope.key in adapter.list_scopes()
        adapter.delete_scope(scope.key)
        adapter.delete_scope(scope.key)
        assert scope.key not in adapter.list_scopes()

    def test_a_client_uses_a_scope_that_was_registered_after_the_server_started(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        if C.SCOPES not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.list_scopes()
            return
        adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend paintings"))
        metadata = world.client_metadata(scopes=frozenset({"museum:lend"}))
        made = adapter.create_client(metadata)
        assert ask(adapter, made, "museum:lend").scopes == {"museum:lend"}
        updated = adapter.update_client(made.handle, replace(metadata, client_name="Renamed"))
        assert ask(adapter, updated, "museum:lend").scopes == {"museum:lend"}

    def test_a_resource_lives_from_registration_to_deletion(self, adapter: KeyManagerAdapter) -> None:
        resource = Resource(identifier="urn:archway:api:museum/1.0", name="Museum", scopes=frozenset({"museum:read"}))
        if C.RESOURCES not in adapter.capabilities:
            with pytest.raises(NotSupported):
                adapter.register_resource(resource)
            return
        made = adapter.register_resource(resource)
        assert adapter.register_resource(resource).remote_id == made.remote_id
        found = adapter.read_resource(made.remote_id)
        assert found is not None
        assert found.scopes == {"museum:read"}
        adapter.update_resource(made.remote_id, replace(resource, scopes=frozenset()))
        changed = adapter.read_resource(made.remote_id)
        assert changed is not None
        assert changed.scopes == frozenset()
        adapter.delete_resource(made.remote_id)
        adapter.delete_resource(made.remote_id)
        assert adapter.read_resource(made.remote_id) is None

    def test_claims_name_the_client_and_the_scopes_in_either_form(self, adapter: KeyManagerAdapter) -> None:
        assert adapter.client_id_of({"client_id": "c"}) == "c"
        assert adapter.client_id_of({"client_id": 7, "sub": "s"}) == ""
        assert adapter.scopes_of({"scope": "a b"}) == {"a", "b"}
        assert adapter.scopes_of({"scope": ["a", "b"]}) == {"a", "b"}
        assert adapter.scopes_of({}) == frozenset()


class FaultConformance(ConformanceBase):
    """Servers that answer badly, late or not at all. Every error is told apart, and nothing is sent twice."""

    def test_a_lost_answer_to_a_registration_is_unknown_and_not_repeated(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        world.wire.plan(registering, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.create_client(world.client_metadata())
        assert len(world.wire.matching(registering)) == 1

    def test_a_lost_answer_to_an_update_is_unknown_and_not_repeated(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        world.wire.plan(updating, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.update_client(made.handle, metadata)
        assert len(world.wire.matching(updating)) == 1

    def test_a_lost_answer_to_a_deletion_is_not_success(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        world.wire.plan(deleting, lost_answer)
        with pytest.raises((OutcomeUnknown, KeyManagerUnavailable)):
            adapter.delete_client(made.handle)
        world.wire.heal()
        adapter.delete_client(made.handle)

    def test_a_refused_connection_is_unavailable(self, adapter: KeyManagerAdapter, world: World) -> None:
        world.wire.plan(registering, refused_connection)
        with pytest.raises(KeyManagerUnavailable):
            adapter.create_client(world.client_metadata())

    def test_too_many_calls_is_unavailable_for_the_stated_time(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in _operations(adapter, world, client):
            world.wire.plan(match, BUSY)
            with pytest.raises(KeyManagerUnavailable) as caught:
                operation()
            assert caught.value.retry_after == 7.0

    def test_a_page_instead_of_json_is_a_protocol_error(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in _operations(adapter, world, client):
            world.wire.plan(match, PAGE)
            with pytest.raises(KeyManagerProtocolError):
                operation()

    @pytest.mark.parametrize("body", [{}, {"client_id": ""}, {"client_id": 7, "access_token": 7, "active": "true"}])
    def test_json_without_the_expected_member_is_a_protocol_error(
        self, adapter: KeyManagerAdapter, world: World, body: dict[str, Any]
    ) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in _operations(adapter, world, client):
            world.wire.plan(match, answer(200, json=body))
            with pytest.raises(KeyManagerProtocolError):
                operation()

    def test_a_redirect_is_a_protocol_error_and_is_not_followed(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in _operations(adapter, world, client):
            world.wire.plan(match, answer(302, headers={"Location": "http://127.0.0.1:1/elsewhere"}))
            with pytest.raises(KeyManagerProtocolError):
                operation()
        assert not world.wire.matching(lambda request: request.url.port == 1)

    def test_a_server_error_leaves_a_write_unknown(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        world.wire.plan(registering, answer(500))
        with pytest.raises(OutcomeUnknown):
            adapter.create_client(metadata)
        world.wire.plan(updating, answer(502))
        with pytest.raises(OutcomeUnknown):
            adapter.update_client(made.handle, metadata)

    def test_a_server_error_makes_a_read_and_a_token_unavailable(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        client = adapter.create_client(world.client_metadata())
        world.wire.plan(reading, answer(500))
        with pytest.raises(KeyManagerUnavailable):
            adapter.read_client(client.handle)
        world.wire.plan(asking_for_a_token, answer(500))
        with pytest.raises(KeyManagerUnavailable):
            ask(adapter, client, world.scopes[0])

    def test_a_server_error_at_introspection_is_never_an_answer(self, adapter: KeyManagerAdapter, world: World) -> None:
        if not _introspects_by_call(adapter, world):
            assert isinstance(adapter.introspect("opaque-token"), Inactive)
            return
        for status in (400, 401, 403, 404, 500, 503):
            world.wire.plan(introspecting, answer(status))
            with pytest.raises((KeyManagerRejected, KeyManagerUnavailable)):
                adapter.introspect("opaque-token")

    def test_a_refusal_carries_the_servers_own_words(self, adapter: KeyManagerAdapter, world: World) -> None:
        words = {"error": "invalid_redirect_uri", "error_description": "only https here"}
        world.wire.plan(registering, answer(400, json=words))
        with pytest.raises(KeyManagerRejected) as caught:
            adapter.create_client(world.client_metadata())
        assert caught.value.remote_code == "invalid_redirect_uri"
        assert caught.value.remote_status == 400
        assert "only https here" in caught.value.remote_description

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
    def test_a_refusal_without_words_is_still_a_refusal(
        self, adapter: KeyManagerAdapter, world: World, status: int
    ) -> None:
        world.wire.plan(registering, answer(status))
        with pytest.raises(KeyManagerRejected) as caught:
            adapter.create_client(world.client_metadata())
        assert caught.value.remote_status == status

    def test_an_oauth_error_is_passed_through_unchanged(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        words = {"error": "invalid_scope", "error_description": "not yours", "custom": [1, 2]}
        world.wire.plan(asking_for_a_token, answer(400, json=words, headers={"WWW-Authenticate": "Basic"}))
        given = ask(adapter, client, world.scopes[0])
        assert (given.status, dict(given.body), given.www_authenticate) == (400, words, "Basic")

    def test_no_secret_shows_in_any_value_or_error(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        given = ask(adapter, made, world.scopes[0])
        secrets = [made.handle.client_secret, made.handle.registration_access_token, token_of(given)]
        shown = [repr(made), str(made), repr(given), repr(adapter.config), repr(adapter.read_client(made.handle))]
        shown.append(repr(adapter.introspect(secrets[2])))
        echo = {"error": "invalid_request", "error_description": f"client_secret={secrets[0]} token={secrets[2]}"}
        for match, operation in _operations(adapter, world, made):
            for behaviour in (answer(400, json=echo), lost_answer, PAGE, answer(500, text=secrets[0])):
                world.wire.plan(match, behaviour)
                try:
                    shown.append(repr(operation()))
                except ArchwayError as exc:
                    shown += [str(exc), repr(exc), exc.message, repr(vars(exc))]
        for secret in filter(None, secrets):
            assert not [text for text in shown if secret in text]

    def test_no_secret_is_in_any_url(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        token = token_of(ask(adapter, made, world.scopes[0]))
        adapter.introspect(token)
        adapter.delete_client(adapter.update_client(made.handle, metadata).handle)
        for secret in filter(None, (made.handle.client_secret, made.handle.registration_access_token, token)):
            assert not [request for request in world.wire.sent if secret in str(request.url)]


def _operations(adapter: KeyManagerAdapter, world: World, client: RegisteredClient) -> list[tuple[Any, Any]]:
    """What can go wrong, and how to recognise its request on the wire."""
    metadata = world.client_metadata()
    found: list[tuple[Any, Any]] = [
        (registering, lambda: adapter.create_client(metadata)),
        (updating, lambda: adapter.update_client(client.handle, metadata)),
        (reading, lambda: adapter.read_client(client.handle)),
        (asking_for_a_token, lambda: ask(adapter, client, world.scopes[0])),
    ]
    if _introspects_by_call(adapter, world):
        found.append((introspecting, lambda: adapter.introspect("opaque-token")))
    return found


def _introspects_by_call(adapter: KeyManagerAdapter, world: World) -> bool:
    """Whether an opaque token is looked up at the server (otherwise its keys decide)."""
    world.wire.heal()
    before = len(world.wire.matching(introspecting))
    adapter.introspect("opaque-token")
    return len(world.wire.matching(introspecting)) > before


class AdapterConformance(ClientConformance, TokenConformance, ServerConformance, FaultConformance):
    """The whole suite."""
