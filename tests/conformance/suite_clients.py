"""Clients: register, read, update, delete, verify, rotate, find (RFC 7591, RFC 7592)."""

from dataclasses import replace

import pytest

from common.errors import (
    ArchwayError,
    KeyManagerRejected,
    OutcomeUnknown,
)
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    KeyManagerAdapter,
)
from tests.conformance.base import ConformanceBase, needs, refusal_code
from tests.conformance.world import (
    World,
    answer,
    ask,
    lost_answer,
    registering,
    token_of,
    updating,
)

C = Capability


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

    @needs(C.READ_CLIENT)
    def test_a_client_is_read_back(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        found = adapter.read_client(made.handle)
        assert found is not None
        assert found.handle == made.handle
        assert found.observed["client_name"] == "Museum shop"

    @needs(C.UPDATE_CLIENT, C.READ_CLIENT)
    def test_an_update_replaces_the_metadata(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        updated = adapter.update_client(made.handle, replace(metadata, client_name="Renamed"))
        found = adapter.read_client(updated.handle)
        assert found is not None
        assert found.observed["client_name"] == "Renamed"

    @needs(C.UPDATE_CLIENT, C.READ_CLIENT)
    def test_each_update_leaves_a_client_that_can_be_managed_and_used(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        client = adapter.create_client(metadata)
        for number in range(3):
            client = adapter.update_client(client.handle, replace(metadata, client_name=f"Name {number}"))
            assert token_of(ask(adapter, client, world.scopes[0]))
        assert adapter.read_client(client.handle) is not None

    @needs(C.READ_CLIENT, C.DELETE_CLIENT)
    def test_a_deleted_client_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        adapter.delete_client(made.handle)
        assert adapter.read_client(made.handle) is None
        assert not ask(adapter, made, world.scopes[0]).ok

    @needs(C.DELETE_CLIENT)
    def test_deleting_twice_is_success(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        adapter.delete_client(made.handle)
        adapter.delete_client(made.handle)

    @needs(C.UPDATE_CLIENT, C.DELETE_CLIENT)
    def test_updating_a_deleted_client_says_that_it_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        adapter.delete_client(made.handle)
        with pytest.raises(KeyManagerRejected) as caught:
            adapter.update_client(made.handle, metadata)
        assert caught.value.remote_code == "client_gone"

    @needs(C.READ_CLIENT)
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

    @needs(C.DELETE_CLIENT)
    def test_a_removal_is_claimed_only_when_the_client_is_gone(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = adapter.create_client(world.client_metadata())
        lost = replace(made.handle, registration_access_token="lost-0123456789")
        code, _ = refusal_code(lambda: adapter.delete_client(lost))
        assert code in ("", "registration_access_token_lost")
        assert ask(adapter, made, world.scopes[0]).ok == bool(code)

    @needs(C.UPDATE_CLIENT)
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

    @needs(C.UPDATE_CLIENT, C.READ_CLIENT, C.DELETE_CLIENT)
    def test_a_registration_access_token_goes_to_its_own_url_only(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        updated = adapter.update_client(made.handle, metadata)
        adapter.read_client(updated.handle)
        adapter.delete_client(updated.handle)
        for handle in (made.handle, updated.handle):
            for request in world.wire.sent if handle.registration_access_token else ():
                if handle.registration_access_token in request.headers.get("authorization", ""):
                    assert str(request.url) == handle.registration_client_uri

    @needs(C.UPDATE_CLIENT)
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

    @needs(C.ROTATE_SECRET)
    def test_a_new_secret_works_and_the_old_one_does_not(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert rotated.handle.client_secret != made.handle.client_secret
        assert ask(adapter, rotated, world.scopes[0]).ok
        if C.OVERLAPPING_SECRETS in adapter.capabilities:
            assert ask(adapter, made, world.scopes[0]).ok
            adapter.drop_old_secret(rotated.handle)
            assert ask(adapter, rotated, world.scopes[0]).ok
        assert not ask(adapter, made, world.scopes[0]).ok

    @needs(C.OVERLAPPING_SECRETS)
    def test_an_update_keeps_both_of_two_secrets(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        rotated = adapter.rotate_secret(made.handle, metadata)
        updated = adapter.update_client(rotated.handle, replace(metadata, client_name="Renamed"))
        assert ask(adapter, made, world.scopes[0]).ok
        assert ask(adapter, updated, world.scopes[0]).ok
        adapter.drop_old_secret(updated.handle)
        assert not ask(adapter, made, world.scopes[0]).ok
        assert ask(adapter, updated, world.scopes[0]).ok

    @needs(C.OVERLAPPING_SECRETS)
    def test_the_secret_that_is_kept_is_the_one_of_the_handle(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert bool(rotated.handle.secret_id) == world.secrets_have_ids
        assert rotated.handle.secret_id != made.handle.secret_id or not world.secrets_have_ids
        adapter.drop_old_secret(replace(rotated.handle, client_secret=""))
        assert ask(adapter, rotated, world.scopes[0]).ok
        assert not ask(adapter, made, world.scopes[0]).ok

    @needs(C.OVERLAPPING_SECRETS)
    def test_a_second_rotation_leaves_the_last_two_secrets(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        first = adapter.create_client(metadata)
        second = adapter.rotate_secret(first.handle, metadata)
        third = adapter.rotate_secret(second.handle, metadata)
        assert ask(adapter, third, world.scopes[0]).ok
        assert ask(adapter, second, world.scopes[0]).ok
        adapter.drop_old_secret(third.handle)
        assert ask(adapter, third, world.scopes[0]).ok
        assert not ask(adapter, second, world.scopes[0]).ok
        assert not ask(adapter, first, world.scopes[0]).ok

    @needs(C.FIND_CLIENT)
    def test_a_client_is_found_by_our_marker(self, adapter: KeyManagerAdapter, world: World) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        found = adapter.find_client(metadata.marker)
        assert found is not None
        assert found.handle.client_id == made.handle.client_id
        assert adapter.find_client("no-such-marker") is None

    @needs(C.FIND_CLIENT, C.UPDATE_CLIENT, C.ROTATE_SECRET)
    def test_a_client_whose_creation_was_not_answered_is_found_and_adopted(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
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

    @needs(C.LIST_CLIENTS)
    def test_the_list_of_clients_has_every_client(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = [adapter.create_client(world.client_metadata()).handle.client_id for _ in range(3)]
        assert set(made) <= {client.handle.client_id for client in adapter.list_clients()}

    @needs(C.SUSPEND_CLIENT)
    def test_a_suspended_client_gets_no_token_until_it_is_resumed(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        made = adapter.create_client(world.client_metadata())
        adapter.suspend_client(made.handle)
        assert not ask(adapter, made, world.scopes[0]).ok
        adapter.resume_client(made.handle)
        assert ask(adapter, made, world.scopes[0]).ok
