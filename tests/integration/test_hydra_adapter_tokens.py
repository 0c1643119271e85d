"""Tokens, the administration port and the connection check at Hydra, trap by trap, on the fake."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.errors import InputError, KeyManagerRejected, KeyManagerUnavailable
from common.exchanges import recorded_exchanges
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientHandle,
    Inactive,
    RegisteredClient,
    StepState,
    TokenAnswer,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.hydra import HydraConfig
from tests.fakes.faults import Fault
from tests.fakes.hydra_server import HydraHabits
from tests.integration.hydra_kit import METADATA, OVERLAP, Bench, jwt_bench


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.stop()


@pytest.fixture
def bench(benches: list[Bench]) -> Bench:
    benches.append(Bench())
    return benches[-1]


# --- tokens -----------------------------------------------------------------------------------------------------------
def test_a_token_without_a_scope_grants_nothing(bench: Bench) -> None:
    given = bench.ask(bench.adapter.create_client(METADATA))
    assert given.ok
    assert (given.body["scope"], given.scopes) == ("", frozenset())


def test_a_resource_indicator_is_sent_as_audience(benches: list[Bench]) -> None:
    bench = Bench(audiences=("https://apis.example.org/museum", "https://apis.example.org/shop"))
    benches.append(bench)
    made = bench.adapter.create_client(METADATA)
    wanted = ("https://apis.example.org/museum", "https://apis.example.org/shop/till")
    given = bench.ask(made, *(("resource", one) for one in wanted))
    facts = bench.adapter.introspect(str(given.body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.aud == wanted
    refused = bench.ask(made, ("resource", "https://elsewhere.example/"))
    assert (refused.status, refused.body["error"]) == (400, "invalid_request")


def test_a_sign_in_asks_for_audiences_too(bench: Bench) -> None:
    url = bench.adapter.authorization_url("state=a%20b&resource=https%3A%2F%2Fapis.example.org%2F")
    assert url.endswith("/oauth2/auth?state=a+b&audience=https%3A%2F%2Fapis.example.org%2F")
    with pytest.raises(InputError) as caught:
        bench.adapter.authorization_url("state=a&resource=urn%3Aapi%3Aone")
    assert list(caught.value.fields) == ["resource"]


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_a_urn_is_refused_as_audience_because_hydra_takes_it_for_any_other(benches: list[Bench], name: str) -> None:
    bench = Bench()
    benches.append(bench)
    bench.server.add_client("urn", "secret-0", audience=["urn:api:one"])
    client = RegisteredClient(handle=ClientHandle(client_id="urn", client_secret="secret-0"))
    refused = bench.ask(client, (name, "urn:api:two"))
    assert (refused.status, refused.body["error"]) == (400, "invalid_target")
    assert bench.server.requests_of("token") == []


def test_a_urn_is_refused_as_audience_of_a_client(bench: Bench) -> None:
    with pytest.raises(InputError) as configured:
        parse_config(HydraConfig, {"issuer": "https://h", "admin_url": "https://h", "audiences": ["urn:api:one"]})
    assert list(configured.value.fields) == ["config.audiences"]
    with pytest.raises(InputError):
        bench.adapter.create_client(replace(METADATA, extra={"audience": ["urn:api:one"]}))
    made = bench.adapter.create_client(replace(METADATA, extra={"audience": ["https://apis.example.org/"]}))
    assert bench.server.clients[made.handle.client_id].document["audience"] == ["https://apis.example.org/"]


def test_a_refresh_token_is_active_and_never_taken_for_an_access_token(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    access, refresh = bench.server.sign_in(made.handle.client_id, scope="read")
    uses = {}
    for name, token in (("access", access), ("refresh", refresh)):
        facts = bench.adapter.introspect(token)
        assert isinstance(facts, TokenFacts)
        uses[name] = facts.token_use
    assert uses == {"access": "access", "refresh": "refresh"}


def test_a_token_without_a_scope_and_an_expired_one_are_told_apart(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    empty = bench.adapter.introspect(bench.server.make_token(made.handle.client_id))
    assert isinstance(empty, TokenFacts)
    assert empty.scopes == frozenset()
    old = bench.server.make_token(made.handle.client_id, scope="read", seconds=-1)
    assert isinstance(bench.adapter.introspect(old), Inactive)


@pytest.mark.parametrize("scope_claim", ["list", "string", "both"])
def test_scopes_of_a_jwt_are_read_wherever_hydra_puts_them(benches: list[Bench], scope_claim: Any) -> None:
    bench = jwt_bench(benches, HydraHabits(access_token_strategy="jwt", scope_claim=scope_claim))
    made = bench.adapter.create_client(METADATA)
    facts = bench.adapter.introspect(bench.server.make_token(made.handle.client_id, scope="read"))
    assert isinstance(facts, TokenFacts)
    assert facts.scopes == {"read"}
    assert bench.server.requests_of("introspect") == []


def test_a_jwt_of_another_issuer_an_id_token_and_an_expired_one_are_refused(benches: list[Bench]) -> None:
    bench = jwt_bench(benches, HydraHabits(access_token_strategy="jwt"))
    client_id = bench.adapter.create_client(METADATA).handle.client_id
    good = {"iss": bench.server.issuer, "sub": "alice", "aud": [client_id], "exp": int(bench.clock.time) + 60}
    refused = [
        bench.server.make_token(client_id, scope="read", iss="https://elsewhere.example"),
        bench.server.make_token(client_id, scope="read", seconds=-60),
        bench.server.state.sign(good),
        bench.server.state.sign({**good, "at_hash": "x", "client_id": client_id}),
    ]
    assert all(isinstance(bench.adapter.introspect(token), Inactive) for token in refused)


def test_a_new_signing_key_is_fetched(benches: list[Bench]) -> None:
    bench = jwt_bench(benches, HydraHabits(access_token_strategy="jwt"))
    client_id = bench.adapter.create_client(METADATA).handle.client_id
    assert isinstance(bench.adapter.introspect(bench.server.make_token(client_id)), TokenFacts)
    bench.server.state.rotate_key()
    bench.clock.time += 61
    assert isinstance(bench.adapter.introspect(bench.server.make_token(client_id)), TokenFacts)


def test_revoking_the_token_of_another_client_is_not_called_done(bench: Bench) -> None:
    mine = bench.adapter.create_client(METADATA)
    other = bench.adapter.create_client(replace(METADATA, marker="m-2"))
    token = str(bench.ask(other, ("scope", "read")).body["access_token"])

    def revoke(client: RegisteredClient) -> TokenAnswer:
        handle = client.handle
        return bench.adapter.revoke_token(
            TokenRequest(client_id=handle.client_id, client_secret=handle.client_secret, parameters=(("token", token),))
        )

    refused = revoke(mine)
    assert (refused.status, refused.body.get("error")) == (400, "invalid_request")
    assert isinstance(bench.adapter.introspect(token), TokenFacts)
    assert revoke(other).status == 200
    assert isinstance(bench.adapter.introspect(token), Inactive)


def test_revoking_all_says_when_refresh_tokens_are_left(bench: Bench) -> None:
    machine = bench.adapter.create_client(METADATA)
    bench.adapter.revoke_all(machine.handle)
    web = replace(METADATA, marker="m-2", grant_types=("authorization_code", "refresh_token"))
    made = bench.adapter.create_client(replace(web, redirect_uris=("https://shop.example/back",)))
    access, refresh = bench.server.sign_in(made.handle.client_id, scope="read offline")
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.revoke_all(made.handle)
    assert caught.value.remote_code == "refresh_tokens_remain"
    assert isinstance(bench.adapter.introspect(access), Inactive)
    assert isinstance(bench.adapter.introspect(refresh), TokenFacts)
    bench.adapter.delete_client(made.handle)
    assert isinstance(bench.adapter.introspect(refresh), Inactive)


def test_a_removal_ends_the_tokens_before_the_client(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    bench.adapter.delete_client(made.handle)
    assert [request.operation for request in bench.server.requests[-2:]] == ["delete_tokens", "delete"]


def test_a_persons_claims_are_told(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    access, _ = bench.server.sign_in(made.handle.client_id, scope="openid")
    assert bench.adapter.user_claims(access)["sub"] == "alice"


# --- the administration port ------------------------------------------------------------------------------------------
def test_a_proxy_that_refuses_us_is_said_and_its_header_goes_to_that_port_only(benches: list[Bench]) -> None:
    guard = ("X-Archway", "key-0123456789")
    good = Bench(HydraHabits(proxy_header=guard), admin_header=guard[0], admin_header_value=guard[1])
    bare = Bench(HydraHabits(proxy_header=guard))
    benches += [good, bare]
    with recorded_exchanges() as exchanges:
        made = good.adapter.create_client(METADATA)
        good.ask(made, ("scope", "read"))
    assert guard[1] not in repr(exchanges)
    assert guard[1] not in repr(good.adapter.config)
    assert all("x-archway" not in request.headers for request in good.server.requests_of("token"))
    with pytest.raises(KeyManagerRejected) as caught:
        bare.adapter.create_client(METADATA)
    assert caught.value.remote_status == 403


def test_too_many_calls_are_waited_for_as_the_proxy_says(bench: Bench) -> None:
    bench.server.fault("create", Fault.too_many(retry_after=9))
    with pytest.raises(KeyManagerUnavailable) as caught:
        bench.adapter.create_client(METADATA)
    assert caught.value.retry_after == 9.0


@pytest.mark.parametrize("errors", ["oauth", "herodot"])
def test_both_shapes_of_error_give_hydras_words(benches: list[Bench], errors: Any) -> None:
    bench = Bench(HydraHabits(errors=errors))
    benches.append(bench)
    bench.server.add_client("archway-m-1", "somebody-elses")
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.create_client(METADATA)
    assert "a resource with that value exists already" in caught.value.message


# --- the connection check ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("values", [{}, OVERLAP])
def test_the_check_makes_uses_and_removes_a_client(benches: list[Bench], values: dict[str, Any]) -> None:
    bench = Bench(**values)
    benches.append(bench)
    steps = bench.steps()
    assert {name: state for name, (state, _) in steps.items() if state is not StepState.PASSED} == {
        "scopes": StepState.SKIPPED
    }
    assert {
        "make a client",
        "get a token",
        "introspect a fresh token",
        "replace the secret",
        "remove the client",
    } <= set(steps)
    assert bench.server.clients == {}


def test_the_check_explains_keys_that_are_not_published(benches: list[Bench]) -> None:
    bench = jwt_bench(benches, HydraHabits(access_token_strategy="jwt", publishes_jwt_keys=False))
    steps = bench.steps()
    assert steps["introspect a fresh token"][0] is StepState.FAILED
    assert "hydra.jwt.access-token" in steps["introspect a fresh token"][1]
    assert steps["replace the secret"][0] is StepState.SKIPPED
    assert bench.server.clients == {}


def test_the_check_explains_a_hydra_without_a_second_secret(benches: list[Bench]) -> None:
    bench = Bench(HydraHabits(rotation=False), **OVERLAP)
    benches.append(bench)
    state, reason = bench.steps()["replace the secret"]
    assert state is StepState.FAILED
    assert "set secret_rotation to replace" in reason
    assert bench.server.clients == {}


def test_the_check_makes_no_client_that_could_get_no_token(benches: list[Bench]) -> None:
    bench = Bench(grant_types=["authorization_code"])
    benches.append(bench)
    assert bench.steps()["make a client"][0] is StepState.SKIPPED
    assert bench.server.requests_of("create") == []


def test_the_check_warns_of_registration_by_strangers(benches: list[Bench]) -> None:
    bench = Bench(HydraHabits(dynamic_registration=True))
    benches.append(bench)
    assert "Switch it off" in bench.steps()["registration by strangers"][1]


def test_the_check_removes_a_client_whose_creation_was_not_answered(bench: Bench) -> None:
    bench.server.fault("create", Fault.lost_answer())
    steps = bench.steps()
    assert steps["make a client"][0] is StepState.FAILED
    assert steps["remove the client"][0] is StepState.PASSED
    assert bench.server.clients == {}
