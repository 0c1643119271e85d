"""Resource servers at SurfOAuth: written whole, read back, and one for all APIs or one for each."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from common.errors import InputError, KeyManagerRejected, KeyManagerUnavailable
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import Capability, Inactive, Resource, ScopeSpec, TokenFacts
from keymanager.adapters.surfoauth import SurfOAuthConfig
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault
from tests.fakes.surfoauth import SurfOAuthServer
from tests.integration.surfoauth_kit import Place, ask, metadata

MUSEUM = Resource(identifier="urn:api:museum/1.0", name="Museum", scopes=frozenset({"museum:read", "museum:write"}))
SHOP = Resource(identifier="urn:api:shop/1.0", name="Shop", scopes=frozenset({"shop:buy"}))


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place(server=SurfOAuthServer())
    yield place
    place.close()


def scopes_at(place: Place) -> set[str]:
    home = place.server.resource_server("archway")
    assert home is not None
    return set(home.scopes)


def test_a_new_scope_takes_none_from_any_client(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    adapter.register_scope(ScopeSpec(key="b"))
    assert ask(adapter, made, "a").scopes == {"a"}
    bodies = [json.loads(request.body) for request in place.server.requests_of("resource_server.update")]
    assert all(body["scopes"] and body["id"] and body["name"] and body["contactName"] for body in bodies)


def test_a_change_that_somebody_overwrote_at_once_is_made_again(place: Place) -> None:
    adapter = place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None
    place.server.meanwhile("resource_server.update", lambda: setattr(home, "scopes", ["a", "theirs"]))
    adapter.register_scope(ScopeSpec(key="b"))
    assert scopes_at(place) == {"a", "b", "theirs"}


def test_a_change_that_somebody_always_overwrites_is_not_called_done(place: Place) -> None:
    adapter = place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None

    def overwrite() -> None:
        home.scopes = ["a"]
        place.server.meanwhile("resource_server.update", overwrite)

    place.server.meanwhile("resource_server.update", overwrite)
    with pytest.raises(KeyManagerUnavailable):
        adapter.register_scope(ScopeSpec(key="b"))


def test_scopes_that_are_registered_at_the_same_time_are_all_kept(place: Place) -> None:
    adapters = [place.adapter("a"), place.adapter()]
    keys = [f"s{number}" for number in range(20)]

    def register(number: int) -> None:
        adapters[number % 2].register_scope(ScopeSpec(key=keys[number]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(register, range(20)))
    assert scopes_at(place) == {"a", *keys}


def test_a_removed_scope_is_taken_from_every_client_also_from_one_that_got_it_meanwhile(place: Place) -> None:
    adapter = place.adapter("a", "b")
    made = adapter.create_client(metadata("a", "b"))
    stored = place.server.client(made.handle.client_id)
    assert stored is not None
    place.server.meanwhile("resource_server.update", lambda: setattr(stored, "scopes", ["a", "b"]))
    adapter.delete_scope("b")
    assert stored.scopes == ["a"]
    assert (stored.client_credentials, stored.expire_duration, stored.name) == (True, 3600, made.handle.client_id)
    assert adapter.list_scopes() == {"a"}
    adapter.delete_scope("a")
    assert adapter.list_scopes() == frozenset()


def test_a_scope_with_a_comma_is_refused(place: Place) -> None:
    with pytest.raises(InputError):
        place.adapter().register_scope(ScopeSpec(key="a,b"))


def test_a_resource_server_that_exists_by_name_is_used_and_not_made_again(place: Place) -> None:
    place.adapter("a")
    assert place.adapter().list_scopes() == {"a"}
    assert len(place.server.requests_of("resource_server.create")) == 1


def test_a_name_that_somebody_took_at_the_same_moment_is_looked_up(place: Place) -> None:
    adapter = place.adapter()
    place.server.fault("resource_server.create", Fault.done_but(500))
    adapter.register_scope(ScopeSpec(key="a"))
    assert scopes_at(place) == {"a"}


def test_a_configured_resource_server_that_is_not_ours_is_told(place: Place) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        place.adapter(resource_server_id="99997").list_scopes()
    assert caught.value.remote_code == "resource_server_lost"


def test_a_configured_resource_server_is_used(place: Place) -> None:
    place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None
    assert place.adapter(resource_server_id=str(home.id), resource_server_name="other").list_scopes() == {"a"}


def test_an_administrator_does_not_change_a_resource_server_because_it_would_become_the_owner(place: Place) -> None:
    adapter = place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None
    place.server.make_admin("admin-enduser")
    admin = place.adapter(admin_token=place.server.admin_token, resource_server_id=str(home.id))
    with pytest.raises(KeyManagerRejected) as caught:
        admin.register_scope(ScopeSpec(key="b"))
    assert caught.value.remote_code == "admin_principal"
    assert adapter.list_scopes() == {"a"}


def test_one_for_all_keeps_scopes_and_one_for_each_keeps_resources(place: Place) -> None:
    shared, each = place.adapter().capabilities, place.adapter(resource_servers="per_api").capabilities
    assert shared - each == {Capability.SCOPES}
    assert each - shared == {Capability.RESOURCES}


def test_each_api_has_its_resource_server_and_clients_live_in_it(place: Place) -> None:
    adapter = place.adapter(resource_servers="per_api")
    museum, shop = adapter.register_resource(MUSEUM), adapter.register_resource(SHOP)
    made = adapter.create_client(metadata("museum:read"))
    other = adapter.create_client(metadata("shop:buy"))
    assert made.handle.remote_id.startswith(f"{museum.remote_id}/")
    assert other.handle.remote_id.startswith(f"{shop.remote_id}/")
    for client, api in ((made, MUSEUM), (other, SHOP)):
        facts = adapter.introspect(str(ask(adapter, client).body["access_token"]))
        assert isinstance(facts, TokenFacts)
        assert (facts.client_id, facts.aud) == (client.handle.client_id, (api.identifier,))


def test_a_client_cannot_have_the_scopes_of_two_apis(place: Place) -> None:
    adapter = place.adapter(resource_servers="per_api")
    adapter.register_resource(MUSEUM)
    adapter.register_resource(SHOP)
    with pytest.raises(InputError) as caught:
        adapter.create_client(metadata("museum:read", "shop:buy"))
    assert "scopes" in caught.value.fields


def test_a_client_moves_to_the_api_that_it_gets_scopes_of_with_a_new_secret(place: Place) -> None:
    adapter = place.adapter(resource_servers="per_api")
    museum = adapter.register_resource(MUSEUM)
    wish = metadata()
    made = adapter.create_client(wish)
    wish = replace(wish, scopes=frozenset({"museum:read"}))
    moved = adapter.update_client(made.handle, wish)
    assert moved.handle.client_id == made.handle.client_id
    assert moved.handle.client_secret != made.handle.client_secret
    assert moved.handle.remote_id.startswith(f"{museum.remote_id}/")
    assert ask(adapter, moved, "museum:read").scopes == {"museum:read"}
    stays = adapter.update_client(moved.handle, replace(wish, client_name="Renamed"))
    assert stays.handle == moved.handle


def test_an_api_is_not_removed_with_the_clients_that_live_in_it(place: Place) -> None:
    adapter = place.adapter(resource_servers="per_api")
    museum = adapter.register_resource(MUSEUM)
    made = adapter.create_client(metadata("museum:read"))
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.delete_resource(museum.remote_id)
    assert caught.value.remote_code == "resource_in_use"
    adapter.delete_client(made.handle)
    adapter.delete_resource(museum.remote_id)
    assert adapter.read_resource(museum.remote_id) is None


def test_a_resource_whose_registration_was_not_answered_is_found_again(place: Place) -> None:
    adapter = place.adapter(resource_servers="per_api")
    place.server.fault("resource_server.create", Fault.lost_answer())
    with pytest.raises(Exception, match="no whole answer"):
        adapter.register_resource(MUSEUM)
    assert adapter.register_resource(MUSEUM).scopes == MUSEUM.scopes
    names = [server.name for server in place.server.store.servers.values() if "museum" in server.name]
    assert names == ["archway:urn:api:museum/1.0"]


def test_tokens_of_an_api_that_another_process_registered_are_known_soon(place: Place) -> None:
    clock = ManualClock(time.time())
    ours, theirs = (place.adapter(resource_servers="per_api", clock=clock) for _ in range(2))
    assert isinstance(ours.introspect("made-up"), Inactive)
    theirs.register_resource(MUSEUM)
    token = str(ask(theirs, theirs.create_client(metadata("museum:read"))).body["access_token"])
    calls = len(place.server.requests_of("resource_server.list"))
    assert isinstance(ours.introspect(token), Inactive)
    assert len(place.server.requests_of("resource_server.list")) == calls
    clock.time += 15
    assert isinstance(ours.introspect(token), TokenFacts)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"admin_token": "t"}, "config.admin_token"),
        ({"admin_client_id": ""}, "config.admin_client_id"),
        ({"expire_duration": 0}, "config.expire_duration"),
        ({"resource_server_id": "a-key"}, "config.resource_server_id"),
        ({"base_url": "https://oauth.example.org/?a=b"}, "config.base_url"),
        ({"resource_server_name": "x" * 201}, "config.resource_server_name"),
        ({"contact_name": ""}, "config.contact_name"),
    ],
)
def test_a_configuration_that_cannot_work_names_its_field(changes: dict[str, object], field: str) -> None:
    good = {"base_url": "https://oauth.example.org", "admin_client_id": "portal", "admin_client_secret": "s"}
    with pytest.raises(InputError) as caught:
        parse_config(SurfOAuthConfig, {**good, **changes})
    assert field in caught.value.fields
