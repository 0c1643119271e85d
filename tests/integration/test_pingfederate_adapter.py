"""The ``pingfederate`` adapter where PingFederate surprises: retained secrets, whole writes, 422 for everything."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from common.errors import InputError, KeyManagerRejected, OutcomeUnknown
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    ClientMetadata,
    KeyManagerAdapter,
    ScopeSpec,
    StepState,
    TokenFacts,
)
from keymanager.adapters.pingfederate import PingFederateAdapter, PingFederateConfig
from tests.conformance.test_pingfederate import LOOPBACK, registering, updating, values_for
from tests.conformance.world import ManualClock, Wire, answer, ask, lost_answer, token_of
from tests.fakes.pingfederate_server import PingFederateServer
from tests.fakes.pingfederate_server.server import HABITS
from tests.fakes.vendor_descriptions import Description
from tests.integration.test_vendor_descriptions import needs_descriptions

READ, WRITE = "museum:read", "museum:write"
BOTH_WAYS = pytest.mark.parametrize("management", ["admin_api", "client_service"])


@dataclass(kw_only=True)
class Kit:
    """A fake server that knows two exclusive scopes, and adapters for it. ``kind``: which adapter."""

    server: PingFederateServer
    wire: Wire
    clock: ManualClock
    kind: type[PingFederateAdapter] = PingFederateAdapter

    def adapter(self, **changes: Any) -> PingFederateAdapter:
        config = parse_config(PingFederateConfig, values_for(self.server, **changes))
        return self.kind(config, HttpClient(transport=self.wire), self.clock)

    def client(self, marker: str = "m-1", **changes: Any) -> ClientMetadata:
        return ClientMetadata(
            **{"client_name": "Museum shop", "marker": marker, "scopes": frozenset({READ}), **changes}
        )


@contextmanager
def running(kind: type[PingFederateAdapter] = PingFederateAdapter) -> Iterator[Kit]:
    """A server with the two scopes."""
    clock = ManualClock(1_800_000_000.0)
    with PingFederateServer(clock=clock.now, quirks=replace(HABITS, token_seconds=7200)) as server:
        made = Kit(server=server, wire=Wire(PooledTransport(LOOPBACK)), clock=clock)
        for key in (READ, WRITE):
            made.adapter().register_scope(ScopeSpec(key=key))
        try:
            yield replace(made, kind=kind)
        finally:
            made.wire.close()
        assert server.undescribed == []


@pytest.fixture
def kit() -> Iterator[Kit]:
    with running() as made:
        yield made


# made once


@BOTH_WAYS
def test_a_create_that_is_repeated_makes_one_client_with_one_secret(kit: Kit, management: str) -> None:
    adapter = kit.adapter(management=management)
    kit.wire.plan(registering, lost_answer)
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(kit.client())
    kit.wire.heal()
    made = adapter.create_client(kit.client())
    assert list(kit.server.clients) == ["archway-m-1"]
    assert ask(adapter, made, READ).ok


def test_a_refused_value_is_not_taken_for_a_client_that_is_there_already(kit: Kit) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        kit.adapter().create_client(kit.client(scopes=frozenset({"museum:none"})))
    assert caught.value.remote_status == 422
    assert caught.value.remote_code == "validation_error"
    assert "exclusiveScopes: The scope 'museum:none' is not defined." in caught.value.remote_description


@BOTH_WAYS
def test_ids_and_secrets_are_ours_and_safe_in_every_place(kit: Kit, management: str) -> None:
    made = kit.adapter(management=management).create_client(kit.client())
    assert made.handle.client_id == "archway-m-1"
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,}", made.handle.client_secret)


@pytest.mark.parametrize(
    ("management", "names"),
    [
        ("admin_api", ["CLIENT_CREDENTIALS", "RESOURCE_OWNER_CREDENTIALS"]),
        ("client_service", ["client_credentials", "password"]),
    ],
)
def test_each_interface_is_told_the_grants_in_its_own_words(kit: Kit, management: str, names: list[str]) -> None:
    adapter = kit.adapter(management=management)
    made = adapter.create_client(kit.client(grant_types=("client_credentials", "password")))
    sent = json.loads(kit.wire.matching(registering)[-1].content)
    assert sent.get("client", [sent])[0]["grantTypes"] == names
    found = adapter.read_client(made.handle)
    assert found is not None
    assert found.observed["grant_types"] == ["client_credentials", "password"]
    assert made.ignored == ()


def test_a_list_has_our_clients_only_and_all_of_them(kit: Kit) -> None:
    adapter = kit.adapter()
    made = {adapter.create_client(kit.client(marker=f"m-{number}")).handle.client_id for number in range(101)}
    foreign = {"clientId": "other", "name": "not archway-made", "grantTypes": ["CLIENT_CREDENTIALS"]}
    kit.server.managed.put(foreign, {"type": "NONE"}, None)
    assert {client.handle.client_id for client in adapter.list_clients()} == made


# what an update leaves alone


def test_an_update_keeps_what_an_administrator_set(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.server.managed.documents["archway-m-1"] |= {"logoUrl": "https://a.example/logo", "bypassApprovalPage": True}
    updated = adapter.update_client(made.handle, kit.client(client_name="Renamed"))
    document = kit.server.managed.documents["archway-m-1"]
    assert (document["name"], document.get("logoUrl")) == ("Renamed", "https://a.example/logo")
    assert document.get("bypassApprovalPage") is True
    assert ask(adapter, updated, READ).ok


@BOTH_WAYS
def test_an_update_does_not_resume_a_suspended_client(kit: Kit, management: str) -> None:
    adapter = kit.adapter(management=management)
    made = adapter.create_client(kit.client())
    adapter.suspend_client(made.handle)
    assert adapter.update_client(made.handle, kit.client(client_name="Renamed")).observed["enabled"] is False
    assert not ask(adapter, made, READ).ok


@BOTH_WAYS
def test_a_client_that_was_public_and_becomes_confidential_gets_a_secret(kit: Kit, management: str) -> None:
    adapter = kit.adapter(management=management)
    public = kit.client(
        token_endpoint_auth_method="none",
        grant_types=("authorization_code",),
        redirect_uris=("https://a.example/b",),
    )
    made = adapter.create_client(public)
    assert not made.handle.client_secret
    changed = adapter.update_client(made.handle, kit.client())
    assert ask(adapter, changed, READ).ok


# secrets


def test_a_replaced_secret_ends_when_its_time_is_over(kit: Kit) -> None:
    adapter = kit.adapter(two_secrets=True, secret_retention_minutes=30)
    made = adapter.create_client(kit.client())
    rotated = adapter.rotate_secret(made.handle, kit.client())
    kit.clock.time += 29 * 60
    assert ask(adapter, made, READ).ok
    kit.clock.time += 2 * 60
    assert not ask(adapter, made, READ).ok
    assert ask(adapter, rotated, READ).ok


def test_a_retention_that_the_server_has_for_everybody_does_not_keep_a_secret_that_we_call_ended(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.server.managed.documents["archway-m-1"]["clientSecretRetentionPeriodType"] = "SERVER_DEFAULT"
    rotated = adapter.rotate_secret(made.handle, kit.client())
    assert not ask(adapter, made, READ).ok
    assert ask(adapter, rotated, READ).ok


def test_an_old_secret_that_did_not_end_is_an_unknown_outcome(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.server.managed.documents["archway-m-1"]["clientSecretRetentionPeriodType"] = "SERVER_DEFAULT"
    kit.wire.plan(lambda request: b"secondarySecrets" in request.content, answer(400))
    with pytest.raises(OutcomeUnknown):
        adapter.rotate_secret(made.handle, kit.client())
    kit.wire.heal()
    rotated = adapter.rotate_secret(made.handle, kit.client())
    assert not ask(adapter, made, READ).ok
    assert ask(adapter, rotated, READ).ok


def test_the_client_service_offers_neither_scopes_nor_two_secrets(kit: Kit) -> None:
    held = kit.adapter(management="client_service").capabilities
    assert not held & {Capability.SCOPES, Capability.OVERLAPPING_SECRETS}
    with pytest.raises(InputError):
        kit.adapter(management="client_service", two_secrets=True)


def test_what_came_of_a_change_without_an_answer_body_is_unknown_when_it_cannot_be_read(kit: Kit) -> None:
    adapter = kit.adapter(management="client_service")
    kit.server.service.empty_answers = True
    kit.wire.plan(lambda request: request.method == "GET" and "/pf-ws/" in request.url.path, answer(500))
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(kit.client())


# scopes and tokens


def test_a_scope_of_the_other_kind_is_refused_with_the_servers_words(kit: Kit) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        kit.adapter(scope_kind="common").register_scope(ScopeSpec(key=READ))
    assert "already exists" in caught.value.remote_description


def test_a_client_gets_no_scope_beyond_its_own(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    assert ask(adapter, made, WRITE).body["error"] == "invalid_scope"
    updated = adapter.update_client(made.handle, kit.client(scopes=frozenset({WRITE})))
    assert ask(adapter, updated, WRITE).ok
    assert ask(adapter, updated, READ).body["error"] == "invalid_scope"


def test_a_token_that_names_its_client_in_pingfederates_own_claim_is_understood(kit: Kit) -> None:
    adapter = kit.adapter(token_validation="jwt", introspection_client_id="")
    token = kit.server.make_token("archway-m-1", scope=READ, token_format="jwt")
    facts = adapter.introspect(token)
    assert isinstance(facts, TokenFacts)
    assert facts.client_id == "archway-m-1"


def test_an_introspection_without_the_time_of_issue_is_understood(kit: Kit) -> None:
    adapter = kit.adapter()
    made = adapter.create_client(kit.client())
    facts = adapter.introspect(token_of(ask(adapter, made, READ)))
    assert isinstance(facts, TokenFacts)
    assert facts.iat is None
    assert facts.client_id == made.handle.client_id


# rights, verification, check


def test_every_management_call_carries_the_header_that_the_server_demands(kit: Kit) -> None:
    made = kit.adapter().create_client(kit.client())
    kit.adapter().update_client(made.handle, kit.client())
    calls = [request for request in kit.wire.sent if "/pf-admin-api/" in request.url.path]
    assert calls
    assert all(request.headers["x-xsrf-header"] == "PingFederate" for request in calls)


def test_a_client_that_was_made_elsewhere_is_verified(kit: Kit) -> None:
    adapter = kit.adapter()
    unknown = adapter.verify_client(ClientHandle(client_id="other/../x", client_secret="s"))
    assert (unknown.exists, unknown.secret_works) == (False, False)
    elsewhere = {"clientId": "other", "name": "Other", "grantTypes": ["CLIENT_CREDENTIALS"]}
    kit.server.managed.put(elsewhere, {"type": "SECRET", "secret": "made-by-hand"}, None)
    good = adapter.verify_client(ClientHandle(client_id="other", client_secret="made-by-hand"))
    bad = adapter.verify_client(ClientHandle(client_id="other", client_secret="wrong"))
    assert (good.exists, good.secret_works) == (True, True)
    assert (bad.exists, bad.secret_works) == (True, False)


@BOTH_WAYS
def test_the_check_names_a_wrong_password_and_does_not_show_it(kit: Kit, management: str) -> None:
    adapter = kit.adapter(management=management, management_password="hidden-but-wrong")
    steps = {step.name: step for step in adapter.check()}
    assert steps["discovery"].state is StepState.PASSED
    assert steps["right to manage clients"].state is StepState.FAILED
    assert not [step for step in steps.values() if "hidden" in step.reason]


@BOTH_WAYS
def test_the_check_leaves_no_client_behind(kit: Kit, management: str) -> None:
    steps = list(kit.adapter(management=management).check())
    assert not [step for step in steps if step.state is StepState.FAILED]
    assert "remove the client" in [step.name for step in steps]
    assert not kit.server.clients


def test_a_lost_answer_to_a_lasting_change_is_found_again(kit: Kit) -> None:
    adapter: KeyManagerAdapter = kit.adapter()
    made = adapter.create_client(kit.client())
    kit.wire.plan(updating, lost_answer)
    with pytest.raises(OutcomeUnknown):
        adapter.update_client(made.handle, kit.client(client_name="Renamed"))
    kit.wire.heal()
    found = adapter.find_client("m-1")
    assert found is not None
    assert found.observed["client_name"] == "Renamed"


@needs_descriptions
def test_every_kind_of_administrative_call_was_held_against_the_vendors_description() -> None:
    with PingFederateServer() as server, closing(PooledTransport(LOOPBACK)) as transport:
        for kind in ("exclusive", "common"):
            changes = {"scope_kind": kind, "two_secrets": True}
            config = parse_config(PingFederateConfig, values_for(server, **changes))
            adapter = PingFederateAdapter(config, HttpClient(transport=transport), ManualClock(server.store.clock()))
            key = f"museum:{kind}"
            adapter.register_scope(ScopeSpec(key=key))
            adapter.register_scope(ScopeSpec(key=key, description="Changed"))
            wanted = ClientMetadata(client_name="a", marker=kind, scopes=frozenset({key}))
            made = adapter.create_client(wanted)
            rotated = adapter.rotate_secret(made.handle, wanted)
            adapter.update_client(rotated.handle, wanted)
            adapter.drop_old_secret(rotated.handle)
            assert list(adapter.list_clients())
            assert adapter.list_scopes() == {key}
            adapter.delete_scope(key)
            adapter.delete_client(rotated.handle)
            list(adapter.check())
        held = {(method, template) for method, template, _ in server.exchanges.held}
        assert held == Description.read("pingfederate-admin").operations
        assert server.undescribed == []
