"""Tokens at SurfOAuth: any scope is granted, 0 is never, 200 says nothing."""

from collections.abc import Iterator

import pytest

from common.errors import KeyManagerRejected, KeyManagerUnavailable
from keymanager.adapters.contract import ClientHandle, Inactive, TokenFacts, TokenRequest
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault
from tests.fakes.surfoauth import SurfOAuthServer
from tests.fakes.surfoauth.store import Principal
from tests.integration.surfoauth_kit import Place, ask, metadata, revoke

FLOW = {"grant_types": ("authorization_code", "refresh_token"), "redirect_uris": ("https://app.example/cb",)}


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place(server=SurfOAuthServer())
    yield place
    place.close()


def test_the_server_grants_any_scope_and_the_adapter_asks_for_none_that_was_not_given(place: Place) -> None:
    adapter = place.adapter("a", "b", "c")
    made = adapter.create_client(metadata("a", "b"))
    given = ask(adapter, made, "a c nothing")
    assert (given.scopes, given.body["scope"]) == (frozenset({"a"}), "a")
    facts = adapter.introspect(str(given.body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.scopes == {"a"}
    asked = [request.form.get("scope") for request in place.server.requests_of("token")]
    assert not [scope for scope in asked if scope and ("c" in scope.split(",") or "nothing" in scope)]


def test_asking_only_for_scopes_that_were_not_given_is_an_invalid_scope_and_leaves_no_token(place: Place) -> None:
    adapter = place.adapter("a", "b")
    made = adapter.create_client(metadata("a"))
    given = ask(adapter, made, "b")
    assert (given.status, given.body["error"]) == (400, "invalid_scope")
    assert "b" in str(given.body["error_description"])
    assert [token for token in place.server.store.tokens.values() if token.owner == made.handle.client_id] == []


def test_scopes_are_separated_by_commas_so_that_they_stay_apart(place: Place) -> None:
    adapter = place.adapter("a", "b", "c")
    made = adapter.create_client(metadata("a", "b", "c"))
    given = ask(adapter, made, "a b")
    stored = place.server.store.token_by_value(str(given.body["access_token"]))
    assert stored is not None
    assert stored.scopes == ["a", "b"]


def test_a_lifetime_of_0_is_never_and_not_at_once(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a"))
    stored = place.server.client(made.handle.client_id)
    assert stored is not None
    stored.expire_duration = 0
    given = ask(adapter, made)
    assert given.ok
    assert given.expires_in is None
    assert "expires_in" not in given.body
    facts = adapter.introspect(str(given.body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.exp is None


def test_an_expired_token_is_inactive_and_the_end_is_told_in_seconds(place: Place) -> None:
    adapter = place.adapter("a", expire_duration=60)
    token = str(ask(adapter, adapter.create_client(metadata("a"))).body["access_token"])
    facts = adapter.introspect(token)
    assert isinstance(facts, TokenFacts)
    assert facts.exp is not None
    assert 0 < facts.exp - adapter.clock.now() <= 60
    place.server.advance(61)
    assert adapter.introspect(token) == Inactive(reason="SurfOAuth says that it has expired.")


def test_a_token_of_another_resource_server_is_inactive(place: Place) -> None:
    adapter = place.adapter()
    assert isinstance(adapter.introspect(place.server.admin_token), Inactive)


def test_a_refused_key_of_the_resource_server_is_a_fault_of_the_configuration_and_no_answer(place: Place) -> None:
    clock = ManualClock(1000.0)
    adapter = place.adapter("a", clock=clock)
    token = str(ask(adapter, adapter.create_client(metadata("a"))).body["access_token"])
    assert isinstance(adapter.introspect(token), TokenFacts)
    home = place.server.resource_server("archway")
    assert home is not None
    home.secret = "changed"
    clock.time += 60
    with pytest.raises(KeyManagerUnavailable):
        adapter.introspect(token)
    assert isinstance(adapter.introspect(token), TokenFacts)
    place.server.fault("tokeninfo", Fault.empty(401))
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.introspect(token)
    assert caught.value.remote_code == "own_client_refused"


def test_tokens_are_looked_up_while_the_administration_is_down(place: Place) -> None:
    clock = ManualClock(1000.0)
    adapter = place.adapter("a", clock=clock)
    token = str(ask(adapter, adapter.create_client(metadata("a"))).body["access_token"])
    assert isinstance(adapter.introspect(token), TokenFacts)
    clock.time += 3000
    place.server.fault("resource_server.list", Fault.empty(500, times=99))
    assert isinstance(adapter.introspect(token), TokenFacts)
    assert isinstance(adapter.introspect(token), TokenFacts)
    assert len(place.server.requests_of("resource_server.list")) <= 5


@pytest.mark.parametrize("token", ["a b", "a&b=c", "%zz", "a#b"])
def test_a_token_is_escaped_where_it_is_looked_up(place: Place, token: str) -> None:
    adapter = place.adapter()
    assert isinstance(adapter.introspect(token), Inactive)
    assert place.server.requests_of("tokeninfo")[-1].parameters == {"access_token": token}


def test_a_revocation_by_another_client_is_not_called_done(place: Place) -> None:
    adapter = place.adapter("a")
    owner, other = adapter.create_client(metadata("a")), adapter.create_client(metadata("a"))
    token = str(ask(adapter, owner).body["access_token"])
    refused = revoke(adapter, other, token)
    assert (refused.status, refused.body["error"]) == (400, "unauthorized_client")
    assert isinstance(adapter.introspect(token), TokenFacts)
    assert revoke(adapter, owner, token).status == 200
    assert isinstance(adapter.introspect(token), Inactive)


def test_a_revoked_refresh_token_is_really_ended(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a", grant_types=("client_credentials", "refresh_token")))
    pair = ask(adapter, made)
    refresh = str(pair.body["refresh_token"])
    assert revoke(adapter, made, refresh).status == 200
    assert isinstance(adapter.introspect(str(pair.body["access_token"])), Inactive)
    assert not ask(adapter, made, grant_type="refresh_token", refresh_token=refresh).ok
    assert [token for token in place.server.store.tokens.values() if token.owner == made.handle.client_id] == []


def test_an_unknown_client_without_a_secret_is_an_invalid_client(place: Place) -> None:
    adapter = place.adapter()
    request = TokenRequest(
        client_id="nobody", token_endpoint_auth_method="none", parameters=(("grant_type", "refresh_token"),)
    )
    given = adapter.issue_token(request)
    assert (given.status, given.body["error"]) == (401, "invalid_client")


def test_a_wrong_secret_of_a_client_that_posts_it_is_an_invalid_client(place: Place) -> None:
    adapter = place.adapter("a")
    made = adapter.create_client(metadata("a", token_endpoint_auth_method="client_secret_post"))
    request = TokenRequest(
        client_id=made.handle.client_id,
        client_secret="wrong",
        token_endpoint_auth_method="client_secret_post",
        parameters=(("grant_type", "client_credentials"),),
    )
    given = adapter.issue_token(request)
    assert (given.status, given.body["error"]) == (401, "invalid_client")


def test_a_person_logs_in_and_the_token_names_client_and_person(place: Place) -> None:
    place.server.users["alice"] = Principal(
        name="alice", roles=("curator",), groups=("museum",), attributes={"mail": "alice@example.org"}
    )
    adapter = place.adapter("a", "b")
    made = adapter.create_client(metadata("a", "b", **FLOW))
    query = (
        f"response_type=code&client_id={made.handle.client_id}&state=x%20y"
        "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=a%20b"
    )
    back = place.visit(adapter.authorization_url(query), "alice", "a", "b")
    assert back["state"] == "x y"
    wrong = ask(adapter, made, grant_type="authorization_code", code=back["code"], redirect_uri="https://other/")
    assert (wrong.status, wrong.body["error"]) == (400, "invalid_grant")
    redirect = "https://app.example/cb"
    given = ask(adapter, made, grant_type="authorization_code", code=back["code"], redirect_uri=redirect)
    assert given.scopes == {"a", "b"}
    token = str(given.body["access_token"])
    facts = adapter.introspect(token)
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, facts.username, facts.sub) == (made.handle.client_id, "alice", "alice")
    assert adapter.user_claims(token) == {
        "sub": "alice", "roles": ["curator"], "groups": ["museum"], "mail": "alice@example.org",
    }  # fmt: skip


def test_a_machine_has_no_user_claims(place: Place) -> None:
    adapter = place.adapter("a")
    token = str(ask(adapter, adapter.create_client(metadata("a"))).body["access_token"])
    assert adapter.user_claims(token) == {}
    with pytest.raises(KeyManagerRejected):
        adapter.user_claims("no-such-token")


def test_scopes_in_the_authorization_url_are_separated_by_commas(place: Place) -> None:
    adapter = place.adapter()
    url = adapter.authorization_url("scope=a+b%20c&state=scope%3Da+b&myscope=a+b")
    assert url.endswith("?scope=a%2Cb%2Cc&state=scope%3Da+b&myscope=a+b")


def test_a_client_made_elsewhere_in_our_resource_server_is_known_by_its_machine_tokens(place: Place) -> None:
    adapter = place.adapter("a")
    home = place.server.resource_server("archway")
    assert home is not None
    token = next(token for token in place.server.store.tokens.values() if token.owner == "portal-adapter").value
    body = {"name": "My App 1", "scopes": ["a"], "allowedClientCredentials": True, "expireDuration": 60}
    _, made = place.call("PUT", f"resourceServer/{home.id}/client", body, token=token)
    handle = ClientHandle(client_id="my-app-1", client_secret=made["secret"])
    assert adapter.verify_client(handle).secret_works is True
    request = TokenRequest(
        client_id="my-app-1", client_secret=made["secret"], parameters=(("grant_type", "client_credentials"),)
    )
    facts = adapter.introspect(str(adapter.issue_token(request).body["access_token"]))
    assert isinstance(facts, TokenFacts)
    assert facts.client_id == "my-app-1"


def test_a_client_of_somebody_else_is_verified_by_its_secret_only(place: Place) -> None:
    adapter = place.adapter()
    known = adapter.verify_client(ClientHandle(client_id="it-test-client", client_secret="somesecret"))
    assert (known.exists, known.secret_works) == (True, True)
    assert known.notes
    wrong = adapter.verify_client(ClientHandle(client_id="it-test-client", client_secret="wrong"))
    assert (wrong.exists, wrong.secret_works) == (None, False)
