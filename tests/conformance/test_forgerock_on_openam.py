"""The ``forgerock`` adapter on a real OpenAM 16: what its page of surprises says, seen again."""

import os
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from common.errors import KeyManagerRejected
from keymanager.adapters.contract import (
    ClientHandle,
    Inactive,
    KeyManagerAdapter,
    RegisteredClient,
    StepState,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.forgerock import ForgeRockAdapter
from tests.conformance.broken_on_openam import (
    LeavesTheClientTypeOut,
    SharesOneRegistrationToken,
    TakesEverySignedTokenForAnAccessToken,
    WritesPlainLists,
)
from tests.conformance.forgerock_world import BY_ADMIN, BY_REGISTRATION, forgerock_world
from tests.conformance.planted import must_catch
from tests.conformance.suite import AdapterConformance
from tests.conformance.world import World, answer, ask, registering, token_of
from tests.servers import openam
from tests.servers.layout import ROOT

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(openam_server: openam.OpenAmServer) -> openam.OpenAmServer:
    return openam_server


def values(server: openam.OpenAmServer, **more: Any) -> dict[str, Any]:
    """The configuration of a key manager."""
    options = server.options
    return {
        "issuer": server.issuer,
        "admin_user": options.admin_user,
        "admin_password": options.admin_password,
        **more,
    }


def registering_values(server: openam.OpenAmServer) -> dict[str, Any]:
    """The configuration where clients are made by registration."""
    return {
        "issuer": server.issuer,
        "management": "dcr_create",
        "registration_client_id": server.options.dcr_client_id,
        "registration_client_secret": server.options.dcr_client_secret,
    }


def soon(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def refresh_token_is_refused(adapter: KeyManagerAdapter, world: World, client: RegisteredClient) -> None:
    """Of a person's two tokens only one is for calling APIs."""
    request = TokenRequest(
        client_id=client.handle.client_id,
        client_secret=client.handle.client_secret,
        parameters=(
            *(("grant_type", "password"), ("username", "demo"), ("password", "changeit")),
            ("scope", world.scopes[0]),
        ),
    )
    given = adapter.issue_token(request).body
    assert isinstance(adapter.introspect(str(given["access_token"])), TokenFacts)
    assert isinstance(adapter.introspect(str(given["refresh_token"])), Inactive)


class OnOpenAm(AdapterConformance):
    """By the administration REST API; a subclass says what else is set."""

    slug = "forgerock"
    config: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def world(self, server: openam.OpenAmServer) -> Iterator[World]:
        world = forgerock_world(values(server, **self.config), BY_ADMIN, **self.expected)
        yield world
        world.wire.close()

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer in AM's words."""
        metadata = world.client_metadata()
        document = {
            "_id": f"archway-{metadata.marker}",
            "com.forgerock.openam.oauth2provider.name": ["[0]=Another"],
            "com.forgerock.openam.oauth2provider.scopes": ["museum:read"],
        }
        world.wire.plan(registering, answer(201, json=document))
        made = adapter.create_client(metadata)
        assert {"client_name", "scope", "grant_types"} <= set(made.ignored)

    def test_a_refresh_token_is_no_access_token(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """Where tokens are JWTs the same key signs both."""
        refresh_token_is_refused(adapter, world, client)

    def test_a_suspended_client_gets_no_token_until_it_is_resumed(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        """OpenAM keeps clients in memory and hears of a change a moment later."""
        made = adapter.create_client(world.client_metadata())
        adapter.suspend_client(made.handle)
        assert soon(lambda: not ask(adapter, made, world.scopes[0]).ok)
        adapter.resume_client(made.handle)
        assert soon(lambda: ask(adapter, made, world.scopes[0]).ok)


class TestByTheAdministrationApi(OnOpenAm):
    def test_a_plain_list_is_stored_and_ignored_so_entries_are_numbered(
        self, adapter: KeyManagerAdapter, world: World, server: openam.OpenAmServer, client: RegisteredClient
    ) -> None:
        path = f"/realm-config/agents/OAuth2Client/{client.handle.client_id}"
        prefix = "com.forgerock.openam.oauth2provider"
        server.administer("PUT", path, {f"{prefix}.scopes": ["museum:read"], f"{prefix}.defaultScopes": []})
        assert ask(adapter, client, "museum:read").body["error"] == "invalid_scope"
        updated = adapter.update_client(client.handle, world.client_metadata())
        assert ask(adapter, updated, "museum:read").ok

    def test_a_client_that_is_recreated_with_its_id_revives_its_old_tokens(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        metadata = world.client_metadata()
        made = adapter.create_client(metadata)
        token = token_of(ask(adapter, made, world.scopes[0]))
        adapter.delete_client(made.handle)
        assert isinstance(adapter.introspect(token), Inactive)
        adapter.create_client(metadata)
        assert isinstance(adapter.introspect(token), TokenFacts)

    def test_a_suspended_clients_tokens_are_refused_until_it_is_resumed(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        adapter.suspend_client(client.handle)
        assert soon(lambda: isinstance(adapter.introspect(token), Inactive))
        adapter.update_client(client.handle, world.client_metadata())
        assert isinstance(adapter.introspect(token), Inactive)
        adapter.resume_client(client.handle)
        assert soon(lambda: isinstance(adapter.introspect(token), TokenFacts))

    def test_revoking_another_clients_token_is_refused_without_repeating_it(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        token = token_of(ask(adapter, client, world.scopes[0]))
        other = adapter.create_client(world.client_metadata()).handle
        request = TokenRequest(
            client_id=other.client_id, client_secret=other.client_secret, parameters=(("token", token),)
        )
        given = adapter.revoke_token(request)
        assert given.status == 400
        assert token not in str(given.body)
        assert isinstance(adapter.introspect(token), TokenFacts)

    def test_a_scope_that_is_new_to_the_provider_needs_no_change_there(
        self, adapter: KeyManagerAdapter, world: World
    ) -> None:
        made = adapter.create_client(world.client_metadata(scopes=frozenset({"brand:new"})))
        assert ask(adapter, made, "brand:new").scopes == {"brand:new"}

    def test_a_machine_client_cannot_be_kept_from_the_password_grant_and_that_is_said(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        request = TokenRequest(
            client_id=client.handle.client_id,
            client_secret=client.handle.client_secret,
            parameters=(
                *(("grant_type", "password"), ("username", "demo"), ("password", "changeit")),
                ("scope", world.scopes[0]),
            ),
        )
        given = adapter.issue_token(request)
        assert given.ok
        assert "grant_types" in client.ignored


@pytest.fixture(scope="class")
def stateless_class(server: openam.OpenAmServer) -> Iterator[None]:
    """Every new token of the realm is a JWT while a class runs."""
    server.make_tokens_stateless(True)
    yield
    server.make_tokens_stateless(False)


@pytest.mark.usefixtures("stateless_class")
class TestStatelessTokensThatAreLookedUp(OnOpenAm):
    pass


@pytest.mark.usefixtures("stateless_class")
class TestStatelessTokensThatAreCheckedByKeys(OnOpenAm):
    """Neither a revocation nor the end of a client shows before the token expires."""

    config: ClassVar[dict[str, Any]] = {"token_validation": "jwt"}
    expected: ClassVar[dict[str, Any]] = {"tokens_survive_client": True}

    def test_a_revoked_token_is_inactive_or_the_refusal_is_passed_on(
        self, adapter: KeyManagerAdapter, world: World, client: RegisteredClient
    ) -> None:
        """OpenAM revokes it, and whoever checks with the keys alone does not see that until it expires."""
        token = token_of(ask(adapter, client, world.scopes[0]))
        handle = client.handle
        request = TokenRequest(
            client_id=handle.client_id, client_secret=handle.client_secret, parameters=(("token", token),)
        )
        assert adapter.revoke_token(request).status == 200
        assert isinstance(adapter.introspect(token), TokenFacts)


class TestByRegistrationThatCannotChangeOrRemove(AdapterConformance):
    slug = "forgerock"

    @pytest.fixture
    def world(self, server: openam.OpenAmServer) -> Iterator[World]:
        world = forgerock_world(registering_values(server), BY_REGISTRATION)
        yield world
        world.wire.close()

    def test_what_the_server_did_not_keep_is_named(self, adapter: KeyManagerAdapter, world: World) -> None:
        """The suite's answer in AM's words; a client with other scopes is no client of ours at all."""
        kept = {"client_id": "c", "client_secret": "s", "client_name": "Another", "scopes": ["museum:read"]}
        world.wire.plan(registering, answer(201, json=kept))
        made = adapter.create_client(world.client_metadata())
        assert "client_name" in made.ignored

    def test_no_two_clients_share_a_registration_access_token(self, adapter: KeyManagerAdapter, world: World) -> None:
        made = [adapter.create_client(world.client_metadata()).handle for _ in range(2)]
        assert made[0].registration_access_token != made[1].registration_access_token


def test_the_check_explains_why_introspection_calls_a_fresh_token_of_ours_bad(server: openam.OpenAmServer) -> None:
    own = {
        "token_validation": "introspection",
        "introspection_client_id": server.options.dcr_client_id,
        "introspection_client_secret": server.options.dcr_client_secret,
    }
    world = forgerock_world(values(server, **own), BY_ADMIN)
    steps = {step.name: step for step in world.adapter().check()}
    world.wire.close()
    assert steps["introspect a fresh token"].state is StepState.FAILED
    assert "own tokens only" in steps["introspect a fresh token"].reason
    assert steps["remove the client"].state is StepState.PASSED


def test_changes_by_registration_are_refused_by_openam_and_the_check_says_so(server: openam.OpenAmServer) -> None:
    world = forgerock_world({**registering_values(server), "management": "dcr"}, BY_REGISTRATION)
    steps = {step.name: step for step in world.adapter().check()}
    world.wire.close()
    assert steps["change the client"].state is StepState.FAILED
    assert "administration REST API" in steps["change the client"].reason


def test_an_account_without_the_privilege_is_refused_and_named(server: openam.OpenAmServer) -> None:
    person = {"admin_user": "demo", "admin_password": "changeit"}
    world = forgerock_world(values(server, **person), BY_ADMIN)
    with pytest.raises(KeyManagerRejected) as caught:
        world.adapter().read_client(ClientHandle(client_id="any"))
    world.wire.close()
    assert caught.value.remote_status == 403


def test_the_administrators_calls_of_the_guide_make_an_account_that_still_needs_the_privilege(
    server: openam.OpenAmServer,
) -> None:
    guide = (ROOT / "docs" / "key-managers" / "forgerock.md").read_text()
    commands = textwrap.dedent(guide.partition("```sh\n")[2].partition("```")[0])
    environment = {
        "AM": server.base_url,
        "AMADMIN_PASSWORD": server.options.admin_password,
        "KM_PASSWORD": "archway-km-password",
        "ROOT_SUFFIX": openam.ROOT_SUFFIX,
    }
    subprocess.run(["bash", "-ec", commands], env={**os.environ, **environment}, check=True, capture_output=True)
    account = {"admin_user": "archway-km", "admin_password": "archway-km-password"}
    world = forgerock_world(values(server, **account), BY_ADMIN)
    steps = {step.name: step for step in world.adapter().check()}
    world.wire.close()
    assert server.administer("GET", "/groups/archway")["uniqueMember"]
    assert "insufficient privileges" in steps["management"].reason


HAS_SCOPE = AdapterConformance.test_a_token_has_the_asked_scope_and_a_lifetime
SHARES = TestByRegistrationThatCannotChangeOrRemove.test_no_two_clients_share_a_registration_access_token


@pytest.mark.parametrize("broken", [WritesPlainLists, LeavesTheClientTypeOut])
def test_a_client_that_is_written_wrongly_is_caught(
    server: openam.OpenAmServer, broken: type[ForgeRockAdapter]
) -> None:
    world = forgerock_world(values(server), BY_ADMIN, adapter_class=broken)
    must_catch(HAS_SCOPE, world, suite=TestByTheAdministrationApi())


def test_a_right_to_register_that_is_used_twice_is_caught(server: openam.OpenAmServer) -> None:
    world = forgerock_world(registering_values(server), BY_REGISTRATION, adapter_class=SharesOneRegistrationToken)
    must_catch(SHARES, world, suite=TestByRegistrationThatCannotChangeOrRemove())


def test_an_adapter_that_takes_every_signed_token_for_an_access_token_is_caught(server: openam.OpenAmServer) -> None:
    by_keys = values(server, token_validation="jwt")
    world = forgerock_world(by_keys, BY_ADMIN, adapter_class=TakesEverySignedTokenForAnAccessToken)
    server.make_tokens_stateless(True)
    try:
        must_catch(refresh_token_is_refused, world)
    finally:
        server.make_tokens_stateless(False)
