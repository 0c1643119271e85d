"""What is particular about WSO2 Identity Server 7: each trap of its documentation page, on the fake."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.errors import InputError, KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientHandle,
    Inactive,
    Resource,
    ScopeSpec,
    StepState,
    TokenFacts,
)
from keymanager.adapters.wso2.naming import preset_client_id
from keymanager.adapters.wso2is7 import Wso2Is7Adapter, Wso2Is7Config
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault, Kind
from tests.fakes.wso2is7_server import PORTAL, SHARED, Wso2Is7Server
from tests.integration.test_vendor_descriptions import needs_descriptions
from tests.integration.wso2_kit import MARKER, READ, WRITE, close_opened, machine, opened, token


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def server(clock: ManualClock) -> Iterator[Wso2Is7Server]:
    with Wso2Is7Server(clock=clock.now) as running:
        yield running
        close_opened()
        assert running.undescribed == []


@pytest.fixture
def adapter(server: Wso2Is7Server, clock: ManualClock) -> Wso2Is7Adapter:
    return wso2is7(server, clock)


def wso2is7(server: Wso2Is7Server, clock: ManualClock, **more: Any) -> Wso2Is7Adapter:
    """An adapter for the fake, on the fake's clock."""
    values = {"issuer": server.token_issuer, "management_id": PORTAL[0], "management_secret": PORTAL[1], **more}
    return Wso2Is7Adapter(parse_config(Wso2Is7Config, values), opened(clock), clock)


def by_token(server: Wso2Is7Server, clock: ManualClock, **more: Any) -> Wso2Is7Adapter:
    """An adapter that manages with a client of its own."""
    own = {"management_id": server.manager.client_id, "management_secret": server.manager.secret}
    return wso2is7(server, clock, management_auth="oauth", **{**own, **more})


# names, ids, repeats


def test_the_id_of_a_marker_is_always_the_same_and_fits_the_servers_pattern() -> None:
    assert re.fullmatch("[a-zA-Z0-9_]{15,30}", preset_client_id(MARKER))
    assert preset_client_id(MARKER) == preset_client_id(MARKER) != preset_client_id(f"{MARKER}x")


def test_a_creation_whose_answer_was_lost_can_simply_be_repeated(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    server.fault("client_create", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    made = adapter.create_client(machine())
    assert made.handle.client_id == preset_client_id(MARKER)
    assert token(adapter, made).scopes == {READ}
    assert len(server.state.apps) == 2


def test_a_clients_id_that_somebody_else_has_is_refused_and_not_taken_over(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    other = server.state.add_app("Payroll", preset_client_id(MARKER), grant_types=["client_credentials"])
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(machine())
    assert (caught.value.remote_status, caught.value.remote_code) == (400, "invalid_client_metadata")
    assert other.name == "Payroll"
    assert adapter.find_client(MARKER) is None


def test_bad_metadata_have_the_same_status_as_a_repeat_and_stay_a_refusal(adapter: Wso2Is7Adapter) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(machine(grant_types=("authorization_code",)))
    assert "RedirectUris" in caught.value.remote_description


def test_several_redirect_uris_are_read_as_they_were_sent(adapter: Wso2Is7Adapter) -> None:
    uris = ("https://a.example/back", "https://b.example/back")
    metadata = machine(grant_types=("authorization_code",), redirect_uris=uris)
    made = adapter.create_client(metadata)
    assert made.observed["redirect_uris"] == list(uris)
    assert "redirect_uris" not in made.ignored


def test_redirect_uris_that_the_server_keeps_are_named(adapter: Wso2Is7Adapter) -> None:
    web = machine(grant_types=("authorization_code",), redirect_uris=("https://a.example/back",))
    made = adapter.create_client(web)
    assert adapter.update_client(made.handle, machine()).ignored == ("redirect_uris",)


def test_a_public_client_has_a_flag_instead_of_a_method(server: Wso2Is7Server, adapter: Wso2Is7Adapter) -> None:
    uris = ("https://a.example/back",)
    adapter.create_client(
        machine(grant_types=("authorization_code",), redirect_uris=uris, token_endpoint_auth_method="none")
    )
    sent = server.requests_of("client_create")[0].json
    assert sent["ext_public_client"] is True
    assert "token_endpoint_auth_method" not in sent


# 401 means two things


def test_a_client_of_somebody_else_exists_but_cannot_be_read_or_deleted(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    other = server.state.add_app("Payroll", "payroll_0000000001", grant_types=["client_credentials"])
    other.owner = "alice"
    proved = adapter.verify_client(ClientHandle(client_id=other.client_id, client_secret=other.secret))
    assert (proved.exists, proved.secret_works) == (True, True)
    assert proved.notes
    with pytest.raises(KeyManagerRejected):
        adapter.delete_client(ClientHandle(client_id=other.client_id))
    assert adapter.verify_client(ClientHandle(client_id="no_such_client_00")).exists is False


def test_a_management_token_that_died_early_is_fetched_again(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = by_token(server, clock)
    adapter.create_client(machine())
    clock.time += 60
    server.state.end_tokens(server.manager)
    with pytest.raises(KeyManagerUnavailable) as caught:
        list(adapter.list_clients())
    assert caught.value.retry_after == 0.0
    assert list(adapter.list_clients())


def test_a_missing_management_right_is_a_refusal(server: Wso2Is7Server, clock: ManualClock) -> None:
    for scopes in server.manager.authorised.values():
        scopes.discard("internal_dcr_create")
    with pytest.raises(KeyManagerRejected) as caught:
        by_token(server, clock).create_client(machine())
    assert caught.value.remote_status == 403


# secrets


def test_every_secret_but_the_newest_is_dropped(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = wso2is7(server, clock, secret_rotation="overlap")
    client = adapter.create_client(machine())
    for _ in range(2):
        client = adapter.rotate_secret(client.handle, machine())
    # A read does not say which of several secrets it shows.
    assert adapter.read_client(client.handle) is not None
    adapter.drop_old_secret(client.handle)
    adapter.drop_old_secret(client.handle)
    app = server.state.client(client.handle.client_id)
    assert app is not None
    assert [secret.value for secret in app.secrets] == [client.handle.client_secret]


def test_rotating_the_secret_of_a_client_that_is_gone_says_so(adapter: Wso2Is7Adapter) -> None:
    made = adapter.create_client(machine())
    adapter.delete_client(made.handle)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.rotate_secret(made.handle, machine())
    assert caught.value.remote_code == "client_gone"


def test_a_client_whose_application_is_not_listed_yet_is_not_called_gone(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    made = adapter.create_client(machine())
    bare = replace(made.handle, remote_id="")
    nothing = Fault(kind=Kind.ANSWER_INSTEAD, times=2, body=b'{"applications": []}', content_type="application/json")
    server.fault("application_list", nothing)
    with pytest.raises(KeyManagerUnavailable):
        adapter.rotate_secret(bare, machine())
    assert adapter.rotate_secret(bare, machine()).handle.remote_id == made.handle.remote_id


def test_suspending_a_client_that_is_gone_says_so(adapter: Wso2Is7Adapter) -> None:
    made = adapter.create_client(machine())
    adapter.delete_client(made.handle)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.suspend_client(made.handle)
    assert caught.value.remote_code == "client_gone"


# scopes and API resources


def test_scopes_are_given_and_taken_away(adapter: Wso2Is7Adapter) -> None:
    made = adapter.create_client(machine())
    more = adapter.update_client(made.handle, machine(scopes=frozenset({READ, WRITE})))
    assert token(adapter, more, f"{READ} {WRITE}").scopes == {READ, WRITE}
    less = adapter.update_client(made.handle, machine(scopes=frozenset({WRITE})))
    assert token(adapter, less, f"{READ} {WRITE}").scopes == {WRITE}
    none = adapter.update_client(made.handle, machine(scopes=frozenset()))
    assert none.observed["scope"] == ""


def test_an_answer_without_scope_means_none(adapter: Wso2Is7Adapter) -> None:
    given = token(adapter, adapter.create_client(machine()), WRITE)
    assert given.ok
    assert "scope" not in given.body
    assert given.scopes == frozenset()


def test_a_scope_that_is_not_there_yet_is_named_and_given_later(adapter: Wso2Is7Adapter) -> None:
    made = adapter.create_client(machine(scopes=frozenset({READ, "museum:lend"})))
    assert made.ignored == ("scope",)
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend"))
    updated = adapter.update_client(made.handle, machine(scopes=frozenset({READ, "museum:lend"})))
    assert updated.ignored == ()
    assert token(adapter, updated, "museum:lend").scopes == {"museum:lend"}


def test_what_somebody_else_authorised_a_client_for_is_left_alone(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    made = adapter.create_client(machine())
    other = server.state.add_resource("https://other.example/", "Other", [{"name": "other:read"}])
    app = server.state.client(made.handle.client_id)
    assert app is not None
    app.authorised[other.id] = {"other:read"}
    adapter.update_client(made.handle, machine(scopes=frozenset()))
    assert app.authorised == {other.id: {"other:read"}}


def test_a_client_lives_on_where_its_scopes_could_not_be_set(server: Wso2Is7Server, adapter: Wso2Is7Adapter) -> None:
    server.fault("authorised_create", Fault.empty(500))
    made = adapter.create_client(machine())
    assert made.ignored == ("scope",)
    assert made.handle.client_secret
    assert adapter.update_client(made.handle, machine()).ignored == ()


def test_a_new_application_that_is_not_found_at_once_gets_its_scopes_later(
    server: Wso2Is7Server, adapter: Wso2Is7Adapter
) -> None:
    server.fault("authorised_list", Fault.not_there_yet(times=2))
    made = adapter.create_client(machine())
    assert made.ignored == ("scope",)
    assert adapter.update_client(made.handle, machine()).ignored == ("scope",)
    assert adapter.update_client(made.handle, machine()).ignored == ()


def test_a_scope_that_another_api_has_is_refused(server: Wso2Is7Server, adapter: Wso2Is7Adapter) -> None:
    server.state.add_resource("https://other.example/", "Other", [{"name": "other:read"}])
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.register_scope(ScopeSpec(key="other:read"))
    assert caught.value.remote_status == 409


def test_the_shared_api_resource_is_made_with_the_first_scope(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = wso2is7(server, clock, resource_identifier="urn:archway:new")
    assert adapter.list_scopes() == frozenset()
    adapter.register_scope(ScopeSpec(key="new:read", description="Read"))
    assert adapter.list_scopes() == {"new:read"}


def test_a_scope_leaves_an_api_by_its_own_removal(server: Wso2Is7Server, clock: ManualClock) -> None:
    """The server does not heed ``removedScopes``."""
    adapter = wso2is7(server, clock, resources="per_api")
    api = Resource(identifier="urn:archway:api:1", name="One", scopes=frozenset({"a:read", "a:write"}))
    made = adapter.register_resource(api)
    adapter.update_resource(made.remote_id, replace(api, name="Uno", scopes=frozenset({"a:write", "a:new"})))
    found = adapter.read_resource(made.remote_id)
    assert found is not None
    assert found.scopes == {"a:write", "a:new"}
    assert server.state.resources[made.remote_id].name == "Uno"
    again = adapter.update_resource("no-such-id", api)
    assert again.remote_id == made.remote_id


def test_scopes_of_several_apis_are_given_to_one_client(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = wso2is7(server, clock, resources="per_api")
    for number in range(3):
        name = f"urn:archway:api:{number}"
        adapter.register_resource(Resource(identifier=name, name=name, scopes=frozenset({f"s{number}"})))
    server.state.page = 2
    made = adapter.create_client(machine(scopes=frozenset({"s0", "s2", READ})))
    assert made.ignored == ()
    assert token(adapter, made, "s0 s1 s2").scopes == {"s0", "s2"}


def test_a_lost_answer_to_an_api_is_repeated_without_a_second_one(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = wso2is7(server, clock, resources="per_api")
    api = Resource(identifier="urn:archway:api:1", name="One", scopes=frozenset({"a:read"}))
    server.fault("resource_create", Fault.lost_answer())
    with pytest.raises(KeyManagerUnavailable):
        adapter.register_resource(api)
    adapter.register_resource(api)
    assert [found.identifier for found in server.state.resources.values()].count(api.identifier) == 1


def test_clients_are_listed_over_all_pages_with_their_markers(server: Wso2Is7Server, adapter: Wso2Is7Adapter) -> None:
    for number in range(3):
        adapter.create_client(machine(marker=f"m{number}"))
    server.state.page = 2
    found = {client.observed["archway_marker"] for client in adapter.list_clients()}
    assert found == {"", "m0", "m1", "m2"}


# tokens, check, configuration


def test_a_jwt_is_checked_with_the_servers_keys(server: Wso2Is7Server, clock: ManualClock) -> None:
    adapter = wso2is7(server, clock, token_validation="jwt")
    made = adapter.create_client(machine())
    facts = adapter.introspect(str(token(adapter, made).body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.client_id == made.handle.client_id
    assert facts.scopes == {READ}
    assert isinstance(adapter.introspect(server.make_token("c", [READ], seconds=-60)), Inactive)
    assert isinstance(adapter.introspect(server.make_token("c", [READ], iss="https://other.example")), Inactive)
    unscoped = adapter.introspect(server.make_token("c", [], scope=None))
    assert isinstance(unscoped, TokenFacts)
    assert unscoped.scopes == frozenset()
    server.rotate_key(keep_old=False)
    clock.time += 60
    assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)


def test_the_claims_of_a_user_are_told(adapter: Wso2Is7Adapter) -> None:
    assert adapter.user_claims("user-token")["groups"] == ["curators"]


def test_the_check_names_the_right_that_is_missing(server: Wso2Is7Server, clock: ManualClock) -> None:
    for scopes in server.manager.authorised.values():
        scopes.discard("internal_api_resource_view")
    steps = {step.name: step.state for step in by_token(server, clock).check()}
    assert steps["right to manage clients"] is StepState.PASSED
    assert steps["right to manage API resources"] is StepState.FAILED


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"base_url": "https://is.example/"}, "config.base_url"),
        ({"issuer": "https://login.example"}, "config.base_url"),
        ({"issuer": ""}, "config.issuer"),
        ({"resource_identifier": ""}, "config.resource_identifier"),
        ({"resources": "per_api", "resource_prefix": ""}, "config.resource_prefix"),
        ({"management_secret": ""}, "config.management_secret"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], field: str) -> None:
    good = {"issuer": "https://is.example/oauth2/token", "management_id": "a", "management_secret": "b"}
    with pytest.raises(InputError) as caught:
        parse_config(Wso2Is7Config, {**good, **values})
    assert field in caught.value.fields


def test_a_server_with_an_issuer_of_another_name_is_managed_at_its_own_url(
    server: Wso2Is7Server, clock: ManualClock
) -> None:
    server.token_issuer = "https://login.example"
    adapter = wso2is7(server, clock, issuer="https://login.example", base_url=server.base_url, token_validation="jwt")
    made = adapter.create_client(machine())
    assert isinstance(adapter.introspect(str(token(adapter, made).body["access_token"])), TokenFacts)


@needs_descriptions
def test_every_management_call_of_the_adapter_is_described(server: Wso2Is7Server, adapter: Wso2Is7Adapter) -> None:
    made = adapter.create_client(machine())
    adapter.rotate_secret(made.handle, machine())
    adapter.delete_client(made.handle)
    assert len(server.exchanges.held) >= 5
    assert SHARED in {resource.identifier for resource in server.state.resources.values()}
