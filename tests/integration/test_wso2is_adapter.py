"""What is particular about WSO2 Identity Server 5 and 6: each trap of its documentation page, on the fake."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientHandle,
    Inactive,
    ScopeSpec,
    StepState,
    TokenFacts,
)
from keymanager.adapters.wso2.naming import preset_client_id
from keymanager.adapters.wso2is import Wso2IsAdapter, Wso2IsConfig
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault
from tests.fakes.wso2is_server import PORTAL, Wso2IsServer
from tests.integration.test_vendor_descriptions import needs_descriptions
from tests.integration.wso2_kit import MARKER, READ, WRITE, close_opened, machine, opened, token

WEB = {"grant_types": ("authorization_code",), "redirect_uris": ("https://a.example/back", "https://b.example/back")}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def server(clock: ManualClock) -> Iterator[Wso2IsServer]:
    with Wso2IsServer(clock=clock.now) as running:
        yield running
        close_opened()
        assert running.undescribed == []


@pytest.fixture
def adapter(server: Wso2IsServer, clock: ManualClock) -> Wso2IsAdapter:
    return wso2is(server, clock)


def wso2is(server: Wso2IsServer, clock: ManualClock, **more: Any) -> Wso2IsAdapter:
    """An adapter for the fake, on the fake's clock."""
    values = {"issuer": server.token_issuer, "management_id": PORTAL[0], "management_secret": PORTAL[1], **more}
    return Wso2IsAdapter(parse_config(Wso2IsConfig, values), opened(clock), clock)


# ids, names, repeats


def test_ids_in_paths_are_base64url_encoded(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    made = adapter.create_client(machine())
    adapter.read_client(made.handle)
    encoded = urlsafe_b64encode(made.handle.client_id.encode()).decode().rstrip("=")
    assert server.requests_of("client_read")[-1].path.endswith(f"/register/{encoded}")


def test_plain_ids_where_encoded_ones_are_wanted_are_never_a_missing_client(
    server: Wso2IsServer, clock: ManualClock, adapter: Wso2IsAdapter
) -> None:
    made = adapter.create_client(machine())
    with pytest.raises(KeyManagerUnavailable):
        wso2is(server, clock, encoded_ids=False).delete_client(made.handle)
    assert adapter.read_client(made.handle) is not None


def test_a_creation_whose_answer_was_lost_can_simply_be_repeated(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    server.fault("client_create", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    made = adapter.create_client(machine())
    assert made.handle.client_id == preset_client_id(MARKER)
    assert token(adapter, made).ok
    assert len(server.state.apps) == 1


def test_a_client_id_that_somebody_else_has_is_refused_and_not_taken_over(
    server: Wso2IsServer, adapter: Wso2IsAdapter
) -> None:
    other = server.state.add_app("Payroll", preset_client_id(MARKER), grant_types=["client_credentials"])
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(machine())
    assert (caught.value.remote_status, caught.value.remote_code) == (400, "invalid_client_metadata")
    assert "already exist" in caught.value.remote_description
    assert other.name == "Payroll"


def test_a_client_belongs_to_the_named_owner(server: Wso2IsServer, clock: ManualClock) -> None:
    wso2is(server, clock, application_owner="curator").create_client(machine())
    wso2is(server, clock).create_client(machine(marker="another"))
    owners = [request.json["ext_application_owner"] for request in server.requests_of("client_create")]
    assert owners == ["curator", PORTAL[0]]


def test_several_redirect_uris_are_read_as_sent_and_all_can_be_taken_away(adapter: Wso2IsAdapter) -> None:
    made = adapter.create_client(machine(**WEB))
    assert made.observed["redirect_uris"] == list(WEB["redirect_uris"])
    updated = adapter.update_client(made.handle, machine())
    assert updated.observed["redirect_uris"] == []
    assert updated.ignored == ()


def test_a_public_client_bypasses_credentials(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    adapter.create_client(machine(**WEB, token_endpoint_auth_method="none"))
    assert server.requests_of("client_create")[0].json["bypassClientCredentials"] is True


# 401 means two things


def test_a_client_of_somebody_else_exists_but_cannot_be_read(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    other = server.state.add_app("Payroll", "payroll_0000000001", grant_types=["client_credentials"])
    other.owner = "alice"
    proved = adapter.verify_client(ClientHandle(client_id=other.client_id, client_secret=other.secret))
    assert (proved.exists, proved.secret_works) == (True, True)
    assert proved.notes
    assert adapter.verify_client(ClientHandle(client_id=other.client_id)).secret_works is None
    assert adapter.verify_client(ClientHandle(client_id="no_such_client_00")).exists is False


# secrets


def test_a_new_secret_is_never_asked_for_a_client_that_is_gone(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    """The server would answer 500, from which nothing can be learned."""
    made = adapter.create_client(machine())
    adapter.delete_client(made.handle)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.rotate_secret(made.handle, machine())
    assert caught.value.remote_code == "client_gone"
    assert server.requests_of("rotate") == []


def test_the_newest_secret_is_known_by_its_description(server: Wso2IsServer, clock: ManualClock) -> None:
    """The server lists them in no order and without values."""
    adapter = wso2is(server, clock, secret_rotation="overlap")
    client = adapter.create_client(machine())
    for _ in range(2):
        clock.time += 1
        client = adapter.rotate_secret(client.handle, machine())
    adapter.drop_old_secret(client.handle)
    adapter.drop_old_secret(client.handle)
    app = server.state.client(client.handle.client_id)
    assert app is not None
    assert [secret.value for secret in app.secrets] == [client.handle.client_secret]


def test_nothing_is_dropped_where_the_newest_secret_is_not_known(server: Wso2IsServer, clock: ManualClock) -> None:
    adapter = wso2is(server, clock, secret_rotation="overlap")
    made = adapter.create_client(machine())
    app = server.state.client(made.handle.client_id)
    assert app is not None
    adapter.drop_old_secret(made.handle)
    server.state.new_secret(app)
    with pytest.raises(KeyManagerProtocolError):
        adapter.drop_old_secret(made.handle)
    assert len(app.secrets) == 2


# scopes


def test_the_scopes_of_a_client_are_a_note_that_limits_nothing(adapter: Wso2IsAdapter) -> None:
    made = adapter.create_client(machine())
    assert made.observed["scope"] == READ
    assert made.ignored == ()
    assert token(adapter, made, WRITE).scopes == {WRITE}


def test_a_server_that_gives_unregistered_scopes_is_reported_as_it_is(
    server: Wso2IsServer, adapter: Wso2IsAdapter
) -> None:
    made = adapter.create_client(machine())
    assert token(adapter, made, "no:such").scopes == frozenset()
    server.drops_unregistered = False
    assert token(adapter, made, "no:such").scopes == {"no:such"}


def test_roles_that_others_have_bound_to_a_scope_stay(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend"))
    server.scopes.known["museum:lend"]["bindings"] = ["curators"]
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend paintings"))
    kept = server.scopes.known["museum:lend"]
    assert (kept["description"], kept["bindings"]) == ("Lend paintings", ["curators"])


def test_a_scope_that_somebody_made_in_between_is_no_error(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    server.fault("scope_read", Fault.refused(404))
    adapter.register_scope(ScopeSpec(key=READ))
    assert READ in adapter.list_scopes()


# tokens, check, configuration


def test_a_jwt_is_checked_with_the_servers_keys(server: Wso2IsServer, clock: ManualClock) -> None:
    adapter = wso2is(server, clock, token_validation="jwt")
    made = adapter.create_client(machine())
    facts = adapter.introspect(str(token(adapter, made).body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.client_id == made.handle.client_id
    assert facts.scopes == {READ}
    assert isinstance(adapter.introspect(server.make_token("c", [READ], seconds=-60)), Inactive)
    assert isinstance(adapter.introspect(server.make_token("c", [READ], iss="https://other.example")), Inactive)
    server.rotate_key(keep_old=False)
    clock.time += 60
    assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)


def test_the_end_of_a_secret_is_read_from_a_text(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    body = b'{"client_id": "c", "client_secret": "s", "client_secret_expires_at": "1755756933"}'
    server.fault("client_create", Fault.spoilt_json(body))
    assert adapter.create_client(machine()).client_secret_expires_at == 1755756933


def test_the_check_fails_where_management_is_refused(server: Wso2IsServer, clock: ManualClock) -> None:
    steps = {step.name: step.state for step in wso2is(server, clock, management_secret="wrong").check()}
    assert steps["right to manage clients"] is StepState.FAILED
    assert steps["discovery"] is StepState.PASSED


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"base_url": "https://is.example/"}, "config.base_url"),
        ({"issuer": "https://login.example"}, "config.base_url"),
        ({"issuer": ""}, "config.issuer"),
        ({"management_secret": ""}, "config.management_secret"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], field: str) -> None:
    good = {"issuer": "https://is.example/oauth2/token", "management_id": "a", "management_secret": "b"}
    with pytest.raises(InputError) as caught:
        parse_config(Wso2IsConfig, {**good, **values})
    assert field in caught.value.fields


@needs_descriptions
def test_every_management_call_of_the_adapter_is_described(server: Wso2IsServer, adapter: Wso2IsAdapter) -> None:
    made = adapter.create_client(machine())
    adapter.rotate_secret(made.handle, machine())
    adapter.delete_client(made.handle)
    assert len(server.exchanges.held) >= 5
