"""Servers that answer badly, late or not at all."""

from typing import Any

import pytest

from common.errors import (
    ArchwayError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    OutcomeUnknown,
)
from keymanager.adapters.contract import (
    Capability,
    Inactive,
    KeyManagerAdapter,
)
from tests.conformance.base import ConformanceBase, looks_up_opaque_tokens, needs, operations_of
from tests.conformance.world import (
    BUSY,
    PAGE,
    Watched,
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


class FaultConformance(ConformanceBase):
    """Servers that answer badly, late or not at all. Every error is told apart, and nothing is sent twice."""

    def test_a_lost_answer_to_a_registration_is_unknown_and_not_repeated(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        world.wire.plan(registering, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.create_client(world.client_metadata())
        assert len(world.wire.matching(registering)) == 1

    @needs(C.UPDATE_CLIENT)
    def test_a_lost_answer_to_an_update_is_unknown_and_not_repeated(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        world.wire.plan(updating, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.update_client(made.handle, metadata)
        assert len(world.wire.matching(updating)) == 1

    @needs(C.ROTATE_SECRET)
    def test_a_lost_answer_to_a_new_secret_is_unknown_and_not_repeated(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        """A repeat would end the secret that was just made, or leave one more that nobody knows."""
        metadata = world.client_metadata()
        watched = Watched()
        made = adapter.create_client(metadata)
        world.wire.plan(lambda _: True, watched)
        second = adapter.rotate_secret(made.handle, metadata)
        making = watched.maker_of(second.handle.client_secret)
        before = len(world.wire.matching(making))
        world.wire.plan(making, lost_answer)
        with pytest.raises(OutcomeUnknown):
            adapter.rotate_secret(second.handle, metadata)
        assert len(world.wire.matching(making)) == before + 1
        world.wire.heal()
        found = adapter.find_client(metadata.marker) if C.FIND_CLIENT in adapter.capabilities else second
        assert found is not None
        third = adapter.rotate_secret(found.handle, metadata)
        assert ask(adapter, third, world.scopes[0]).ok

    @needs(C.DELETE_CLIENT)
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
        for match, operation in operations_of(adapter, world, client):
            world.wire.plan(match, BUSY)
            with pytest.raises(KeyManagerUnavailable) as caught:
                operation()
            assert caught.value.retry_after == 7.0

    def test_a_page_instead_of_json_is_a_protocol_error(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in operations_of(adapter, world, client):
            world.wire.plan(match, PAGE)
            with pytest.raises(KeyManagerProtocolError):
                operation()

    @pytest.mark.parametrize("body", [{}, {"client_id": ""}, {"client_id": 7, "access_token": 7, "active": "true"}])
    def test_json_without_the_expected_member_is_a_protocol_error(
        self, adapter: KeyManagerAdapter, world: World, body: dict[str, Any]
    ) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in operations_of(adapter, world, client):
            world.wire.plan(match, answer(200, json=body))
            with pytest.raises(KeyManagerProtocolError):
                operation()

    def test_a_redirect_is_a_protocol_error_and_is_not_followed(self, adapter: KeyManagerAdapter, world: World) -> None:
        client = adapter.create_client(world.client_metadata())
        for match, operation in operations_of(adapter, world, client):
            world.wire.plan(match, answer(302, headers={"Location": "http://127.0.0.1:1/elsewhere"}))
            with pytest.raises(KeyManagerProtocolError):
                operation()
        assert not world.wire.matching(lambda request: request.url.port == 1)

    @needs(C.UPDATE_CLIENT)
    def test_a_server_error_leaves_a_write_unknown(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        world.wire.plan(registering, answer(500))
        with pytest.raises(OutcomeUnknown):
            adapter.create_client(metadata)
        world.wire.plan(updating, answer(502))
        with pytest.raises(OutcomeUnknown):
            adapter.update_client(made.handle, metadata)

    @needs(C.READ_CLIENT)
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
        if not looks_up_opaque_tokens(adapter, world):
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

    @needs(C.READ_CLIENT)
    def test_no_secret_shows_in_any_value_or_error(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        given = ask(adapter, made, world.scopes[0])
        secrets = [made.handle.client_secret, made.handle.registration_access_token, token_of(given)]
        shown = [repr(made), str(made), repr(given), repr(adapter.config), repr(adapter.read_client(made.handle))]
        shown.append(repr(adapter.introspect(secrets[2])))
        echo = {"error": "invalid_request", "error_description": f"client_secret={secrets[0]} token={secrets[2]}"}
        for match, operation in operations_of(adapter, world, made):
            for behaviour in (answer(400, json=echo), lost_answer, PAGE, answer(500, text=secrets[0])):
                world.wire.plan(match, behaviour)
                try:
                    shown.append(repr(operation()))
                except ArchwayError as exc:
                    shown += [str(exc), repr(exc), exc.message, repr(vars(exc))]
        for secret in filter(None, secrets):
            assert not [text for text in shown if secret in text]

    @needs(C.UPDATE_CLIENT, C.DELETE_CLIENT)
    def test_no_secret_is_in_any_url(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        token = token_of(ask(adapter, made, world.scopes[0]))
        adapter.introspect(token)
        adapter.delete_client(adapter.update_client(made.handle, metadata).handle)
        for secret in filter(None, (made.handle.client_secret, made.handle.registration_access_token, token)):
            assert not [request for request in world.wire.sent if secret in str(request.url)]
