"""What is particular about Okta: each trap of its documentation page, on the fake."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.address_guard import AddressGuard
from common.clock import SystemClock
from common.errors import InputError, KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from common.http import HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientMetadata,
    Inactive,
    RegisteredClient,
    ScopeSpec,
    StepState,
    TokenAnswer,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.okta import OktaAdapter, OktaConfig
from tests.fakes.faults import Fault, Kind
from tests.fakes.okta_server import OktaServer
from tests.fakes.okta_server.errors import too_many
from tests.fakes.okta_server.state import App

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
OPENED: list[HttpClient] = []
READ = "museum:read"
WEB = ClientMetadata(
    client_name="Shop",
    marker="11111111-2222-3333-4444-555555555555",
    grant_types=("authorization_code", "refresh_token"),
    redirect_uris=("https://shop.example.org/back",),
    scopes=frozenset({READ}),
)


@pytest.fixture
def server() -> Iterator[OktaServer]:
    with OktaServer() as running:
        yield running
        while OPENED:
            OPENED.pop().close()
        assert running.undescribed == []


def okta(server: OktaServer, *, now: float | None = None, **more: Any) -> OktaAdapter:
    """An adapter for the fake; ``now``: what its HTTP client takes for the time."""
    values = {
        "issuer": server.issuer,
        "api_token": server.api_token,
        "introspection_client_id": server.gateway.client_id,
        "introspection_client_secret": server.gateway.good_secrets[0],
        **more,
    }
    http = HttpClient(guard=LOOPBACK) if now is None else HttpClient(guard=LOOPBACK, now=lambda: now)
    OPENED.append(http)
    return OktaAdapter(parse_config(OktaConfig, values), http, SystemClock())


def machine(**changes: Any) -> ClientMetadata:
    """A machine client that may read."""
    values = {"client_name": "Shop", "marker": "0c0ffee0-0000-4000-8000-000000000001", "scopes": frozenset({READ})}
    return ClientMetadata(**{**values, **changes})


def token(adapter: OktaAdapter, client: RegisteredClient, scope: str = READ) -> TokenAnswer:
    """A client_credentials request."""
    return adapter.issue_token(
        TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("grant_type", "client_credentials"), ("scope", scope)),
        )
    )


def ours(server: OktaServer) -> list[App]:
    """All applications but the one that introspects."""
    return [app for app in server.state.apps.values() if app is not server.gateway]


# creating


def test_the_client_id_is_the_credentials_own_and_differs_from_the_application_id(server: OktaServer) -> None:
    made = okta(server).create_client(machine())
    assert made.handle.client_id == "archway-0c0ffee0-0000-4000-8000-000000000001"
    assert made.handle.remote_id == ours(server)[0].id


def test_a_creation_that_is_repeated_makes_no_second_client_and_leaves_a_secret_that_works(server: OktaServer) -> None:
    adapter = okta(server)
    first = adapter.create_client(machine())
    again = adapter.create_client(machine())
    assert again.handle.client_id == first.handle.client_id
    assert len(ours(server)) == 1
    assert token(adapter, again).ok


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_creation_whose_answer_was_lost_can_just_be_repeated(server: OktaServer, fault: Fault) -> None:
    adapter = okta(server)
    server.fault("app_create", fault)
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    made = adapter.create_client(machine())
    assert len(ours(server)) == 1
    assert token(adapter, made).ok


def test_two_applications_may_have_the_same_name(server: OktaServer) -> None:
    adapter = okta(server)
    one, two = (adapter.create_client(machine(marker=f"{digit * 8}-cafe")) for digit in "12")
    assert one.observed["client_name"] == two.observed["client_name"] == "Shop"
    assert len({app.label for app in ours(server)}) == 2


def test_what_okta_refuses_comes_with_its_code_its_summary_and_its_causes(server: OktaServer) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        okta(server).create_client(replace(WEB, redirect_uris=()))
    assert (caught.value.remote_code, caught.value.remote_status) == ("E0000001", 400)
    assert "needs a redirect URI" in caught.value.remote_description


def test_a_refusal_of_dynamic_registration_comes_in_the_words_of_rfc_7591(server: OktaServer) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        okta(server, management="dcr").create_client(replace(WEB, redirect_uris=()))
    assert caught.value.remote_code == "invalid_client_metadata"
    assert "needs a redirect URI" in caught.value.remote_description


@pytest.mark.parametrize("management", ["apps", "dcr"])
def test_a_wrong_api_token_is_a_refusal_that_names_the_reason(server: OktaServer, management: str) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        okta(server, management=management, api_token="wrong").create_client(machine())
    assert (caught.value.remote_code, caught.value.remote_status) == ("E0000011", 401)


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [(machine(), "service"), (WEB, "web"), (replace(WEB, token_endpoint_auth_method="none"), "native")],
    ids=["machine", "web", "public"],
)
def test_the_application_type_follows_from_the_grants(server: OktaServer, metadata: ClientMetadata, kind: str) -> None:
    made = okta(server).create_client(metadata)
    assert made.observed["application_type"] == kind
    assert made.ignored == ()
    assert bool(made.handle.client_secret) == (kind != "native")


def test_an_unknown_extra_is_named_as_ignored(server: OktaServer) -> None:
    made = okta(server).create_client(machine(extra={"logo_uri": "https://shop.example.org/l.png", "colour": "red"}))
    assert made.ignored == ("colour",)
    assert made.observed["logo_uri"] == "https://shop.example.org/l.png"


# changing


@pytest.mark.parametrize("management", ["apps", "dcr"])
def test_an_update_keeps_what_the_administrator_set_at_okta(server: OktaServer, management: str) -> None:
    adapter = okta(server, management=management)
    made = adapter.create_client(WEB)
    ours(server)[0].oauth["tos_uri"] = "https://shop.example.org/terms"
    updated = adapter.update_client(made.handle, replace(WEB, client_name="Renamed"))
    assert updated.observed["tos_uri"] == "https://shop.example.org/terms"
    assert updated.observed["client_name"] == "Renamed"


@pytest.mark.parametrize("management", ["apps", "dcr"])
def test_the_application_type_can_never_change(server: OktaServer, management: str) -> None:
    adapter = okta(server, management=management)
    made = adapter.create_client(machine())
    with pytest.raises(KeyManagerRejected, match="application type"):
        adapter.update_client(made.handle, replace(WEB, marker=machine().marker))


def test_an_update_never_swaps_the_secret_for_the_older_of_two(server: OktaServer) -> None:
    adapter = okta(server, secret_rotation="overlap")
    rotated = adapter.rotate_secret(adapter.create_client(machine()).handle, machine())
    updated = adapter.update_client(rotated.handle, machine(client_name="Renamed"))
    assert updated.handle.client_secret == rotated.handle.client_secret


def test_an_active_application_is_deactivated_before_it_is_deleted(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    adapter.delete_client(made.handle)
    assert ours(server) == []
    assert [request.method for request in server.requests][-2:] == ["POST", "DELETE"]


def test_a_suspended_client_is_still_found_listed_and_deleted(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    adapter.suspend_client(made.handle)
    assert adapter.find_client(machine().marker) is not None
    assert made.handle.client_id in {client.handle.client_id for client in adapter.list_clients()}
    adapter.delete_client(made.handle)
    assert adapter.read_client(made.handle) is None


def test_suspending_a_client_that_is_gone_says_so(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    adapter.delete_client(made.handle)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.suspend_client(made.handle)
    assert caught.value.remote_code == "client_gone"


def test_a_client_of_another_hand_is_managed_by_its_client_id_alone(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    bare = replace(made.handle, remote_id="")
    assert adapter.read_client(bare) is not None
    assert token(adapter, adapter.rotate_secret(bare, machine())).ok


# secrets


def test_a_third_secret_makes_room_and_the_one_in_use_stays(server: OktaServer) -> None:
    adapter = okta(server, secret_rotation="overlap")
    client = adapter.create_client(machine())
    for _ in range(3):
        before, client = client, adapter.rotate_secret(client.handle, machine())
        assert token(adapter, before).ok
        assert token(adapter, client).ok
        assert len(ours(server)[0].secrets) == 2


def test_dropping_the_old_secret_twice_leaves_the_new_one(server: OktaServer) -> None:
    adapter = okta(server, secret_rotation="overlap")
    rotated = adapter.rotate_secret(adapter.create_client(machine()).handle, machine())
    adapter.drop_old_secret(rotated.handle)
    adapter.drop_old_secret(rotated.handle)
    assert ours(server)[0].good_secrets == [rotated.handle.client_secret]


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.done_but(500)], ids=["lost", "500"])
def test_a_rotation_whose_answer_was_lost_is_unknown_and_the_next_one_cleans_up(
    server: OktaServer, fault: Fault
) -> None:
    adapter = okta(server, secret_rotation="replace")
    made = adapter.create_client(machine())
    server.fault("secret_add", fault)
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, machine())
    rotated = adapter.rotate_secret(made.handle, machine())
    assert ours(server)[0].good_secrets == [rotated.handle.client_secret]


def test_a_rotation_that_could_not_end_the_old_secret_is_finished_by_the_next_one(server: OktaServer) -> None:
    adapter = okta(server, secret_rotation="replace")
    made = adapter.create_client(machine())
    server.fault("secret_change", too_many(reset_at=0))
    with pytest.raises(KeyManagerUnavailable):
        adapter.rotate_secret(made.handle, machine())
    rotated = adapter.rotate_secret(made.handle, machine())
    assert ours(server)[0].good_secrets == [rotated.handle.client_secret]


def test_two_secrets_are_not_on_offer_by_dynamic_registration(server: OktaServer) -> None:
    adapter = okta(server, management="dcr", secret_rotation="overlap")
    assert Capability.OVERLAPPING_SECRETS not in adapter.capabilities


# dynamic registration


def test_a_client_of_a_lost_registration_is_found_by_its_client_uri(server: OktaServer) -> None:
    adapter = okta(server, management="dcr")
    server.fault("client_create", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    found = adapter.find_client(machine().marker)
    assert found is not None
    assert found.observed["client_name"] == "Shop"


def test_a_replacement_carries_every_setting_and_none_of_oktas_own(server: OktaServer) -> None:
    adapter = okta(server, management="dcr")
    adapter.update_client(adapter.create_client(machine()).handle, machine(client_name="Renamed"))
    sent = server.requests_of("client_update")[0].json
    assert {"client_id_issued_at", "client_secret_expires_at", "client_secret"}.isdisjoint(sent)
    assert {"client_id", "application_type", "response_types", "redirect_uris"} <= sent.keys()


# scopes and policies


def test_each_client_gets_the_scopes_of_its_own_policy_and_no_other(server: OktaServer) -> None:
    adapter = okta(server)
    reader = adapter.create_client(machine())
    writer = adapter.create_client(machine(marker="22222222-cafe", scopes=frozenset({"museum:write"})))
    assert token(adapter, writer, "museum:write").ok
    refused = token(adapter, reader, "museum:write")
    assert (refused.status, refused.body["error"]) == (400, "access_denied")


def test_an_update_of_the_scopes_takes_effect_both_ways(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    adapter.update_client(made.handle, machine(scopes=frozenset({"museum:write"})))
    assert token(adapter, made, "museum:write").ok
    assert not token(adapter, made).ok
    adapter.update_client(made.handle, machine(scopes=frozenset()))
    assert not token(adapter, made, "museum:write").ok
    assert server.state.policies == {}


def test_a_policy_that_failed_does_not_lose_the_client_and_the_next_update_mends_it(server: OktaServer) -> None:
    adapter = okta(server)
    server.fault("policies", Fault.refused(500))
    made = adapter.create_client(machine())
    assert made.handle.client_secret
    assert made.ignored == ("scope",)
    mended = adapter.update_client(made.handle, machine())
    assert mended.ignored == ()
    assert token(adapter, made).ok


def test_a_scope_that_okta_does_not_know_yet_is_named_as_ignored(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine(scopes=frozenset({"museum:lend"})))
    assert made.ignored == ("scope",)
    adapter.register_scope(ScopeSpec(key="museum:lend"))
    assert adapter.update_client(made.handle, machine(scopes=frozenset({"museum:lend"}))).ignored == ()
    assert token(adapter, made, "museum:lend").ok


def test_the_policy_goes_with_the_client_also_when_the_first_try_failed(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    server.fault("app_delete", Fault.lost_answer())
    with pytest.raises(KeyManagerUnavailable):
        adapter.delete_client(made.handle)
    adapter.delete_client(made.handle)
    assert server.state.policies == {}
    assert ours(server) == []


def test_reading_a_client_tells_the_scopes_that_its_policy_allows_now(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(replace(WEB, scopes=frozenset({READ, "museum:write"})))
    found = adapter.read_client(made.handle)
    assert found is not None
    assert found.observed["scope"] == "museum:read museum:write"


def test_the_connection_check_fails_where_a_policy_is_for_all_clients(server: OktaServer) -> None:
    server.add_policy_for_everyone()
    steps = {step.name: step for step in okta(server).check()}
    assert steps["access policies"].state is StepState.FAILED
    assert "Default Policy" in steps["access policies"].reason


def test_the_connection_check_leaves_no_client_behind(server: OktaServer) -> None:
    steps = {step.name: step.state for step in okta(server).check()}
    assert steps["make a client"] is steps["remove the client"] is StepState.PASSED
    assert ours(server) == []
    assert server.state.policies == {}


def test_oktas_own_scopes_cannot_be_removed_by_us(server: OktaServer) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        okta(server).delete_scope("openid")
    assert caught.value.remote_code == "E0000006"


# pages and limits


@pytest.mark.parametrize("management", ["apps", "dcr"])
def test_a_client_behind_many_pages_is_found(server: OktaServer, management: str) -> None:
    for number in range(401):
        server._service_app(f"Other {number}")
    adapter = okta(server, management=management)
    adapter.create_client(machine())
    assert adapter.find_client(machine().marker) is not None
    assert len(list(adapter.list_clients())) == 403


def test_a_link_to_the_next_page_never_takes_our_api_token_elsewhere(server: OktaServer) -> None:
    elsewhere = (("Link", '<http://127.0.0.1:1/steal?after=c0>; rel="next"'),)
    fault = Fault(kind=Kind.ANSWER_INSTEAD, body=b"[]", content_type="application/json", headers=elsewhere)
    server.fault("app_list", fault)
    assert list(okta(server).list_clients())
    assert [request.path for request in server.requests] == ["/api/v1/apps"] * 2


@pytest.mark.parametrize("management", ["apps", "dcr"])
def test_too_many_calls_is_unavailable_until_the_second_that_okta_names(server: OktaServer, management: str) -> None:
    server.fault("*", too_many(reset_at=1_000_042))
    with pytest.raises(KeyManagerUnavailable) as caught:
        okta(server, management=management, now=1_000_000.0).create_client(machine())
    assert caught.value.retry_after == 42.0


# tokens


def test_an_expired_a_foreign_and_a_revoked_token_are_inactive(server: OktaServer) -> None:
    for mode in ("introspection", "jwt"):
        adapter = okta(server, token_validation=mode)
        assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)
        assert isinstance(adapter.introspect(server.make_token("c", [READ], seconds=-60)), Inactive)
    foreign = server.make_token("c", [READ], iss="https://elsewhere.example.org")
    assert isinstance(okta(server, token_validation="jwt").introspect(foreign), Inactive)


def test_a_token_of_a_new_key_is_good_and_one_of_a_withdrawn_key_is_not(server: OktaServer) -> None:
    old = server.make_token("c", [READ])
    server.rotate_key(keep_old=False)
    adapter = okta(server, token_validation="jwt")
    assert isinstance(adapter.introspect(server.make_token("c", [READ])), TokenFacts)
    assert isinstance(adapter.introspect(old), Inactive)


def test_the_scopes_of_a_jwt_are_a_list_and_its_client_is_cid(server: OktaServer) -> None:
    facts = okta(server, token_validation="jwt").introspect(server.make_token("archway-1", [READ, "museum:write"]))
    assert isinstance(facts, TokenFacts)
    assert (facts.client_id, set(facts.scopes)) == ("archway-1", {READ, "museum:write"})


def test_a_token_request_without_a_scope_is_refused_by_okta_in_its_words(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    given = token(adapter, made, "")
    assert (given.status, given.body["error"]) == (400, "invalid_scope")


def test_a_public_client_is_told_of_an_unknown_id_as_an_invalid_client(server: OktaServer) -> None:
    given = okta(server).issue_token(
        TokenRequest(client_id="nobody", parameters=(("grant_type", "client_credentials"),))
    )
    assert (given.status, given.body["error"]) == (401, "invalid_client")


def test_the_user_behind_a_token_is_told(server: OktaServer) -> None:
    value = server.make_token("c", ["openid"], uid="00u1", sub="alice@example.org")
    assert okta(server).user_claims(value)["preferred_username"] == "alice@example.org"


def test_a_client_made_elsewhere_is_told_apart_from_one_that_never_was(server: OktaServer) -> None:
    adapter = okta(server)
    made = adapter.create_client(machine())
    wrong = adapter.verify_client(replace(made.handle, remote_id="", client_secret="wrong"))
    nobody = adapter.verify_client(replace(made.handle, remote_id="", client_id="nobody"))
    assert (wrong.exists, wrong.secret_works) == (True, False)
    assert (nobody.exists, nobody.secret_works) == (False, False)


@pytest.mark.parametrize("tail", ["", "/oauth2/", "/oauth2/default/", "/oauth2/v1/clients"])
def test_only_the_issuer_of_a_custom_authorization_server_is_accepted(server: OktaServer, tail: str) -> None:
    with pytest.raises(InputError) as caught:
        okta(server, issuer=f"{server.origin}{tail}")
    assert "config.issuer" in caught.value.fields
