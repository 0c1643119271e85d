"""The ``rfc`` adapter on a real MITREid Connect: clients, protected resources, scopes and what is special there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import KeyManagerRejected, OutcomeUnknown
from common.http import HttpClient, HttpRequest
from keymanager.adapters.contract import Inactive, KeyManagerAdapter, Resource, ScopeSpec, StepState, TokenFacts
from keymanager.adapters.rfc import RfcAdapter
from keymanager.adapters.rfc.mitreid import MitreidSession
from tests.conformance import broken_on_mitreid as broken
from tests.conformance.planted import must_catch
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_rfc_on_real_servers import real_world
from tests.conformance.world import World, ask, lost_answer, token_of
from tests.servers import mitreid

pytestmark = pytest.mark.servers

API = Resource(identifier="urn:archway:api:zoo/1.0", name="Zoo 1.0", scopes=frozenset({"museum:read"}))


def values_for(server: mitreid.MitreidServer, **changes: Any) -> dict[str, Any]:
    """The configuration of the documentation."""
    options = server.options
    return {
        "issuer": server.issuer,
        "introspection_client_id": options.gateway_client_id,
        "introspection_client_secret": options.gateway_client_secret,
        "admin_url": server.admin_url,
        "admin_user": options.admin_user,
        "admin_password": options.admin_password,
        **changes,
    }


def world_on(server: mitreid.MitreidServer, adapter: type[RfcAdapter] = RfcAdapter) -> World:
    """With the scopes that the portal registers before anybody can ask for them."""
    good = real_world("mitreid", values_for(server))
    with closing(good.wire):
        for key in good.scopes:
            good.adapter().register_scope(ScopeSpec(key=key))
        good.adapter().delete_scope("museum:lend")
    return real_world("mitreid", values_for(server), adapter, tokens_survive_client=False)


def session_of(world: World) -> MitreidSession:
    """The administration API, as the adapter's administrator."""
    return MitreidSession.of(world.adapter().config, HttpClient(transport=world.wire))


def registering_a_resource(request: Any) -> bool:
    return bool(request.url.path.endswith("/resource"))


@pytest.fixture(scope="module")
def server(mitreid_server: mitreid.MitreidServer) -> mitreid.MitreidServer:
    return mitreid_server


@pytest.fixture
def world(server: mitreid.MitreidServer) -> Iterator[World]:
    world = world_on(server)
    yield world
    world.wire.close()


@pytest.fixture
def adapter(world: World) -> KeyManagerAdapter:
    return world.adapter()


class TestMitreidConnect(AdapterConformance):
    slug = "rfc"

    @pytest.fixture
    def world(self, server: mitreid.MitreidServer) -> Iterator[World]:
        world = world_on(server)
        yield world
        world.wire.close()


def test_a_registration_access_token_is_no_access_token(adapter: KeyManagerAdapter, world: World) -> None:
    made = adapter.create_client(world.client_metadata())
    assert isinstance(adapter.introspect(made.handle.registration_access_token), Inactive)


def test_a_token_that_a_resource_got_for_itself_is_no_access_token(adapter: KeyManagerAdapter, world: World) -> None:
    body = {"client_name": "Made by hand", "scope": "museum:read", "token_endpoint_auth_method": "client_secret_basic"}
    url = f"{adapter.config.admin_url}/resource"
    made = HttpClient(transport=world.wire).send(HttpRequest(method="POST", url=url, json=body)).json_object()
    client = adapter.create_client(world.client_metadata())
    given = ask(adapter, client, "museum:read", client_id=made["client_id"], client_secret=made["client_secret"])
    assert given.expires_in is None
    assert isinstance(adapter.introspect(token_of(given)), Inactive)


def test_a_client_without_scopes_gets_no_scope_of_an_api(adapter: KeyManagerAdapter, world: World) -> None:
    metadata = world.client_metadata()
    bare = replace(metadata, scopes=frozenset())
    for made in (adapter.create_client(bare), adapter.update_client(adapter.create_client(metadata).handle, bare)):
        assert made.ignored == ()
        assert not ask(adapter, made, world.scopes[0]).ok
        facts = adapter.introspect(token_of(ask(adapter, made, "")))
        assert isinstance(facts, TokenFacts)
        assert facts.scopes == frozenset()


def test_a_lost_answer_to_the_registration_of_a_resource_leaves_one_resource(
    adapter: KeyManagerAdapter, world: World
) -> None:
    world.wire.plan(registering_a_resource, lost_answer)
    with pytest.raises(OutcomeUnknown):
        adapter.register_resource(API)
    world.wire.heal()
    made = adapter.register_resource(API)
    assert [row["clientId"] for row in session_of(world).clients() if row["softwareId"] == API.identifier] == [
        made.remote_id.partition(":")[2]
    ]
    adapter.delete_resource(made.remote_id)


def test_a_resource_introspects_only_its_own_scopes_of_a_token(adapter: KeyManagerAdapter, world: World) -> None:
    remote_id = adapter.register_resource(API).remote_id
    row = next(row for row in session_of(world).clients() if row["softwareId"] == API.identifier)
    own = {"introspection_client_id": row["clientId"], "introspection_client_secret": row["clientSecret"]}
    client = adapter.create_client(world.client_metadata(scopes=frozenset(world.scopes)))
    token = token_of(ask(adapter, client, " ".join(world.scopes)))
    config = replace(adapter.config, **own)
    as_the_api = RfcAdapter(config, HttpClient(transport=world.wire), adapter.clock).introspect(token)
    assert isinstance(as_the_api, TokenFacts)
    assert as_the_api.scopes == {"museum:read"}
    adapter.delete_resource(remote_id)


def test_a_number_that_now_means_another_is_never_read_changed_or_deleted(
    adapter: KeyManagerAdapter, world: World
) -> None:
    made = adapter.register_resource(API)
    number, _, _ = made.remote_id.partition(":")
    stale = f"{number}:another-client-id"
    assert adapter.read_resource(stale) is None
    adapter.delete_resource(stale)
    assert adapter.update_resource(stale, API).remote_id == made.remote_id
    assert adapter.read_resource(made.remote_id) == made
    adapter.delete_resource(made.remote_id)


def test_a_scope_that_an_administrator_restricted_is_refused_and_its_loss_is_named(
    adapter: KeyManagerAdapter, world: World
) -> None:
    body = {"value": "museum:burn", "restricted": True, "defaultScope": False}
    session_of(world).write("POST", "/scopes", body, doing="the scope")
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.register_scope(ScopeSpec(key="museum:burn"))
    assert caught.value.remote_code == "scope_restricted"
    made = adapter.create_client(world.client_metadata(scopes=frozenset({"museum:read", "museum:burn"})))
    assert made.ignored == ("scope",)
    assert ask(adapter, made, "museum:read").scopes == {"museum:read"}
    adapter.delete_scope("museum:burn")


def test_the_scope_that_was_just_registered_is_seen_in_introspection(adapter: KeyManagerAdapter, world: World) -> None:
    adapter.register_scope(ScopeSpec(key="museum:lend", description="Lend paintings"))
    client = adapter.create_client(world.client_metadata(scopes=frozenset({"museum:lend"})))
    facts = adapter.introspect(token_of(ask(adapter, client, "museum:lend")))
    assert isinstance(facts, TokenFacts)
    assert facts.scopes == {"museum:lend"}


def test_scopes_that_are_registered_at_once_are_all_seen_in_introspection(world: World) -> None:
    keys = [f"museum:room-{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda key: world.adapter().register_scope(ScopeSpec(key=key)), keys))
    adapter = world.adapter()
    client = adapter.create_client(world.client_metadata(scopes=frozenset(keys)))
    facts = adapter.introspect(token_of(ask(adapter, client, " ".join(keys))))
    assert isinstance(facts, TokenFacts)
    assert facts.scopes == set(keys)
    for key in keys:
        adapter.delete_scope(key)


def test_the_check_names_the_scopes_that_introspection_would_not_show(adapter: KeyManagerAdapter, world: World) -> None:
    body = {"value": "museum:unseen", "restricted": False, "defaultScope": False}
    session_of(world).write("POST", "/scopes", body, doing="the scope")
    failed = [step for step in adapter.check() if step.state is StepState.FAILED]
    assert [step.name for step in failed] == ["scopes in introspection"]
    assert "museum:unseen" in failed[0].reason
    adapter.delete_scope("museum:unseen")


def test_two_clients_with_one_mark_are_for_a_person_to_tell_apart(adapter: KeyManagerAdapter, world: World) -> None:
    metadata = world.client_metadata()
    for _ in range(2):
        adapter.create_client(metadata)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.find_client(metadata.marker)
    assert caught.value.remote_code == "marker_not_unique"


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong"), ("user", "password")])
def test_whoever_is_no_administrator_is_refused(server: mitreid.MitreidServer, name: str, password: str) -> None:
    world = real_world("mitreid", values_for(server, admin_user=name, admin_password=password))
    with closing(world.wire), pytest.raises(KeyManagerRejected) as caught:
        world.adapter().find_client("no-such-marker")
    assert caught.value.remote_code == "own_client_refused"


def test_machine_and_person_in_one_client_is_refused_in_the_servers_own_words(
    adapter: KeyManagerAdapter, world: World
) -> None:
    both = world.client_metadata(
        grant_types=("client_credentials", "authorization_code"),
        response_types=("code",),
        redirect_uris=("https://client.example/callback",),
    )
    with pytest.raises(KeyManagerRejected, match="Incompatible grant types"):
        adapter.create_client(both)


PLANTED: list[tuple[type[RfcAdapter], Callable[..., None]]] = [
    (broken.LeavesAnEmptyListOut, AdapterConformance.test_an_update_replaces_the_metadata),
    (broken.PassesTheFiltersWordOn, AdapterConformance.test_a_wrong_secret_is_an_invalid_client),
    (broken.TakesEveryActiveTokenForAnAccessToken, test_a_registration_access_token_is_no_access_token),
    (broken.LeavesScopesOut, test_a_client_without_scopes_gets_no_scope_of_an_api),
    (broken.EmptiesTheListOfScopes, test_a_client_without_scopes_gets_no_scope_of_an_api),
    (broken.RegistersAResourceTwice, test_a_lost_answer_to_the_registration_of_a_resource_leaves_one_resource),
    (broken.TrustsTheNumber, test_a_number_that_now_means_another_is_never_read_changed_or_deleted),
    (broken.TakesTheFirstMark, test_two_clients_with_one_mark_are_for_a_person_to_tell_apart),
    (broken.ForgetsOurIntrospectionClient, test_the_scope_that_was_just_registered_is_seen_in_introspection),
]


@pytest.mark.parametrize(("adapter_class", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_adapter_is_caught(
    server: mitreid.MitreidServer, adapter_class: type[RfcAdapter], test: Callable[..., None]
) -> None:
    """The same test that passes above fails with it."""
    must_catch(test, world_on(server, adapter_class), suite=TestMitreidConnect())


@pytest.fixture(scope="module")
def as_packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mitreid.MitreidServer]:
    """Nothing of it was set up: it answers in Latin-1, and its client for introspection has no method."""
    home: Path = tmp_path_factory.mktemp("mitreid-as-packed")
    with mitreid.start(home=home, options=mitreid.MitreidOptions(utf8=False)) as started:
        yield started


def test_without_a_method_our_introspection_client_would_lose_its_secret(as_packed: mitreid.MitreidServer) -> None:
    values = values_for(as_packed)
    good = real_world("mitreid", values)
    bad = real_world("mitreid", values, broken.ForgetsTheMethodOfOurIntrospectionClient)
    with closing(good.wire), closing(bad.wire):
        good.adapter().register_scope(ScopeSpec(key="museum:read"))
        assert isinstance(good.adapter().introspect("made-up"), Inactive)
        bad.adapter().register_scope(ScopeSpec(key="museum:write"))
        with pytest.raises(KeyManagerRejected):
            bad.adapter().introspect("made-up")


def test_names_in_latin_1_are_read_and_what_that_cannot_say_is_named(as_packed: mitreid.MitreidServer) -> None:
    world = real_world("mitreid", values_for(as_packed))
    with closing(world.wire):
        adapter = world.adapter()
        kept = adapter.create_client(world.client_metadata(client_name="Müsli & Söhne"))
        assert (kept.observed["client_name"], kept.ignored) == ("Müsli & Söhne", ())
        lost = adapter.create_client(world.client_metadata(client_name="“quoted”"))
        assert (lost.observed["client_name"], lost.ignored) == ("?quoted?", ("client_name",))
        assert adapter.find_client("no-such-marker") is None
