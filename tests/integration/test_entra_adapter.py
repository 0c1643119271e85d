"""The ``entra`` adapter where Entra ID surprises: late objects, lists written whole, one API per token."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from common.errors import (
    InputError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotFinished,
    OutcomeUnknown,
)
from common.http import HttpClient, HttpRequest
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    ClientHandle,
    ClientMetadata,
    Inactive,
    RegisteredClient,
    Resource,
    ScopeSpec,
    StepState,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.entra import EntraAdapter, EntraConfig
from tests.conformance.test_entra import LOOPBACK, values_for
from tests.conformance.world import ManualClock, Wire, ask, lost_answer, token_of
from tests.fakes.entra_server import EntraServer
from tests.fakes.entra_server.server import failing, throttled
from tests.fakes.faults import Fault
from tests.integration.test_vendor_descriptions import needs_descriptions

READ, WRITE = "museum:read", "museum:write"


@dataclass(kw_only=True)
class Kit:
    """A fake directory that knows two scopes, and adapters for it. ``kind``: which adapter."""

    server: EntraServer
    wire: Wire
    clock: ManualClock
    kind: type[EntraAdapter] = EntraAdapter

    def adapter(self, **changes: Any) -> EntraAdapter:
        config = parse_config(EntraConfig, values_for(self.server, **{"two_secrets": False, **changes}))
        return self.kind(config, HttpClient(transport=self.wire), self.clock)

    def client(self, marker: str = "m-1", **changes: Any) -> ClientMetadata:
        return ClientMetadata(
            **{"client_name": "Museum shop", "marker": marker, "scopes": frozenset({READ}), **changes}
        )


@contextmanager
def running(kind: type[EntraAdapter] = EntraAdapter) -> Iterator[Kit]:
    """A directory with the two scopes."""
    with EntraServer() as server:
        clock = ManualClock(server.store.clock())
        wire = Wire(PooledTransport(LOOPBACK))
        made = Kit(server=server, wire=wire, clock=clock)
        for key in (READ, WRITE):
            made.adapter().register_scope(ScopeSpec(key=key))
        try:
            yield replace(made, kind=kind)
        finally:
            wire.close()
        assert server.undescribed == []


@pytest.fixture
def kit() -> Iterator[Kit]:
    with running() as made:
        yield made


# what is new is not there at once


def test_an_application_that_is_not_visible_yet_is_an_unknown_outcome_that_is_found_and_finished(kit: Kit) -> None:
    adapter = kit.adapter()
    kit.server.switches.replication_lag = 1
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(kit.client())
    found = adapter.find_client("m-1")
    assert found is not None
    finished = adapter.rotate_secret(found.handle, kit.client())
    assert finished.ignored == ("scope",)  # its service principal was not visible yet either
    completed = adapter.update_client(finished.handle, kit.client())
    assert ask(adapter, completed, READ).scopes == {READ}


def test_a_create_that_is_repeated_makes_one_application_with_one_secret(kit: Kit) -> None:
    adapter = kit.adapter()
    before = len(kit.server.directory.applications)
    kit.server.fault("add_password", Fault.lost_answer())
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(kit.client())
    made = adapter.create_client(kit.client())
    application = next(a for a in kit.server.directory.applications.values() if a["appId"] == made.handle.client_id)
    assert len(kit.server.directory.applications) == before + 1
    assert len(application["passwordCredentials"]) == 1
    assert ask(adapter, made, READ).ok


def test_scopes_that_cannot_be_given_yet_do_not_lose_the_client(kit: Kit) -> None:
    adapter = kit.adapter()
    kit.server.switches.assignment_lag = 1
    made = adapter.create_client(kit.client())
    assert made.handle.client_secret
    assert "scope" in made.ignored
    assert ask(adapter, made, READ).scopes == frozenset()
    completed = adapter.update_client(made.handle, kit.client())
    assert "scope" not in completed.ignored
    assert ask(adapter, completed, READ).scopes == {READ}


def test_a_client_that_one_server_does_not_know_yet_is_never_called_gone(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    object_id = made.handle.remote_id
    kit.server.directory.waiting["replication_lag", object_id] = 1
    assert adapter.read_client(made.handle) is not None
    kit.server.directory.waiting["replication_lag", object_id] = 1
    with pytest.raises(NotFinished):
        adapter.update_client(made.handle, kit.client())
    kit.server.directory.waiting["replication_lag", object_id] = 1
    adapter.delete_client(made.handle)
    assert adapter.read_client(made.handle) is None


def test_a_fresh_secret_that_is_refused_at_first_is_explained(kit: Kit) -> None:
    adapter = kit.adapter()
    kit.server.switches.secret_lag = 1
    made = adapter.create_client(kit.client())
    refused = adapter.verify_client(made.handle)
    assert (refused.exists, refused.secret_works) == (True, False)
    assert refused.notes
    assert adapter.verify_client(made.handle).secret_works is True


# throttling and our own rights


@pytest.mark.parametrize(("header", "wait"), [(11, 11.0), (None, None)])
def test_throttling_is_unavailable_with_and_without_a_stated_time(
    kit: Kit, header: int | None, wait: float | None
) -> None:
    adapter = kit.adapter()
    kit.server.fault("upsert", throttled(retry_after=header))
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.create_client(kit.client())
    assert caught.value.retry_after == wait


def test_throttling_in_the_middle_of_a_creation_is_unknown(kit: Kit) -> None:
    kit.server.fault("add_password", throttled(retry_after=3))
    with pytest.raises(OutcomeUnknown):
        kit.adapter().create_client(kit.client())


def test_our_token_that_ended_early_is_fetched_anew(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.clock.time += 60
    kit.server.forget_our_tokens()
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.read_client(made.handle)
    assert caught.value.retry_after == 0.0
    assert adapter.read_client(made.handle) is not None


def test_without_the_right_to_assign_roles_the_client_is_made_and_the_missing_scope_named(kit: Kit) -> None:
    kit.server.switches.may_assign = False
    made = kit.adapter().create_client(kit.client())
    assert made.handle.client_secret
    assert made.ignored == ("scope",)


def test_graphs_code_and_words_are_told(kit: Kit) -> None:
    kit.server.fault("upsert", failing(400, "Request_BadRequest"))
    with pytest.raises(KeyManagerRejected) as caught:
        kit.adapter().create_client(kit.client())
    assert caught.value.remote_code == "Request_BadRequest"
    assert caught.value.remote_description == "a queued fault"


# secrets


def test_a_secret_made_by_hand_survives_a_rotation(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    application = next(a for a in kit.server.directory.applications.values() if a["appId"] == made.handle.client_id)
    by_hand = kit.server.directory.add_password(application, {"displayName": "made by hand"})
    adapter.rotate_secret(made.handle, kit.client())
    assert ask(adapter, made, READ, client_secret=by_hand["secretText"]).ok
    assert not ask(adapter, made, READ).ok


def test_a_rotation_whose_old_secret_did_not_end_is_unknown_and_ends_it_the_next_time(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.server.fault("remove_password", Fault.empty(500))
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, kit.client())
    rotated = adapter.rotate_secret(made.handle, kit.client())
    assert not ask(adapter, made, READ).ok
    assert ask(adapter, rotated, READ).ok


def test_a_secret_is_not_called_ended_because_its_application_is_not_visible(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.server.fault("remove_password", failing(404, "Request_ResourceNotFound"))
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, kit.client())
    assert ask(adapter, made, READ).ok
    adapter.rotate_secret(made.handle, kit.client())
    assert not ask(adapter, made, READ).ok


def test_a_secret_that_somebody_ended_meanwhile_does_not_stop_a_rotation(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())

    def ended(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
        inner.handle_request(request).read()
        return inner.handle_request(request)

    kit.wire.plan(lambda request: request.url.path.endswith("/removePassword"), ended)
    rotated = adapter.rotate_secret(made.handle, kit.client())
    assert ask(adapter, rotated, READ).ok


def test_of_three_rotations_two_secrets_are_left(kit: Kit) -> None:
    adapter = kit.adapter(two_secrets=True)
    first = adapter.create_client(kit.client())
    second = adapter.rotate_secret(first.handle, kit.client())
    third = adapter.rotate_secret(second.handle, kit.client())
    assert [ask(adapter, each, READ).ok for each in (first, second, third)] == [False, True, True]
    adapter.drop_old_secret(third.handle)
    assert [ask(adapter, each, READ).ok for each in (first, second, third)] == [False, False, True]


def test_the_end_of_a_secret_is_told(kit: Kit) -> None:
    made = kit.adapter(secret_days=30).create_client(kit.client())
    assert made.client_secret_expires_at == pytest.approx(kit.clock.time + 30 * 86400, abs=5)
    forever = kit.adapter().create_client(kit.client(marker="m-2"))
    assert forever.client_secret_expires_at > kit.clock.time + 700 * 86400


# scopes


def test_two_writers_of_scopes_never_lose_each_others(kit: Kit) -> None:
    one, other = kit.adapter(), kit.adapter()

    def meanwhile(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
        kit.wire.heal()
        other.register_scope(ScopeSpec(key="museum:other"))
        return inner.handle_request(request)

    kit.wire.plan(lambda request: b"museum:one" in request.content, meanwhile)
    with pytest.raises(KeyManagerUnavailable):
        one.register_scope(ScopeSpec(key="museum:one"))
    one.register_scope(ScopeSpec(key="museum:one"))
    assert one.list_scopes() == {READ, WRITE, "museum:one", "museum:other"}


def test_permissions_made_by_hand_are_left_alone(kit: Kit) -> None:
    adapter = kit.adapter()
    application = next(iter(kit.server.directory.applications.values()))
    role = {"id": "11111111-1111-1111-1111-111111111111", "value": "By.Hand", "isEnabled": True}
    role |= {"allowedMemberTypes": ["User"], "displayName": "By hand", "description": "By hand"}
    application["appRoles"].append(role)
    adapter.register_scope(ScopeSpec(key="museum:new"))
    adapter.delete_scope(READ)
    adapter.delete_scope("By.Hand")
    assert adapter.list_scopes() == {WRITE, "museum:new", "By.Hand"}


def test_a_scope_that_is_taken_from_a_client_is_no_longer_in_its_tokens(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client(scopes=frozenset({READ, WRITE})))
    assert ask(adapter, made, READ).scopes == {READ, WRITE}
    adapter.update_client(made.handle, kit.client(scopes=frozenset({WRITE})))
    assert ask(adapter, made, READ).scopes == {WRITE}
    found = adapter.read_client(made.handle)
    assert found is not None
    assert found.observed["scope"] == WRITE


def test_a_scope_that_does_not_exist_is_named_as_not_given(kit: Kit) -> None:
    made = kit.adapter().create_client(kit.client(scopes=frozenset({READ, "museum:none"})))
    assert made.ignored == ("scope",)


# people


def signed_in(kit: Kit, adapter: EntraAdapter, client: RegisteredClient, scope: str) -> str:
    """The code that the directory gives to a person's application."""
    query = f"response_type=code&client_id={client.handle.client_id}&redirect_uri=https%3A%2F%2Fa.example%2Fb"
    url = adapter.authorization_url(f"{query}&scope={scope}&state=s")
    answer = HttpClient(transport=kit.wire).send(HttpRequest(method="GET", url=url))
    return parse_qs(urlsplit(answer.header("location")).query)["code"][0]


def people_client(kit: Kit, adapter: EntraAdapter) -> RegisteredClient:
    grants = ("authorization_code", "refresh_token", "client_credentials")
    return adapter.create_client(kit.client(grant_types=grants, redirect_uris=("https://a.example/b",)))


def code_request(client: RegisteredClient, code: str) -> TokenRequest:
    parameters = (
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://a.example/b"),
    )
    return TokenRequest(
        client_id=client.handle.client_id, client_secret=client.handle.client_secret, parameters=parameters
    )


def test_a_persons_token_has_the_consented_scopes_and_not_the_persons_roles(kit: Kit) -> None:
    adapter = kit.adapter()
    client = people_client(kit, adapter)
    assert client.ignored == ()
    code = signed_in(kit, adapter, client, f"openid+offline_access+{READ.replace(':', '%3A')}")
    given = adapter.issue_token(code_request(client, code))
    assert given.scopes == {READ}
    facts = adapter.introspect(token_of(given))
    assert isinstance(facts, TokenFacts)
    assert facts.scopes == {READ}
    refreshed = adapter.issue_token(
        TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(("grant_type", "refresh_token"), ("refresh_token", given.body["refresh_token"])),
        )
    )
    assert refreshed.scopes == {READ}


def test_a_consent_follows_the_clients_scopes(kit: Kit) -> None:
    adapter = kit.adapter()
    client = people_client(kit, adapter)
    grants = ("authorization_code", "client_credentials")
    wanted = kit.client(grant_types=grants, redirect_uris=("https://a.example/b",))
    adapter.update_client(client.handle, replace(wanted, scopes=frozenset({WRITE})))
    assert [entry["scope"] for entry in kit.server.directory.consents.values()] == [WRITE]
    code = signed_in(kit, adapter, client, READ)
    assert adapter.issue_token(code_request(client, code)).body["error"] == "invalid_grant"
    adapter.update_client(client.handle, replace(wanted, scopes=frozenset()))
    assert not kit.server.directory.consents


def test_a_public_client_has_no_secret(kit: Kit) -> None:
    wanted = kit.client(
        grant_types=("authorization_code",),
        redirect_uris=("http://127.0.0.1/back",),
        token_endpoint_auth_method="none",
    )
    made = kit.adapter().create_client(wanted)
    assert not made.handle.client_secret
    assert made.ignored == ()
    assert made.observed["redirect_uris"] == ["http://127.0.0.1/back"]


def test_that_a_grant_cannot_be_taken_away_is_told(kit: Kit) -> None:
    wanted = kit.client(grant_types=("authorization_code",), redirect_uris=("https://a.example/b",))
    assert kit.adapter().create_client(wanted).ignored == ("grant_types",)


# resources and audiences


MUSEUM = Resource(identifier="urn:archway:api:museum/1.0", name="Museum 1.0", scopes=frozenset({READ}))


def for_resource(client: RegisteredClient, *identifiers: str) -> TokenRequest:
    parameters = (("grant_type", "client_credentials"), ("scope", READ), *(("resource", name) for name in identifiers))
    return TokenRequest(
        client_id=client.handle.client_id, client_secret=client.handle.client_secret, parameters=parameters
    )


@pytest.mark.parametrize("version", ["v1.0", "v2.0"])
def test_a_token_for_one_resource_has_its_own_audience(kit: Kit, version: str) -> None:
    adapter = kit.adapter(access_token_version=version, api_name="other")
    adapter.register_scope(ScopeSpec(key=READ))
    adapter.register_resource(MUSEUM)
    client = adapter.create_client(kit.client())
    shared = adapter.introspect(token_of(adapter.issue_token(for_resource(client))))
    own = adapter.introspect(token_of(adapter.issue_token(for_resource(client, MUSEUM.identifier))))
    assert isinstance(shared, TokenFacts)
    assert isinstance(own, TokenFacts)
    assert shared.scopes == own.scopes == {READ}
    assert shared.aud != own.aud


def test_a_client_that_is_older_than_a_resource_gets_its_scopes_there(kit: Kit) -> None:
    adapter = kit.adapter()
    client = adapter.create_client(kit.client())
    made = adapter.register_resource(MUSEUM)
    assert adapter.issue_token(for_resource(client, MUSEUM.identifier)).scopes == {READ}
    adapter.update_resource(made.remote_id, replace(MUSEUM, name="Museum", scopes=frozenset({READ, WRITE})))
    found = adapter.read_resource(made.remote_id)
    assert found is not None
    assert found.identifier == MUSEUM.identifier
    assert found.scopes == {READ, WRITE}


def test_a_resource_that_could_not_be_finished_is_unknown_and_finished_by_a_repeat(kit: Kit) -> None:
    adapter = kit.adapter()
    before = len(kit.server.directory.applications)
    kit.server.fault("update", throttled(retry_after=1))
    with pytest.raises(OutcomeUnknown):
        adapter.register_resource(MUSEUM)
    made = adapter.register_resource(MUSEUM)
    assert len(kit.server.directory.applications) == before + 1
    assert made.scopes == MUSEUM.scopes


def test_a_resource_that_somebody_removed_is_made_again(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.register_resource(MUSEUM)
    kit.server.directory.remove_application(kit.server.directory.applications[made.remote_id])
    again = adapter.update_resource(made.remote_id, MUSEUM)
    assert again.remote_id != made.remote_id
    assert adapter.read_resource(again.remote_id) is not None


def test_tags_that_an_administrator_gave_stay(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    principal = kit.server.directory.by_app_id(kit.server.directory.principals, made.handle.client_id)
    assert principal is not None
    principal["tags"].append("HideApp")
    adapter.update_client(made.handle, kit.client(client_name="Renamed"))
    assert principal["tags"] == ["archway-client", "HideApp"]


def test_a_token_for_two_resources_is_refused_before_anything_is_sent(kit: Kit) -> None:
    adapter = kit.adapter()
    client = adapter.create_client(kit.client())
    kit.wire.sent.clear()
    given = adapter.issue_token(for_resource(client, "urn:one", "urn:two"))
    assert (given.status, given.body["error"]) == (400, "invalid_target")
    assert not kit.wire.sent


def test_a_token_for_another_api_of_the_directory_is_not_ours(kit: Kit) -> None:
    adapter = kit.adapter(access_token_version="v1.0")
    client = adapter.create_client(kit.client())
    foreign = kit.server.login._issue(client.handle.client_id, "api://x", 1, audience="api://x", more={})
    answer = adapter.introspect(foreign.value)
    assert isinstance(answer, Inactive)
    assert "another API" in answer.reason


def test_a_token_of_another_issuer_is_inactive(kit: Kit) -> None:
    adapter = kit.adapter()
    client = adapter.create_client(kit.client())
    kit.server.login.issuer_in_tokens = "https://login.microsoftonline.com/other/v2.0"
    assert isinstance(adapter.introspect(token_of(ask(adapter, client, READ))), Inactive)


def test_a_token_with_a_new_key_is_good_and_an_expired_one_is_not(kit: Kit) -> None:
    adapter = kit.adapter()
    client = adapter.create_client(kit.client())
    assert isinstance(adapter.introspect(token_of(ask(adapter, client, READ))), TokenFacts)
    kit.server.rotate_key(keep_old=False)
    kit.clock.time += 60
    later = token_of(ask(adapter, client, READ))
    assert isinstance(adapter.introspect(later), TokenFacts)
    kit.clock.time += 7200
    assert isinstance(adapter.introspect(later), Inactive)


# lists, suspension, check


def test_a_list_of_many_pages_is_whole(kit: Kit) -> None:
    adapter = kit.adapter()
    made = {adapter.create_client(kit.client(marker=f"m-{number}")).handle.client_id for number in range(5)}
    kit.server.switches.page_size = 2
    assert {client.handle.client_id for client in adapter.list_clients()} == made


def test_a_next_page_at_another_address_is_not_fetched_with_our_token(kit: Kit) -> None:
    adapter = kit.adapter()
    answer = {"value": [], "@odata.nextLink": "http://127.0.0.1:1/v1.0/applications"}
    kit.wire.plan(lambda request: request.method == "GET", lambda _request, _inner: httpx2.Response(200, json=answer))
    with pytest.raises(KeyManagerProtocolError):
        list(adapter.list_clients())
    assert not [request for request in kit.wire.sent if request.url.port == 1]


def test_an_update_does_not_resume_a_suspended_client(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    adapter.suspend_client(made.handle)
    updated = adapter.update_client(made.handle, kit.client(client_name="Renamed"))
    assert updated.observed["enabled"] is False
    assert not ask(adapter, made, READ).ok


def test_a_client_that_was_made_elsewhere_is_verified_by_its_id(kit: Kit) -> None:
    assert kit.adapter().verify_client(ClientHandle(client_id="x' or '1", client_secret="s")).exists is False


def test_the_check_leaves_no_client_behind_even_when_it_fails_half_way(kit: Kit) -> None:
    adapter = kit.adapter(trial_client=True)
    assert {step.state for step in adapter.check()} == {StepState.PASSED}
    kit.server.fault("add_password", failing(403, "Authorization_RequestDenied"))
    states = {step.name: step.state for step in adapter.check()}
    assert states["make a client"] is StepState.FAILED
    assert states["remove the client"] is StepState.PASSED
    assert [a for a in kit.server.directory.applications.values() if "archway-client" in a["tags"]] == []


def test_a_wrong_issuer_is_named_with_the_right_one(kit: Kit) -> None:
    with pytest.raises(InputError) as caught:
        parse_config(EntraConfig, values_for(kit.server, issuer=kit.server.login.issuer(1)))
    assert kit.server.login.issuer(2) in caught.value.fields["config.issuer"][0]
    with pytest.raises(InputError):
        parse_config(EntraConfig, values_for(kit.server, tenant_id="contoso.example"))


def test_a_lost_answer_to_a_password_does_not_leave_two_unknown_secrets(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.wire.plan(lambda request: request.url.path.endswith("/addPassword"), lost_answer)
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, kit.client())
    kit.wire.heal()
    adapter.rotate_secret(made.handle, kit.client())
    application = next(a for a in kit.server.directory.applications.values() if a["appId"] == made.handle.client_id)
    assert len(application["passwordCredentials"]) == 1


@needs_descriptions
def test_every_kind_of_graph_call_was_held_against_the_vendors_description() -> None:
    with EntraServer() as server, closing(PooledTransport(LOOPBACK)) as transport:
        config = parse_config(EntraConfig, values_for(server, two_secrets=True))
        adapter = EntraAdapter(config, HttpClient(transport=transport), ManualClock(server.store.clock()))
        adapter.register_scope(ScopeSpec(key=READ))
        grants = ("client_credentials", "authorization_code")
        wanted = ClientMetadata(client_name="a", marker="m", scopes=frozenset({READ}), grant_types=grants)
        made = adapter.create_client(wanted)
        rotated = adapter.rotate_secret(made.handle, wanted)
        adapter.drop_old_secret(rotated.handle)
        adapter.update_client(rotated.handle, replace(wanted, scopes=frozenset()))
        adapter.suspend_client(rotated.handle)
        assert list(adapter.list_clients())
        adapter.delete_client(rotated.handle)
        assert len({template for _, template, _ in server.exchanges.held}) >= 12
        assert server.undescribed == []
