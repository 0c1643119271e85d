"""Metadata, scopes, resources, the connection check, and what is not declared."""

from dataclasses import replace

import pytest

from common.errors import (
    NotSupported,
)
from keymanager.adapters.contract import (
    Capability,
    KeyManagerAdapter,
    Resource,
    ScopeSpec,
    StepState,
)
from tests.conformance.base import ConformanceBase, needs
from tests.conformance.operations import call
from tests.conformance.world import (
    World,
    ask,
    ask_at,
    refused_connection,
)

C = Capability


class ServerConformance(ConformanceBase):
    """Metadata, resources, scopes, the connection check, and what is not declared."""

    def test_the_metadata_name_the_token_endpoint(self, adapter: KeyManagerAdapter) -> None:
        found = adapter.metadata()
        assert found.token_endpoint.startswith("http")
        assert found.issuer

    @needs(C.AUTHORIZATION_URL)
    def test_the_authorization_url_carries_the_query(self, adapter: KeyManagerAdapter) -> None:
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

    @needs(C.SCOPES)
    def test_a_registered_scope_is_listed_until_it_is_deleted(self, adapter: KeyManagerAdapter) -> None:
        scope = ScopeSpec(key="museum:restore", description="Restore paintings")
        adapter.register_scope(scope)
        adapter.register_scope(replace(scope, description=""))
        adapter.register_scope(replace(scope, description="Changed"))
        assert scope.key in adapter.list_scopes()
        adapter.delete_scope(scope.key)
        adapter.delete_scope(scope.key)
        assert scope.key not in adapter.list_scopes()

    @needs(C.SCOPES, C.UPDATE_CLIENT)
    def test_a_client_uses_a_scope_that_was_registered_after_the_server_started(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend paintings"))
        metadata = world.client_metadata(scopes=frozenset({"museum:lend"}))
        made = adapter.create_client(metadata)
        assert ask(adapter, made, "museum:lend").scopes == {"museum:lend"}
        updated = adapter.update_client(made.handle, replace(metadata, client_name="Renamed"))
        assert ask(adapter, updated, "museum:lend").scopes == {"museum:lend"}

    @needs(C.RESOURCES)
    def test_a_resource_lives_from_registration_to_deletion(self, adapter: KeyManagerAdapter) -> None:
        resource = Resource(identifier="urn:archway:api:museum/1.0", name="Museum", scopes=frozenset({"museum:read"}))
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

    @needs(C.RESOURCES, C.UPDATE_CLIENT)
    def test_a_client_gets_scopes_only_of_the_apis_that_it_may_call(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        loans, labs = "urn:archway:api:loans", "urn:archway:api:labs"
        if not world.limits_resources:
            made = adapter.create_client(world.client_metadata(resources=frozenset({loans})))
            assert ask(adapter, made, world.scopes[0]).ok
            return
        keys = {loans: "museum:loan", labs: "museum:lab"}
        for identifier, key in keys.items():
            adapter.register_resource(Resource(identifier=identifier, name=f"Museum {key}", scopes=frozenset({key})))
        metadata = world.client_metadata(scopes=frozenset(keys.values()), resources=frozenset({loans}))
        made = adapter.create_client(metadata)
        assert keys[loans] in ask_at(adapter, world, made, keys[loans], loans).scopes
        assert keys[labs] not in ask_at(adapter, world, made, keys[labs], labs).scopes
        changed = adapter.update_client(made.handle, replace(metadata, resources=frozenset({labs})))
        assert keys[labs] in ask_at(adapter, world, changed, keys[labs], labs).scopes
        assert keys[loans] not in ask_at(adapter, world, changed, keys[loans], loans).scopes

    def test_claims_name_the_client_and_the_scopes_in_either_form(self, adapter: KeyManagerAdapter) -> None:
        assert adapter.client_id_of({"client_id": "c"}) == "c"
        assert adapter.client_id_of({"client_id": 7, "sub": "s"}) == ""
        assert adapter.scopes_of({"scope": "a b"}) == {"a", "b"}
        assert adapter.scopes_of({"scope": ["a", "b"]}) == {"a", "b"}
        assert adapter.scopes_of({}) == frozenset()
