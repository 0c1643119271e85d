"""What is special about Keycloak, one surprise after the other, on a real one: clients, scopes, APIs, events."""

import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import InputError, KeyManagerRejected, OutcomeUnknown
from keymanager.adapters.contract import ClientHandle, Resource, ScopeSpec, StepState, TokenFacts
from tests.conformance.world import lost_answer
from tests.integration.keycloak_kit import ONE_SECRET, SCOPES, Bench, add_scopes, metadata
from tests.servers import keycloak
from tests.servers.keycloak import ADMIN, KM_CLIENT_ID, Realm, new_realm

pytestmark = pytest.mark.servers

DOCS = Path(__file__).resolve().parents[2] / "docs" / "key-managers" / "keycloak.md"


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    made = new_realm(keycloak_url)
    add_scopes(made, *SCOPES)
    return made


@pytest.fixture
def bench(realm: Realm) -> Iterator[Bench]:
    made = Bench(realm)
    yield made
    made.close()


@pytest.fixture
def marker() -> str:
    return str(uuid.uuid4())


# --- clients ----------------------------------------------------------------------------------------------------------
def test_a_repeated_creation_gives_the_same_client_whole(bench: Bench, marker: str) -> None:
    bench.wire.plan(lambda request: request.url.path.endswith("/clients"), lost_answer)
    with pytest.raises(OutcomeUnknown):
        bench.adapter.create_client(metadata(marker))
    bench.wire.heal()
    made = bench.adapter.create_client(metadata(marker, client_name="Later name"))
    assert made.handle.client_id == f"archway-{marker}"
    assert made.ignored == ()
    assert made.observed["client_name"] == "Later name"
    assert bench.token(made, SCOPES[0])


def test_a_client_of_somebody_else_under_our_id_is_never_taken_over(bench: Bench, marker: str) -> None:
    bench.admin("POST", "/clients", {"clientId": f"archway-{marker}", "attributes": {"archway.marker": "another"}})
    assert bench.adapter.find_client(marker) is None
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.create_client(metadata(marker))
    assert caught.value.remote_status == 409


def test_nothing_is_said_to_be_absent_while_no_client_is_shown_to_us(keycloak_url: str, marker: str) -> None:
    account = {
        "username": f"service-account-{KM_CLIENT_ID}",
        "enabled": True,
        "serviceAccountClientId": KM_CLIENT_ID,
        "clientRoles": {"realm-management": ["query-clients"]},
    }
    blind = Bench(new_realm(keycloak_url, users=[account]))
    with pytest.raises(KeyManagerRejected) as caught:
        blind.adapter.find_client(marker)
    assert caught.value.remote_code == "clients_not_visible"
    assert blind.steps()["right to manage clients"][0] is StepState.FAILED
    blind.close()


def test_a_scope_that_keycloak_dropped_is_named(bench: Bench, marker: str) -> None:
    made = bench.adapter.create_client(metadata(marker, scopes=frozenset({SCOPES[0], "museum:not-there"})))
    assert made.ignored == ("scope",)
    assert made.observed["scope"] == SCOPES[0]


def test_a_scope_that_became_a_default_by_hand_becomes_optional_again(bench: Bench, marker: str) -> None:
    made = bench.adapter.create_client(metadata(marker))
    path = f"/clients/{made.handle.remote_id}"
    scope_id = next(entry["id"] for entry in bench.admin("GET", "/client-scopes") if entry["name"] == SCOPES[0])
    bench.admin("DELETE", f"{path}/optional-client-scopes/{scope_id}")
    bench.admin("PUT", f"{path}/default-client-scopes/{scope_id}")
    updated = bench.adapter.update_client(made.handle, metadata(marker))
    assert updated.ignored == ()
    assert bench.document(made.handle.client_id)["optionalClientScopes"] == [SCOPES[0]]
    assert SCOPES[0] not in updated.observed["default_client_scopes"]


def test_an_update_leaves_what_an_administrator_set(bench: Bench, marker: str) -> None:
    made = bench.adapter.create_client(metadata(marker))
    attributes = {"access.token.lifespan": "77"}
    bench.admin("PUT", f"/clients/{made.handle.remote_id}", {"description": "By hand", "attributes": attributes})
    bench.adapter.update_client(made.handle, metadata(marker, client_name="Renamed"))
    document = bench.document(made.handle.client_id)
    assert (document["name"], document["description"]) == ("Renamed", "By hand")
    assert document["attributes"]["access.token.lifespan"] == "77"
    assert document["attributes"]["archway.marker"] == marker


def test_every_flag_is_said_because_the_defaults_give_too_much(bench: Bench, marker: str) -> None:
    made = bench.adapter.create_client(metadata(marker))
    document = bench.document(made.handle.client_id)
    flags = ("standardFlowEnabled", "implicitFlowEnabled", "directAccessGrantsEnabled", "fullScopeAllowed")
    assert not any(document[flag] for flag in flags)
    facts = bench.adapter.introspect(bench.token(made))
    assert isinstance(facts, TokenFacts)
    assert facts.aud == (KM_CLIENT_ID,)
    assert facts.scopes == frozenset()
    assert not {"realm_access", "resource_access"} & facts.claims.keys()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_name": "n" * 256}, "client_name"),
        ({"redirect_uris": ("https://app.example/*",)}, "redirect_uris"),
        ({"redirect_uris": ("https://app.example/#here",)}, "redirect_uris"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
    ],
)
def test_what_keycloak_takes_or_fails_at_is_refused_before_it_is_sent(
    bench: Bench, marker: str, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        bench.adapter.create_client(metadata(marker, **changes))
    assert field in caught.value.fields
    assert bench.wire.sent == []


def test_a_client_that_was_made_elsewhere_is_verified_and_its_audience_is_spoken_of(bench: Bench, marker: str) -> None:
    bench.admin("POST", "/clients", {"clientId": marker, "secret": "made-by-hand", "serviceAccountsEnabled": True})
    good = bench.adapter.verify_client(ClientHandle(client_id=marker, client_secret="made-by-hand"))
    bad = bench.adapter.verify_client(ClientHandle(client_id=marker, client_secret="wrong"))
    none = bench.adapter.verify_client(ClientHandle(client_id="nobody", client_secret="wrong"))
    assert (good.exists, good.secret_works) == (True, True)
    assert "archway-gateway" in good.notes[0]
    assert (bad.exists, bad.secret_works) == (True, False)
    assert (none.exists, none.secret_works) == (False, False)


def test_creations_of_one_credential_at_once_leave_one_client(realm: Realm, marker: str) -> None:
    def create(_: int) -> str:
        own = Bench(realm)
        try:
            return own.adapter.create_client(metadata(marker)).handle.remote_id
        finally:
            own.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(create, range(4)))) == 1


# --- secrets ----------------------------------------------------------------------------------------------------------
def test_the_replaced_secret_is_never_shown_although_keycloak_keeps_it_as_an_attribute(
    realm: Realm, marker: str
) -> None:
    bench = Bench(realm, secret_rotation="overlap")
    made = bench.adapter.create_client(metadata(marker))
    rotated = bench.adapter.rotate_secret(made.handle, metadata(marker))
    assert made.handle.client_secret in str(bench.document(made.handle.client_id))
    for shown in (rotated, bench.adapter.read_client(rotated.handle), *bench.adapter.list_clients()):
        assert made.handle.client_secret not in repr(shown)
    assert rotated.client_secret_expires_at > 2_000_000_000
    assert 0 < rotated.old_secret_expires_at - bench.clock.now() <= 86_400
    bench.close()


def test_overlap_without_a_policy_is_told_and_fails_the_check(keycloak_url: str, marker: str) -> None:
    bench = Bench(new_realm(keycloak_url, **ONE_SECRET), secret_rotation="overlap")
    made = bench.adapter.create_client(metadata(marker, scopes=frozenset()))
    rotated = bench.adapter.rotate_secret(made.handle, metadata(marker, scopes=frozenset()))
    assert rotated.ignored == ("overlapping_secrets",)
    assert not bench.ask(made).ok
    assert bench.ask(rotated).ok
    assert bench.steps()["replace the secret"][0] is StepState.FAILED
    bench.close()


# --- scopes and APIs --------------------------------------------------------------------------------------------------
def test_the_audience_names_an_api_exactly_when_one_of_its_scopes_is_granted(bench: Bench, marker: str) -> None:
    identifier = f"urn:archway:api:museum/{marker}"
    key = f"museum:guide-{marker}"
    bench.adapter.register_scope(ScopeSpec(key=key, description="Guide"))
    api = bench.adapter.register_resource(Resource(identifier=identifier, name="Museum", scopes=frozenset({key})))
    asked = metadata(marker, scopes=frozenset({key, SCOPES[1]}), resources=frozenset({identifier}))
    made = bench.adapter.create_client(asked)
    assert made.ignored == ()
    assert [identifier in bench.audience(made, scope) for scope in (key, SCOPES[1])] == [True, False]
    bench.adapter.delete_resource(api.remote_id)
    assert bench.adapter.update_client(made.handle, replace(asked, resources=frozenset())).ignored == ()
    assert identifier not in bench.audience(made, key)


def test_an_api_without_scopes_is_in_the_audience_of_the_clients_that_may_call_it(bench: Bench, marker: str) -> None:
    identifier = f"https://api.example/{marker}"
    bench.adapter.register_resource(Resource(identifier=identifier, name="Open museum"))
    made = bench.adapter.create_client(metadata(marker, resources=frozenset({identifier})))
    assert set(bench.audience(made)) == {identifier, KM_CLIENT_ID}


def test_a_scope_that_others_made_is_neither_changed_nor_removed(bench: Bench) -> None:
    bench.adapter.register_scope(ScopeSpec(key=SCOPES[1], description="Ours now?"))
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.delete_scope(SCOPES[1])
    assert caught.value.remote_code == "scope_not_ours"
    found = next(entry for entry in bench.admin("GET", "/client-scopes") if entry["name"] == SCOPES[1])
    assert "description" not in found


def test_what_stands_for_apis_and_for_us_is_no_scope(bench: Bench, marker: str) -> None:
    api = bench.adapter.register_resource(Resource(identifier=f"urn:{marker}", name="Museum"))
    bench.adapter.create_client(metadata(marker))
    listed = bench.adapter.list_scopes()
    assert SCOPES[0] in listed
    assert "archway-gateway" not in listed
    assert not [name for name in listed if name.startswith("archway-api-")]
    bench.adapter.delete_resource(api.remote_id)


def test_scopes_of_openid_connect_that_a_client_chose_are_kept(bench: Bench, marker: str) -> None:
    """``openid`` is no client scope, and those for people are not shown as scopes of an API."""
    asked = metadata(
        marker,
        grant_types=("authorization_code",),
        redirect_uris=("https://app.example/back",),
        scopes=frozenset({"openid", "email", "address", SCOPES[0]}),
    )
    made = bench.adapter.create_client(asked)
    assert made.ignored == ()
    assert bench.adapter.update_client(made.handle, asked).ignored == ()
    assert {"email", "address", SCOPES[0]} <= set(bench.document(made.handle.client_id)["optionalClientScopes"])
    gone = bench.adapter.update_client(made.handle, replace(asked, scopes=frozenset({"openid", "no:such"})))
    assert gone.ignored == ("scope",)


# --- events -----------------------------------------------------------------------------------------------------------
def reported(bench: Bench, act: Callable[[], object], cursor: str) -> tuple[tuple[str, ...], str]:
    act()
    return bench.adapter.changes_since(cursor)


def test_what_others_change_is_reported_once_and_what_we_change_is_not(bench: Bench, marker: str) -> None:
    first, second = f"{marker}-1", f"{marker}-2"
    made = [bench.adapter.create_client(metadata(name)).handle for name in (first, second)]
    _, cursor = bench.adapter.changes_since("")
    by_us, cursor = reported(bench, lambda: bench.adapter.update_client(made[0], metadata(first)), cursor)
    assert by_us == ()
    by_hand, cursor = reported(
        bench, lambda: bench.admin("PUT", f"/clients/{made[0].remote_id}", {"description": "By hand"}), cursor
    )
    assert by_hand == (f"archway-{first}",)
    assert bench.adapter.changes_since(cursor)[0] == ()
    removed, cursor = reported(bench, lambda: bench.admin("DELETE", f"/clients/{made[1].remote_id}"), cursor)
    assert removed == (f"archway-{second}",)
    assert bench.adapter.changes_since(cursor)[0] == ()


def test_a_client_that_registered_itself_is_reported_from_the_other_feed(bench: Bench, realm: Realm) -> None:
    _, cursor = bench.adapter.changes_since("")
    dynamic = Bench(realm, management="dcr")
    made = dynamic.adapter.create_client(metadata("m", scopes=frozenset()))
    assert made.handle.client_id in bench.adapter.changes_since(cursor)[0]
    dynamic.close()


# --- dynamic registration ---------------------------------------------------------------------------------------------
def test_an_initial_access_token_registers_as_many_clients_as_it_may(realm: Realm) -> None:
    given = keycloak.administer(
        realm.server_url, "POST", f"/{realm.name}/clients-initial-access", {"count": 1, "expiration": 600}
    )
    dynamic = Bench(realm, management="dcr", initial_access_token=given["token"])
    made = dynamic.adapter.create_client(metadata("m", scopes=frozenset({"openid", SCOPES[0]})))
    assert made.ignored == ()
    assert dynamic.token(made, SCOPES[0])
    changed = dynamic.adapter.update_client(made.handle, metadata("m", client_name="Other"))
    assert changed.observed["client_name"] == "Other"
    # Each change replaces the token that manages the client.
    assert changed.handle.registration_access_token != made.handle.registration_access_token
    with pytest.raises(KeyManagerRejected, match="No remaining count"):
        dynamic.adapter.create_client(metadata("n"))
    dynamic.adapter.delete_client(changed.handle)
    assert dynamic.adapter.read_client(changed.handle) is None
    dynamic.close()


def test_a_secret_that_a_change_replaced_unasked_is_the_one_that_is_kept(keycloak_url: str) -> None:
    executor = {"expiration-period": 3600, "rotated-expiration-period": 60, "remaining-rotation-period": 3600}
    profile = {"name": "eager", "executors": [{"executor": "secret-rotation", "configuration": executor}]}
    policy = {
        "name": "eager",
        "enabled": True,
        "conditions": [{"condition": "client-access-type", "configuration": {"type": ["confidential"]}}],
        "profiles": ["eager"],
    }
    realm = new_realm(keycloak_url, clientProfiles={"profiles": [profile]}, clientPolicies={"policies": [policy]})
    bench = Bench(realm, management="dcr")
    made = bench.adapter.create_client(metadata("m", scopes=frozenset()))
    updated = bench.adapter.update_client(made.handle, metadata("m", scopes=frozenset(), client_name="Renamed"))
    assert updated.handle.client_secret != made.handle.client_secret
    assert bench.ask(updated).ok
    bench.close()


def test_metadata_that_keycloak_does_not_know_makes_it_refuse_and_its_sentence_is_shown(realm: Realm) -> None:
    bench = Bench(realm, management="dcr")
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.create_client(metadata("m", extra={"colour": "blue"}))
    assert caught.value.remote_status == 400
    assert "colour" in caught.value.message
    bench.close()


# --- the page ---------------------------------------------------------------------------------------------------------
def test_the_commands_of_the_page_prepare_a_realm_that_passes_the_connection_check(keycloak_url: str) -> None:
    name = f"company-{uuid.uuid4().hex[:8]}"
    keycloak.administer(keycloak_url, "POST", "", {"realm": name, "enabled": True, "sslRequired": "none"})
    commands = DOCS.read_text().split("```sh\n")[1].split("```")[0]
    environment = {"KEYCLOAK": keycloak_url, "REALM": name, "SECRET": "from-the-page", "ADMIN_PASSWORD": ADMIN}
    done = subprocess.run(
        ["bash", "-eu", "-c", commands],
        env={"PATH": "/usr/bin:/bin", **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    realm = Realm(server_url=keycloak_url, name=name)
    bench = Bench(realm, client_secret="from-the-page", secret_rotation="overlap")
    assert {step for step, (state, _) in bench.steps().items() if state is not StepState.PASSED} == set()
    bench.close()
