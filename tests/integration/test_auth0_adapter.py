"""What is particular about Auth0: each trap of its documentation page, on the fake."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.address_guard import AddressGuard
from common.errors import InputError, KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from common.http import HttpClient
from keymanager.adapters.auth0 import Auth0Adapter, Auth0Config
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientMetadata,
    Inactive,
    RegisteredClient,
    Resource,
    ScopeSpec,
    StepState,
    TokenAnswer,
    TokenFacts,
    TokenRequest,
)
from tests.conformance.world import ManualClock
from tests.fakes.auth0_server import AUDIENCE, Auth0Server
from tests.fakes.auth0_server.errors import too_many
from tests.fakes.faults import Fault, Kind

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
OPENED: list[HttpClient] = []
READ = "museum:read"
PER_API = {"resources": "per_api", "audience": ""}
MUSEUM = Resource(identifier="urn:archway:api:1", name="Museum <1>", scopes=frozenset({"a:read", "a:write"}))
SHOP = Resource(identifier="urn:archway:api:2", name="Shop", scopes=frozenset({"b:read"}))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def server(clock: ManualClock) -> Iterator[Auth0Server]:
    with Auth0Server(clock=clock.now) as running:
        yield running
        while OPENED:
            OPENED.pop().close()
        assert running.undescribed == []


@pytest.fixture
def adapter(server: Auth0Server, clock: ManualClock) -> Auth0Adapter:
    return auth0(server, clock)


def auth0(server: Auth0Server, clock: ManualClock, **more: Any) -> Auth0Adapter:
    """An adapter for the fake, on the fake's clock."""
    values = {
        "issuer": server.issuer,
        "management_client_id": server.manager.client_id,
        "management_client_secret": server.manager.secret,
        "audience": AUDIENCE,
        **more,
    }
    http = HttpClient(guard=LOOPBACK, now=clock.now)
    OPENED.append(http)
    return Auth0Adapter(parse_config(Auth0Config, values), http, clock)


def machine(**changes: Any) -> ClientMetadata:
    """A machine client that may read."""
    values = {"client_name": "Shop", "marker": "0c0ffee0-0000-4000-8000-000000000001", "scopes": frozenset({READ})}
    return ClientMetadata(**{**values, **changes})


def token(adapter: Auth0Adapter, client: RegisteredClient, *pairs: tuple[str, str]) -> TokenAnswer:
    """A client_credentials request."""
    return adapter.issue_token(
        TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("grant_type", "client_credentials"), *pairs),
        )
    )


def facts_of(adapter: Auth0Adapter, given: TokenAnswer) -> TokenFacts:
    """What the token of a good answer says."""
    assert given.ok, dict(given.body)
    facts = adapter.introspect(str(given.body["access_token"]))
    assert isinstance(facts, TokenFacts)
    return facts


def without_key_rights(server: Auth0Server) -> None:
    """Our management client may neither see nor rotate secrets."""
    grant = server.state.grant(server.manager.client_id, server.api_audience)
    assert grant is not None
    grant["scope"] = [key for key in grant["scope"] if "client_keys" not in key]


# clients


def test_a_machine_client_is_confidential_although_public_is_auth0s_default(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    made = adapter.create_client(machine())
    members = server.state.clients[made.handle.client_id].members
    assert members["token_endpoint_auth_method"] == "client_secret_basic"
    assert members["app_type"] == "non_interactive"
    assert made.ignored == ()


def test_a_creation_never_sends_a_secret_and_an_update_leaves_it_alone(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    made = adapter.create_client(machine())
    updated = adapter.update_client(made.handle, machine(client_name="Renamed"))
    assert updated.handle == made.handle
    for operation in ("client_create", "client_change"):
        assert "client_secret" not in server.requests_of(operation)[0].json


def test_a_client_of_a_lost_creation_is_found_by_its_marker_with_its_secret(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    for number in range(230):
        server.state.add_client(name=f"Other {number}", grant_types=[], client_metadata={"archway_marker": str(number)})
    server.fault("client_create", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    found = adapter.find_client(machine().marker)
    assert found is not None
    assert len(server.requests_of("client_list")) == 3
    assert found.handle.client_secret
    adapter.update_client(found.handle, machine())
    assert token(adapter, found, ("scope", READ)).ok


def test_without_the_right_to_see_secrets_it_is_found_without_one(
    server: Auth0Server, adapter: Auth0Adapter, clock: ManualClock
) -> None:
    adapter.create_client(machine())
    without_key_rights(server)
    limited = auth0(server, clock)
    found = limited.find_client(machine().marker)
    assert found is not None
    assert found.handle.client_secret == ""
    with pytest.raises(KeyManagerRejected) as caught:
        limited.rotate_secret(found.handle, machine())
    assert caught.value.remote_code == "insufficient_scope"
    assert "update:client_keys" in caught.value.remote_description


def test_an_eleventh_member_of_the_metadata_is_refused_in_auth0s_words(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    made = adapter.create_client(machine())
    members = server.state.clients[made.handle.client_id].members
    members["client_metadata"] = {f"theirs{number}": "x" for number in range(10)}
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.update_client(made.handle, machine())
    assert caught.value.remote_code == "invalid_body"
    assert "maximum 10" in caught.value.remote_description


def test_an_update_keeps_what_the_administrator_set_at_auth0(server: Auth0Server, adapter: Auth0Adapter) -> None:
    made = adapter.create_client(machine())
    members = server.state.clients[made.handle.client_id].members
    members["description"] = "Theirs"
    members["client_metadata"]["cost_centre"] = "12"
    updated = adapter.update_client(made.handle, machine())
    assert updated.observed["description"] == "Theirs"
    assert members["client_metadata"]["cost_centre"] == "12"


def test_an_unknown_extra_is_named_as_ignored_and_never_sent(adapter: Auth0Adapter) -> None:
    assert adapter.create_client(machine(extra={"colour": "red", "description": "A shop"})).ignored == ("colour",)


def test_a_web_client_gets_no_client_grant(server: Auth0Server, adapter: Auth0Adapter) -> None:
    web = machine(grant_types=("authorization_code",), redirect_uris=("https://shop.example.org/back",))
    made = adapter.create_client(web)
    assert made.observed["redirect_uris"] == ["https://shop.example.org/back"]
    assert server.state.grant(made.handle.client_id, AUDIENCE) is None


def test_a_new_secret_may_take_half_a_minute_to_work(
    server: Auth0Server, adapter: Auth0Adapter, clock: ManualClock
) -> None:
    made = adapter.create_client(machine())
    server.state.secret_lag = 30.0
    rotated = adapter.rotate_secret(made.handle, machine())
    assert token(adapter, rotated, ("scope", READ)).status == 401
    clock.time += 31
    assert token(adapter, rotated, ("scope", READ)).ok


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_rotation_whose_answer_was_lost_is_unknown(server: Auth0Server, adapter: Auth0Adapter, fault: Fault) -> None:
    made = adapter.create_client(machine())
    server.fault("rotate", fault)
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, machine())
    assert token(adapter, adapter.rotate_secret(made.handle, machine()), ("scope", READ)).ok


def test_a_client_made_elsewhere_is_told_apart_from_one_that_never_was(adapter: Auth0Adapter) -> None:
    made = adapter.create_client(machine())
    wrong = adapter.verify_client(replace(made.handle, client_secret="wrong"))
    nobody = adapter.verify_client(replace(made.handle, client_id="nobody"))
    assert (wrong.exists, wrong.secret_works) == (True, False)
    assert (nobody.exists, nobody.secret_works) == (False, False)


# grants


def test_an_update_of_the_scopes_takes_effect_both_ways(server: Auth0Server, adapter: Auth0Adapter) -> None:
    made = adapter.create_client(machine())
    adapter.update_client(made.handle, machine(scopes=frozenset({"museum:write"})))
    assert token(adapter, made, ("scope", "museum:write")).ok
    refused = token(adapter, made, ("scope", READ))
    assert (refused.status, refused.body["error"]) == (403, "access_denied")
    adapter.update_client(made.handle, machine(scopes=frozenset()))
    assert server.state.grant(made.handle.client_id, AUDIENCE) is None


def test_a_grant_that_somebody_else_made_first_is_taken_over(server: Auth0Server, adapter: Auth0Adapter) -> None:
    made = adapter.create_client(machine(scopes=frozenset()))
    server.state.add_grant(made.handle.client_id, AUDIENCE, ["museum:write"])
    stale = json.dumps({"client_grants": []}).encode()
    server.fault("grant_list", Fault(kind=Kind.ANSWER_INSTEAD, body=stale, content_type="application/json"))
    updated = adapter.update_client(made.handle, machine())
    assert updated.ignored == ()
    assert len(server.requests_of("grant_create")) == 1
    grant = server.state.grant(made.handle.client_id, AUDIENCE)
    assert grant is not None
    assert grant["scope"] == [READ]


def test_a_grant_that_failed_does_not_lose_the_client_and_the_next_update_mends_it(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    server.fault("grant_create", Fault.refused(500))
    made = adapter.create_client(machine())
    assert made.handle.client_secret
    assert made.ignored == ("scope",)
    assert adapter.update_client(made.handle, machine()).ignored == ()
    assert token(adapter, made, ("scope", READ)).ok


def test_a_scope_that_auth0_does_not_know_yet_is_named_as_ignored(adapter: Auth0Adapter) -> None:
    wanted = machine(scopes=frozenset({READ, "museum:lend"}))
    made = adapter.create_client(wanted)
    assert made.ignored == ("scope",)
    assert made.observed["scope"] == READ
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend"))
    assert adapter.update_client(made.handle, wanted).ignored == ()


# scopes of the shared API


def test_registering_a_scope_keeps_the_others_and_their_descriptions(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend paintings"))
    adapter.register_scope(ScopeSpec(key="museum:restore"))
    shared = server.state.server(AUDIENCE)
    assert shared is not None
    assert {"value": "museum:lend", "description": "Lend paintings"} in shared["scopes"]
    assert adapter.list_scopes() == {READ, "museum:write", "museum:lend", "museum:restore"}


def test_a_change_of_the_scopes_that_another_one_undid_is_noticed(server: Auth0Server, adapter: Auth0Adapter) -> None:
    unchanged = json.dumps(server.state.server(AUDIENCE)).encode()
    server.fault("server_change", Fault(kind=Kind.ANSWER_INSTEAD, body=unchanged, content_type="application/json"))
    with pytest.raises(KeyManagerUnavailable):
        adapter.register_scope(ScopeSpec(key="museum:lend"))
    adapter.register_scope(ScopeSpec(key="museum:lend"))
    assert "museum:lend" in adapter.list_scopes()


def test_the_shared_api_is_made_with_the_first_scope_and_signs_with_a_key_pair(
    server: Auth0Server, clock: ManualClock
) -> None:
    adapter = auth0(server, clock, audience="urn:ours", token_lifetime=600)
    assert adapter.list_scopes() == frozenset()
    adapter.register_scope(ScopeSpec(key="c:read"))
    made = server.state.server("urn:ours")
    assert made is not None
    assert (made["signing_alg"], made["token_lifetime"]) == ("RS256", 600)


def test_the_connection_check_fails_where_an_api_signs_with_a_shared_secret(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    shared = server.state.server(AUDIENCE)
    assert shared is not None
    shared["signing_alg"] = "HS256"
    steps = {step.name: step for step in adapter.check()}
    assert steps["signing of our APIs"].state is StepState.FAILED
    assert "RS256" in steps["signing of our APIs"].reason
    adapter.register_scope(ScopeSpec(key="museum:lend"))
    assert shared["signing_alg"] == "RS256"


def test_the_connection_check_leaves_no_client_behind(server: Auth0Server, adapter: Auth0Adapter) -> None:
    steps = {step.name: step.state for step in adapter.check()}
    assert steps["make a client"] is steps["remove the client"] is StepState.PASSED
    assert list(server.state.clients) == [server.manager.client_id]


# one API for each version


def test_a_token_is_for_the_api_that_has_the_asked_scopes(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    for resource in (MUSEUM, SHOP):
        adapter.register_resource(resource)
    made = adapter.create_client(machine(scopes=frozenset({"a:read", "b:read"})))
    assert made.ignored == ()
    for scope, identifier in (("a:read", MUSEUM.identifier), ("b:read", SHOP.identifier)):
        facts = facts_of(adapter, token(adapter, made, ("scope", scope)))
        assert (facts.aud, set(facts.scopes)) == ((identifier,), {scope})


def test_scopes_of_two_apis_cannot_be_in_one_token(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    for resource in (MUSEUM, SHOP):
        adapter.register_resource(resource)
    made = adapter.create_client(machine(scopes=frozenset({"a:read", "b:read"})))
    assert token(adapter, made, ("scope", "a:read b:read")).body["error"] == "invalid_scope"
    assert token(adapter, made).body["error"] == "invalid_request"


def test_a_scope_of_two_apis_needs_the_audience_named(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    adapter.register_resource(MUSEUM)
    adapter.register_resource(replace(SHOP, scopes=frozenset({"a:read"})))
    made = adapter.create_client(machine(scopes=frozenset({"a:read"})))
    assert token(adapter, made, ("scope", "a:read")).body["error"] == "invalid_target"
    named = token(adapter, made, ("scope", "a:read"), ("resource", SHOP.identifier))
    assert facts_of(adapter, named).aud == (SHOP.identifier,)


def test_an_api_registered_after_the_adapter_looked_is_found_within_seconds(
    server: Auth0Server, clock: ManualClock
) -> None:
    adapter, other = auth0(server, clock, **PER_API), auth0(server, clock, **PER_API)
    made = adapter.create_client(machine(scopes=frozenset()))
    other.register_resource(SHOP)
    other.update_client(made.handle, machine(scopes=frozenset({"b:read"})))
    clock.time += 11
    assert token(adapter, made, ("scope", "b:read")).ok


def test_forged_scopes_do_not_make_us_list_all_apis_each_time(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    made = adapter.create_client(machine(scopes=frozenset()))
    for number in range(5):
        token(adapter, made, ("scope", f"forged{number}"))
    assert len(server.requests_of("server_list")) == 1


def test_other_peoples_apis_are_never_touched(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    made = adapter.create_client(machine())
    assert made.ignored == ("scope",)
    assert server.state.grant(made.handle.client_id, AUDIENCE) is None


def test_updating_an_api_keeps_the_descriptions_of_scopes_that_stay(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, **PER_API)
    remote = adapter.register_resource(MUSEUM)
    entry = server.state.server(remote.remote_id)
    assert entry is not None
    assert entry["name"] == "Museum ‹1›"
    entry["scopes"] = [{"value": "a:read", "description": "Theirs"}]
    adapter.update_resource(remote.remote_id, MUSEUM)
    assert {"value": "a:read", "description": "Theirs"} in entry["scopes"]


def test_an_api_behind_many_pages_is_found(server: Auth0Server, clock: ManualClock) -> None:
    for number in range(205):
        server.state.add_server(f"urn:archway:api:other{number}", scopes=[], signing_alg="RS256")
    adapter = auth0(server, clock, **PER_API)
    adapter.register_resource(SHOP)
    made = adapter.create_client(machine(scopes=frozenset({"b:read"})))
    assert token(adapter, made, ("scope", "b:read")).ok


def test_each_way_declares_only_its_own(server: Auth0Server, clock: ManualClock) -> None:
    shared, own = auth0(server, clock).capabilities, auth0(server, clock, **PER_API).capabilities
    assert (Capability.SCOPES in shared, Capability.RESOURCES in shared) == (True, False)
    assert (Capability.SCOPES in own, Capability.RESOURCES in own) == (False, True)
    with pytest.raises(InputError) as caught:
        auth0(server, clock, audience="")
    assert "config.audience" in caught.value.fields


# our own token, limits


def test_our_management_token_is_fetched_once_and_again_when_it_nears_its_end(
    server: Auth0Server, adapter: Auth0Adapter, clock: ManualClock
) -> None:
    adapter.read_client(adapter.create_client(machine()).handle)
    assert len(server.requests_of("token")) == 1
    clock.time += 86_400
    assert adapter.find_client("nobody") is None
    assert len(server.requests_of("token")) == 2


def test_a_management_token_that_died_early_is_fetched_again_on_the_next_try(
    server: Auth0Server, adapter: Auth0Adapter, clock: ManualClock
) -> None:
    made = adapter.create_client(machine())
    server.end_management_tokens()
    clock.time += 60
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.read_client(made.handle)
    assert caught.value.retry_after == 0.0
    assert adapter.read_client(made.handle) is not None


def test_a_wrong_management_secret_is_a_refusal(server: Auth0Server, clock: ManualClock) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        auth0(server, clock, management_client_secret="wrong").create_client(machine())
    assert (caught.value.remote_code, caught.value.remote_status) == ("access_denied", 401)


def test_too_many_calls_is_unavailable_until_the_second_that_auth0_names(
    server: Auth0Server, adapter: Auth0Adapter, clock: ManualClock
) -> None:
    server.fault("client_create", too_many(reset_at=int(clock.time) + 42))
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.create_client(machine())
    assert caught.value.retry_after is not None
    assert 41.0 <= caught.value.retry_after <= 42.0


# tokens


def test_an_expired_a_foreign_and_an_opaque_token_are_inactive(server: Auth0Server, adapter: Auth0Adapter) -> None:
    assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)
    assert isinstance(adapter.introspect(server.make_token("c", [READ], seconds=-60)), Inactive)
    assert isinstance(adapter.introspect(server.make_token("c", [READ], iss=server.origin)), Inactive)
    assert isinstance(adapter.introspect("opaque"), Inactive)


def test_a_token_of_a_new_key_is_good_and_one_of_a_withdrawn_key_is_not(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    old = server.make_token("c", [READ])
    server.rotate_key(keep_old=False)
    assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)
    assert isinstance(adapter.introspect(old), Inactive)


def test_the_client_of_a_token_is_azp_and_not_the_subject(server: Auth0Server, adapter: Auth0Adapter) -> None:
    facts = adapter.introspect(server.make_token("abc", [READ]))
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, facts.sub) == ("abc", "abc@clients")


def test_a_machine_token_is_always_asked_with_an_audience(server: Auth0Server, adapter: Auth0Adapter) -> None:
    made = adapter.create_client(machine())
    facts = facts_of(adapter, token(adapter, made))
    assert (facts.aud, set(facts.scopes)) == ((AUDIENCE,), {READ})
    assert token(adapter, made, ("audience", "a"), ("resource", "b")).body["error"] == "invalid_target"


def test_an_access_token_is_never_said_to_be_revoked_and_a_refresh_token_is_passed_on(
    server: Auth0Server, adapter: Auth0Adapter
) -> None:
    made = adapter.create_client(machine())
    access = str(token(adapter, made, ("scope", READ)).body["access_token"])
    request = TokenRequest(
        client_id=made.handle.client_id, client_secret=made.handle.client_secret, parameters=(("token", access),)
    )
    refused = adapter.revoke_token(request)
    assert (refused.status, refused.body["error"]) == (400, "unsupported_token_type")
    assert server.requests_of("revoke") == []
    assert adapter.revoke_token(replace(request, parameters=(("token", "v1.refresh"),))).status == 200


def test_the_user_behind_a_token_is_told(adapter: Auth0Adapter) -> None:
    assert adapter.user_claims("user-token")["sub"] == "auth0|1"


def test_an_issuer_without_the_slash_would_match_no_token_and_is_refused(
    server: Auth0Server, clock: ManualClock
) -> None:
    with pytest.raises(InputError) as caught:
        auth0(server, clock, issuer=server.origin)
    assert "config.issuer" in caught.value.fields


def test_a_custom_domain_has_its_management_at_the_tenant_itself(server: Auth0Server, clock: ManualClock) -> None:
    adapter = auth0(server, clock, issuer="https://login.example.org/", management_url=server.api_audience)
    assert adapter.create_client(machine()).handle.client_secret
