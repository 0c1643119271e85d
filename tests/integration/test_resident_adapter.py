"""The portal's way to the embedded server: adapter, HTTP client with its limits, in-process transport."""

import pytest

from keymanager.adapters.contract import (
    ClientMetadata,
    Inactive,
    KeyManagerAdapter,
    Resource,
    ScopeSpec,
    StepState,
    TokenFacts,
    TokenRequest,
)
from keymanager.services.adapters import build_adapter, http_client

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["jwt", "opaque"])
def adapter(request: pytest.FixtureRequest) -> KeyManagerAdapter:
    return build_adapter("resident", {"access_token_format": request.param}, http_client("resident"))


def test_a_client_lives_its_whole_life_through_the_adapter(adapter: KeyManagerAdapter) -> None:
    adapter.register_scope(ScopeSpec(key="orders:read", description="Read orders"))
    adapter.register_resource(Resource(identifier="urn:archway:orders:v1", name="Orders"))
    metadata = ClientMetadata(client_name="App", marker="m-1", scopes=frozenset({"orders:read"}))
    created = adapter.create_client(metadata)
    assert created.ignored == ()

    found = adapter.find_client("m-1")
    assert found is not None
    assert found.handle.client_id == created.handle.client_id
    assert [client.handle.client_id for client in adapter.list_clients()] == [created.handle.client_id]

    def ask(secret: str) -> TokenRequest:
        parameters = (("grant_type", "client_credentials"), ("resource", "urn:archway:orders:v1"))
        return TokenRequest(client_id=created.handle.client_id, client_secret=secret, parameters=parameters)

    answer = adapter.issue_token(ask(created.handle.client_secret))
    assert answer.ok
    assert answer.scopes == {"orders:read"}
    facts = adapter.introspect(answer.body["access_token"])
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, facts.aud) == (created.handle.client_id, ("urn:archway:orders:v1",))

    rotated = adapter.rotate_secret(created.handle, metadata)
    assert adapter.issue_token(ask(created.handle.client_secret)).status == 401
    assert adapter.issue_token(ask(rotated.handle.client_secret)).ok

    adapter.revoke_all(rotated.handle)
    assert isinstance(adapter.introspect(answer.body["access_token"]), Inactive)
    updated = adapter.update_client(rotated.handle, ClientMetadata(client_name="App 2", marker="m-1"))
    assert updated.observed["client_name"] == "App 2"
    adapter.delete_client(updated.handle)
    adapter.delete_client(updated.handle)
    assert adapter.read_client(updated.handle) is None


def test_the_connection_check_passes_every_step(adapter: KeyManagerAdapter) -> None:
    steps = list(adapter.check())

    assert steps
    assert [step for step in steps if step.state is StepState.FAILED] == []
