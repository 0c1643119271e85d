"""Clients at Hydra, trap by trap, on the fake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected, NotSupported, OutcomeUnknown
from common.http import HttpRequest
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
)
from keymanager.adapters.hydra import HydraAdapter, HydraConfig
from tests.fakes.faults import Fault, Kind
from tests.fakes.hydra_server import HydraHabits
from tests.integration.hydra_kit import METADATA, OVERLAP, Bench


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


@pytest.fixture
def overlapping(benches: list[Bench]) -> Bench:
    benches.append(Bench(**OVERLAP))
    return benches[-1]


# --- creating, repeating, finding -------------------------------------------------------------------------------------
def test_a_client_has_our_id_our_marker_and_a_secret_without_awkward_characters(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    document = bench.server.clients["archway-m-1"].document
    assert made.handle.client_id == "archway-m-1"
    assert (document["owner"], document["metadata"]) == ("m-1", {"archway_marker": "m-1"})
    assert set(made.handle.client_secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert made.ignored == ()


def test_no_registration_access_token_is_kept_though_hydra_gives_one(bench: Bench) -> None:
    handle = bench.adapter.create_client(METADATA).handle
    assert (handle.registration_access_token, handle.registration_client_uri) == ("", "")


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500), Fault.hang(0.8, after=True)])
def test_a_creation_whose_answer_is_lost_can_be_repeated(bench: Bench, fault: Fault) -> None:
    bench.server.fault("create", fault)
    with pytest.raises(OutcomeUnknown):
        bench.adapter.create_client(METADATA)
    again = bench.adapter.create_client(METADATA)
    assert list(bench.server.clients) == ["archway-m-1"]
    assert bench.ask(again, ("scope", "read")).ok


def test_a_client_that_has_our_id_but_not_our_marker_is_never_taken_over(bench: Bench) -> None:
    bench.server.add_client("archway-m-1", "somebody-elses", owner="m-1")
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.create_client(METADATA)
    assert caught.value.remote_status == 409
    assert bench.server.clients["archway-m-1"].secret == "somebody-elses"
    assert bench.adapter.find_client("m-1") is None


def test_an_owner_that_a_stranger_claimed_by_registration_is_not_found(benches: list[Bench]) -> None:
    bench = Bench(HydraHabits(dynamic_registration=True))
    benches.append(bench)
    claimed = bench.http.send(_registration(bench, {"client_name": "Mallory", "owner": "m-1", "scope": "*"}))
    refused = bench.http.send(_registration(bench, {"owner": "m-1", "metadata": {"archway_marker": "m-1"}}))
    assert (claimed.status, refused.status) == (201, 400)
    assert bench.adapter.find_client("m-1") is None
    own = bench.adapter.create_client(METADATA)
    found = bench.adapter.find_client("m-1")
    assert found is not None
    assert found.handle.client_id == own.handle.client_id


def test_a_client_is_found_by_its_owner_after_the_prefix_was_changed(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    config = parse_config(
        HydraConfig,
        {"issuer": bench.server.issuer, "admin_url": f"{bench.server.admin_url}/admin/", "client_id_prefix": "new-"},
    )
    found = HydraAdapter(config, bench.http, bench.clock).find_client("m-1")
    assert found is not None
    assert found.handle.client_id == made.handle.client_id


def test_a_read_that_does_not_see_a_new_client_yet_says_that_it_is_not_there(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    bench.server.fault("read", Fault.not_there_yet(times=2))
    assert [bench.adapter.read_client(made.handle) is None for _ in range(3)] == [True, True, False]


def test_the_list_goes_from_page_to_page_by_the_link_header(bench: Bench) -> None:
    for number in range(1203):
        bench.server.add_client(f"c-{number:04}", "secret-0")
    found = [client.handle.client_id for client in bench.adapter.list_clients()]
    assert found == sorted(bench.server.clients)
    assert len(bench.server.requests_of("list")) == 3


def test_a_list_that_never_ends_is_a_protocol_error(bench: Bench) -> None:
    bench.server.add_client("c", "secret-0")
    link = (("Link", '</admin/clients?page_token=c>; rel="first",</admin/clients?page_token=c>; rel="next"'),)
    endless = Fault(kind=Kind.ANSWER_INSTEAD, times=9, body=b"[]", content_type="application/json", headers=link)
    bench.server.fault("list", endless)
    with pytest.raises(KeyManagerProtocolError):
        list(bench.adapter.list_clients())
    assert len(bench.server.requests_of("list")) == 2


def test_many_creations_of_one_client_at_once_leave_one_client(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: bench.adapter.create_client(METADATA), range(8)))
    assert list(bench.server.clients) == ["archway-m-1"]
    assert [bench.ask(one).ok for one in made].count(True) == 1


def test_a_scope_with_a_star_is_refused_because_hydra_would_take_it_for_a_pattern(bench: Bench) -> None:
    with pytest.raises(InputError) as caught:
        bench.adapter.create_client(replace(METADATA, scopes=frozenset({"read", "museum.*"})))
    assert list(caught.value.fields) == ["scopes"]
    assert bench.server.requests_of("create") == []


# --- changing ---------------------------------------------------------------------------------------------------------
def test_a_change_keeps_what_an_administrator_set_beside_ours(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    document = bench.server.clients[made.handle.client_id].document
    created = document["created_at"]
    document.update(
        client_credentials_grant_access_token_lifespan="10m0s", metadata={**document["metadata"], "cost": "42"}
    )
    bench.clock.time += 3600
    bench.adapter.update_client(made.handle, replace(METADATA, client_name="Renamed", scopes=frozenset()))
    after = bench.server.clients[made.handle.client_id].document
    assert (after["client_name"], after["scope"]) == ("Renamed", "")
    assert after["client_credentials_grant_access_token_lifespan"] == "10m0s"
    assert after["created_at"] == created
    assert after["metadata"] == {"archway_marker": "m-1", "cost": "42"}
    assert bench.ask(made).ok


def test_a_change_keeps_an_old_secret_in_overlap(overlapping: Bench) -> None:
    made = overlapping.adapter.create_client(METADATA)
    rotated = overlapping.adapter.rotate_secret(made.handle, METADATA)
    overlapping.adapter.update_client(rotated.handle, replace(METADATA, client_name="Renamed"))
    assert overlapping.ask(made).ok
    assert overlapping.ask(rotated).ok


# --- secrets ----------------------------------------------------------------------------------------------------------
def test_old_secrets_work_for_ever_until_they_are_dropped(overlapping: Bench) -> None:
    made = overlapping.adapter.create_client(METADATA)
    rotated = overlapping.adapter.rotate_secret(made.handle, METADATA)
    overlapping.clock.time += 10 * 365 * 86400
    assert overlapping.ask(made).ok
    overlapping.adapter.drop_old_secret(rotated.handle)
    overlapping.adapter.drop_old_secret(rotated.handle)
    assert not overlapping.ask(made).ok
    assert overlapping.ask(rotated).ok


def test_an_older_hydra_says_that_it_cannot_hold_two_secrets_and_keeps_the_one(benches: list[Bench]) -> None:
    bench = Bench(HydraHabits(rotation=False), **OVERLAP)
    benches.append(bench)
    made = bench.adapter.create_client(METADATA)
    with pytest.raises(KeyManagerRejected) as rotating:
        bench.adapter.rotate_secret(made.handle, METADATA)
    with pytest.raises(KeyManagerRejected) as dropping:
        bench.adapter.drop_old_secret(made.handle)
    assert rotating.value.remote_code == dropping.value.remote_code == "no_second_secret"
    assert bench.ask(made).ok


def test_a_new_secret_for_a_client_that_is_gone_says_so(bench: Bench, overlapping: Bench) -> None:
    for each in (bench, overlapping):
        with pytest.raises(KeyManagerRejected) as caught:
            each.adapter.rotate_secret(ClientHandle(client_id="no-such-client"), METADATA)
        assert caught.value.remote_code == "client_gone"
    overlapping.adapter.drop_old_secret(ClientHandle(client_id="no-such-client"))


def test_replacing_ends_every_other_secret(bench: Bench) -> None:
    made = bench.adapter.create_client(METADATA)
    bench.server.clients["archway-m-1"].rotate()
    assert bench.ask(made).ok
    replaced = bench.adapter.rotate_secret(made.handle, METADATA)
    assert bench.server.clients["archway-m-1"].rotated == []
    assert not bench.ask(made).ok
    assert bench.ask(replaced).ok


def test_a_client_without_a_secret_gets_none_by_replacing(bench: Bench) -> None:
    public = replace(METADATA, grant_types=("authorization_code",), token_endpoint_auth_method="none")
    made = bench.adapter.create_client(replace(public, redirect_uris=("https://shop.example/back",)))
    assert made.handle.client_secret == ""
    with pytest.raises(NotSupported):
        bench.adapter.rotate_secret(made.handle, public)


def test_overlap_is_declared_only_where_it_is_configured(bench: Bench, overlapping: Bench) -> None:
    assert Capability.OVERLAPPING_SECRETS not in bench.adapter.capabilities
    assert Capability.OVERLAPPING_SECRETS in overlapping.adapter.capabilities


# --- verification -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_made_by_hand_is_proved_by_its_own_method(bench: Bench, method: str) -> None:
    bench.server.add_client("by-hand", "secret-of-hand", token_endpoint_auth_method=method)
    good = bench.adapter.verify_client(ClientHandle(client_id="by-hand", client_secret="secret-of-hand"))
    bad = bench.adapter.verify_client(ClientHandle(client_id="by-hand", client_secret="another"))
    bare = bench.adapter.verify_client(ClientHandle(client_id="by-hand"))
    none = bench.adapter.verify_client(ClientHandle(client_id="nobody", client_secret="another"))
    assert (good.exists, good.secret_works) == (True, True)
    assert (bad.exists, bad.secret_works) == (True, False)
    assert (bare.exists, bare.secret_works) == (True, None)
    assert (none.exists, none.secret_works) == (False, False)


def _registration(bench: Bench, body: dict[str, Any]) -> HttpRequest:
    return HttpRequest(method="POST", url=f"{bench.server.issuer}/oauth2/register", json=body)


def test_the_apis_of_a_client_become_its_audiences_and_what_hydra_cannot_tell_apart_is_named(bench: Bench) -> None:
    shop, urn = "https://apis.example.org/shop", "urn:archway:api:shop"
    made = bench.adapter.create_client(replace(METADATA, resources=frozenset({shop, urn})))
    assert bench.server.clients["archway-m-1"].document["audience"] == [shop]
    assert "resources" in made.ignored
    assert bench.ask(made, ("scope", "read"), ("resource", shop)).ok
    changed = bench.adapter.update_client(made.handle, METADATA)
    assert bench.server.clients["archway-m-1"].document["audience"] == []
    assert "resources" not in changed.ignored
    assert not bench.ask(made, ("scope", "read"), ("resource", shop)).ok
