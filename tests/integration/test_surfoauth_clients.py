"""Clients at SurfOAuth: everything that surprises there, and what the adapter makes of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.errors import InputError, KeyManagerRejected, OutcomeUnknown
from keymanager.adapters.contract import Inactive, TokenFacts
from tests.fakes.faults import Fault, Kind
from tests.fakes.surfoauth import SurfOAuthServer
from tests.integration.surfoauth_kit import Place, ask, metadata

NOT_UNIQUE = Fault(
    kind=Kind.ANSWER_INSTEAD, status=400, body=b"Violating unique constraints", content_type="application/json"
)


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place(server=SurfOAuthServer())
    yield place
    place.close()


def sent(place: Place, operation: str) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in place.server.requests_of(operation)]


def test_a_creation_never_carries_an_id_because_that_would_take_over_somebodys_client(place: Place) -> None:
    adapter = place.adapter("a")
    victim = adapter.create_client(metadata("a"))
    assert all("id" not in body for body in sent(place, "client.create"))
    _, other = place.call("PUT", "resourceServer", {"name": "theirs", "contactName": "x", "scopes": ["a"]})
    number = int(victim.handle.remote_id.partition("/")[2])
    status, stolen = place.call("PUT", f"resourceServer/{other['id']}/client", {"id": number, "name": "stolen"})
    assert (status, stolen["id"], stolen["clientId"]) == (201, number, "stolen")
    assert place.server.client(victim.handle.client_id) is None


def test_every_client_has_our_key_as_its_id_whatever_it_is_called(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a", client_name="Größe Ü 日本")
    made = adapter.create_client(wish)
    assert made.handle.client_id == wish.marker
    assert made.observed["client_name"] == "Größe Ü 日本"
    facts = adapter.introspect(str(ask(adapter, made).body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, facts.aud) == (wish.marker, ("archway",))


def test_a_marker_whose_characters_would_be_dropped_is_refused(place: Place) -> None:
    with pytest.raises(InputError) as caught:
        place.adapter().create_client(metadata(marker="Größe 1"))
    assert "marker" in caught.value.fields


def test_an_update_sends_the_whole_object_with_its_id(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata(
        "a", redirect_uris=("https://app.example/cb",),
        grant_types=("client_credentials", "authorization_code", "refresh_token"), extra={"skipConsent": True},
    )  # fmt: skip
    made = adapter.create_client(wish)
    adapter.update_client(made.handle, replace(wish, client_name="Renamed"))
    body = sent(place, "client.update")[-1]
    assert f"{body['id']}" == made.handle.remote_id.partition("/")[2]
    stored = place.server.client(wish.marker)
    assert stored is not None
    assert (stored.description, stored.redirect_uris, stored.expire_duration) == (
        "Renamed", ["https://app.example/cb"], 3600,
    )  # fmt: skip
    assert stored.client_credentials
    assert stored.use_refresh_tokens
    assert stored.skip_consent
    assert stored.secret == made.handle.client_secret


def test_an_update_to_no_scopes_takes_them_all(place: Place) -> None:
    adapter = place.adapter("a", "b")
    wish = metadata("a", "b")
    made = adapter.create_client(wish)
    assert adapter.update_client(made.handle, replace(wish, scopes=frozenset())).observed["scope"] == ""
    stored = place.server.client(wish.marker)
    assert stored is not None
    assert stored.scopes == []


def test_a_scope_that_the_server_took_back_at_the_same_moment_is_named(place: Place) -> None:
    adapter = place.adapter("a", "b")
    wish = metadata("a")
    made = adapter.create_client(wish)

    def prune() -> None:
        stored = place.server.client(wish.marker)
        assert stored is not None
        stored.scopes.remove("b")

    place.server.meanwhile("client.update", prune)
    updated = adapter.update_client(made.handle, replace(wish, scopes=frozenset({"a", "b"})))
    assert "scope" in updated.ignored


def test_a_client_whose_creation_was_not_answered_is_taken_over_by_the_next_creation(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a")
    place.server.fault("client.create", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(wish)
    made = adapter.create_client(wish)
    assert made.handle.client_id == wish.marker
    assert ask(adapter, made).ok
    assert [client.handle.client_id for client in adapter.list_clients()] == [wish.marker]


def test_a_client_id_of_somebody_else_is_not_ours_and_no_double_stays(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a")
    _, other = place.call("PUT", "resourceServer", {"name": "theirs", "contactName": "x", "scopes": []})
    place.call("PUT", f"resourceServer/{other['id']}/client", {"name": wish.marker})
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(wish)
    assert caught.value.remote_code == "client_id_taken"
    assert list(adapter.list_clients()) == []


def test_a_unique_key_that_was_hit_is_looked_up(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a")
    made = adapter.create_client(wish)
    place.server.fault("client.create", NOT_UNIQUE)
    assert adapter.create_client(wish).handle == made.handle


def test_a_creation_that_fails_because_the_resource_server_is_not_ours_says_so(place: Place) -> None:
    adapter = place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None

    def lose() -> None:
        home.owner = "somebody"

    place.server.meanwhile("resource_server.list", lose)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(metadata("a"))
    assert caught.value.remote_code == "resource_server_lost"


def test_a_failure_that_tells_nothing_leaves_a_creation_unknown(place: Place) -> None:
    adapter = place.adapter("a")
    place.server.fault("client.create", Fault.done_but(500, body=b"Internal server error"))
    wish = metadata("a")
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(wish)
    found = adapter.find_client(wish.marker)
    assert found is not None
    assert found.handle.client_secret


def test_a_client_is_not_called_gone_when_its_resource_server_changed_hands(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    home = place.server.resource_server("archway")
    assert home is not None
    place.server.make_admin("admin-enduser")
    whole = place.call("GET", f"resourceServer/{home.id}")[1]
    assert place.call("POST", f"resourceServer/{home.id}", whole)[0] == 200
    assert home.owner == "admin-enduser"
    for operation in (adapter.read_client, adapter.delete_client):
        with pytest.raises(KeyManagerRejected) as caught:
            operation(made.handle)
        assert caught.value.remote_code == "resource_server_lost"
    assert ask(adapter, made).ok


def test_rotating_in_place_keeps_the_client_and_its_tokens(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a", grant_types=("client_credentials", "refresh_token"))
    made = adapter.create_client(wish)
    token = ask(adapter, made)
    rotated = adapter.rotate_secret(made.handle, wish)
    assert rotated.handle == replace(made.handle, client_secret=rotated.handle.client_secret)
    assert isinstance(adapter.introspect(str(token.body["access_token"])), TokenFacts)
    again = ask(adapter, rotated, grant_type="refresh_token", refresh_token=str(token.body["refresh_token"]))
    assert again.ok
    assert not ask(adapter, made).ok


def test_making_a_client_again_ends_its_tokens_and_keeps_its_id(place: Place) -> None:
    adapter = place.adapter("a", rotation="recreate")
    wish = metadata("a")
    made = adapter.create_client(wish)
    token = str(ask(adapter, made).body["access_token"])
    rotated = adapter.rotate_secret(made.handle, wish)
    assert rotated.handle.client_id == made.handle.client_id
    assert rotated.handle.remote_id != made.handle.remote_id
    assert isinstance(adapter.introspect(token), Inactive)
    assert ask(adapter, rotated).ok


def test_a_client_is_not_deleted_when_it_could_not_be_made_again(place: Place) -> None:
    adapter = place.adapter("a", rotation="recreate")
    wish = metadata("a")
    made = adapter.create_client(wish)
    with pytest.raises(KeyManagerRejected):
        adapter.rotate_secret(made.handle, replace(wish, scopes=frozenset({"unknown"})))
    assert ask(adapter, made).ok


@pytest.mark.parametrize("fault", [Fault.empty(503), Fault.empty(500), Fault.disconnect()])
@pytest.mark.parametrize("by", ["update", "rotation"])
def test_a_rotation_that_broke_off_is_unknown_and_is_mended(place: Place, fault: Fault, by: str) -> None:
    adapter = place.adapter("a")
    wish = metadata("a")
    made = adapter.create_client(wish)
    place.server.meanwhile("client.create", lambda: place.server.fault("client.create", fault))
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, wish)
    broken = adapter.read_client(made.handle)
    assert broken is not None
    assert (broken.handle, broken.ignored) == (made.handle, ("client_id",))
    mend = adapter.update_client if by == "update" else adapter.rotate_secret
    mended = mend(made.handle, wish)
    assert mended.handle.client_id == made.handle.client_id
    assert ask(adapter, mended).ok


def test_a_removal_that_failed_after_it_was_done_is_done(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    place.server.fault("client.delete", Fault.done_but(500))
    adapter.delete_client(made.handle)
    assert adapter.read_client(made.handle) is None


def test_a_removal_that_failed_is_not_done(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    place.server.fault("client.delete", Fault.empty(500))
    with pytest.raises(OutcomeUnknown):
        adapter.delete_client(made.handle)
    assert ask(adapter, made).ok


def test_a_client_without_a_secret_is_public_and_keeps_none_from_before(place: Place) -> None:
    adapter = place.adapter("a")
    wish = metadata("a", grant_types=("authorization_code",), redirect_uris=("https://app.example/cb",))
    made = adapter.create_client(wish)
    public = adapter.update_client(made.handle, replace(wish, token_endpoint_auth_method="none"))
    assert public.handle.client_secret == ""
    implicit = metadata(
        "a", grant_types=("implicit",), token_endpoint_auth_method="none", redirect_uris=("https://app.example/cb",)
    )
    assert adapter.create_client(implicit).handle.client_secret == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_uris": ("https://app.example",)}, "redirect_uris"),
        ({"redirect_uris": ("/cb",)}, "redirect_uris"),
        ({"grant_types": ("authorization_code",)}, "redirect_uris"),
        ({"grant_types": ("client_credentials",), "token_endpoint_auth_method": "none"}, "grant_types"),
        ({"grant_types": ("implicit",), "redirect_uris": ("https://a.example/",)}, "grant_types"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
        ({"extra": {"foo": 1}}, "extra"),
        ({"extra": {"id": 99997}}, "extra"),
        ({"extra": {"expireDuration": 0}}, "extra"),
        ({"extra": {"skipConsent": "yes"}}, "extra"),
        ({"client_name": "x" * 256}, "client_name"),
        ({"scopes": frozenset({"a,b"})}, "scopes"),
    ],
)
def test_what_surfoauth_would_misunderstand_is_refused_before_it_is_sent(
    place: Place, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        place.adapter().create_client(metadata(**changes))
    assert field in caught.value.fields
    assert place.server.requests_of("client.create") == []


def test_a_client_without_redirect_uris_cannot_be_used_to_send_codes_anywhere(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    stored = place.server.client(made.handle.client_id)
    assert stored is not None
    assert stored.redirect_uris == ["urn:archway:no-redirect"]
    assert made.observed["redirect_uris"] == []


def test_violations_are_told_in_an_order_of_their_own(place: Place) -> None:
    adapter = place.adapter("a")
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(metadata("a", "unknown"))
    assert caught.value.remote_code == "violations"
    assert "Client scopes: [a, unknown]" in caught.value.remote_description
