"""The fake identity provider registers and recognises clients as its switches say."""

from typing import Any

import pytest

from tests.fakes.oauth_caller import encoded_basic, raw_basic
from tests.fakes.quirks import ALLAUTH, GLEWLWYD, LEMONLDAP, OIDC_PROVIDER, TOOLKIT, Quirks
from tests.integration.fake_kit import CALLBACK, GATEWAY, MACHINE, access_token, registered, running


def test_both_discovery_paths_serve_the_same_document() -> None:
    with running() as (server, caller):
        first, second = caller.http.get(server.discovery_url), caller.http.get(server.rfc8414_url)
    assert first.json() == second.json()
    assert first.json()["issuer"] == server.issuer


def test_an_issuer_with_a_path_has_the_rfc8414_document_between_host_and_path() -> None:
    with running(Quirks(issuer_path="/realms/one", openid_discovery=False)) as (server, caller):
        found = caller.http.get(f"{server.origin}/.well-known/oauth-authorization-server/realms/one").json()
        assert caller.http.get(server.discovery_url).status_code == 404
        assert found["token_endpoint"] == f"{server.origin}/realms/one/token"
        assert access_token(caller, registered(caller))


def test_discovery_can_hide_members_that_exist() -> None:
    with running(Quirks(discovery_omits=frozenset({"introspection_endpoint"}))) as (server, caller):
        assert "introspection_endpoint" not in caller.http.get(server.discovery_url).json()


def test_a_server_can_answer_200_and_html_for_paths_that_it_does_not_know() -> None:
    with running(LEMONLDAP) as (server, caller):
        answer = caller.http.get(server.rfc8414_url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html"


# Registration and management


def test_a_client_lives_from_registration_to_deletion() -> None:
    with running() as (server, caller):
        client = registered(caller)
        assert server.clients[client["client_id"]].metadata["archway_marker"] == "marker-1"
        assert caller.read(client).json() == client
        changed = caller.update(client, {**MACHINE, "client_name": "renamed"}).json()
        assert changed["client_name"] == "renamed"
        assert changed["client_secret"] == client["client_secret"]
        assert caller.delete(client).status_code == 204
        assert caller.read(client).status_code == 401
        assert caller.token(client).status_code == 401
        assert server.clients == {}


def test_a_wrong_initial_access_token_registers_nothing() -> None:
    with running() as (server, caller):
        answer = caller.register(MACHINE, "wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert server.clients == {}


def test_an_update_is_a_full_replacement_and_refuses_members_that_the_server_owns() -> None:
    with running() as (server, caller):
        client = registered(caller)
        assert caller.update(client, client).status_code == 400
        assert caller.update(client, {"grant_types": ["client_credentials"]}).status_code == 200
        assert "client_name" not in server.clients[client["client_id"]].metadata


def test_registration_access_tokens_can_rotate_with_each_update() -> None:
    with running(Quirks(rotate_registration_access_token=True)) as (_, caller):
        client = registered(caller)
        rotated = caller.update(client, MACHINE).json()
        assert rotated["registration_access_token"] != client["registration_access_token"]
        assert caller.read(client).status_code == 401
        assert caller.read({**client, **rotated}).status_code == 200


def test_a_registration_access_token_shown_at_another_clients_address_can_die() -> None:
    with running(OIDC_PROVIDER) as (_, caller):
        mine, other = registered(caller), registered(caller)
        mixed = {**other, "registration_access_token": mine["registration_access_token"]}
        assert caller.read(mixed).status_code == 401
        assert caller.read(mine).status_code == 401


@pytest.mark.parametrize(("policy", "in_answer", "kept"), [("kept", 1, 1), ("dropped", 0, 0), ("echoed", 1, 0)])
def test_unknown_metadata_is_kept_dropped_or_only_echoed(policy: Any, in_answer: int, kept: int) -> None:
    with running(Quirks(unknown_metadata=policy)) as (_, caller):
        client = registered(caller)
        assert ("archway_marker" in client) == bool(in_answer)
        assert ("archway_marker" in caller.read(client).json()) == bool(kept)


@pytest.mark.parametrize(
    ("habit", "absent", "empty"), [("optional", 201, 201), ("present", 400, 201), ("non_empty", 400, 400)]
)
def test_redirect_uris_may_be_demanded(habit: Any, absent: int, empty: int) -> None:
    without = {name: value for name, value in MACHINE.items() if name != "redirect_uris"}
    with running(Quirks(redirect_uris=habit)) as (_, caller):
        assert caller.register(without, "initial-access-token").status_code == absent
        assert caller.register(MACHINE, "initial-access-token").status_code == empty


@pytest.mark.parametrize(
    ("policy", "status", "scope"),
    [
        ("as_asked", 201, "read nope"),
        ("unknown_refused", 400, None),
        ("unknown_dropped", 201, "read"),
        ("ignored", 201, None),
    ],
)
def test_a_scope_unknown_at_registration_follows_the_policy(policy: Any, status: int, scope: str | None) -> None:
    with running(Quirks(registration_scope=policy)) as (_, caller):
        answer = caller.register({**MACHINE, "scope": "read nope"}, "initial-access-token")
    assert answer.status_code == status
    assert answer.json().get("scope") == scope


def test_a_server_without_management_gives_no_registration_access_token() -> None:
    with running(ALLAUTH) as (server, caller):
        client = registered(caller, redirect_uris=[CALLBACK])
        assert "registration_access_token" not in client
        assert caller.http.get(f"{server.issuer}/register/{client['client_id']}").status_code == 404


def test_the_toolkit_preset_hides_the_secret_after_registration_and_ends_tokens_with_the_client() -> None:
    with running(TOOLKIT) as (_, caller):
        client = registered(caller)
        token = access_token(caller, client)
        assert "client_secret" not in caller.read(client).json()
        assert caller.delete(client).status_code == 204
        assert caller.introspect(token, GATEWAY).json() == {"active": False}


def test_a_registration_error_can_be_a_page_of_html() -> None:
    with running(LEMONLDAP) as (_, caller):
        answer = caller.register({**MACHINE, "grant_types": ["nonsense"]}, "")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html")


def test_the_glewlwyd_preset_breaks_what_glewlwyd_breaks() -> None:
    with running(GLEWLWYD) as (_, caller):
        portal = {"client_id": "portal", "client_secret": "portal-secret"}
        assert caller.register(MACHINE, "wrong").content == b""
        initial = access_token(caller, portal, scope="dcr")
        assert caller.register(MACHINE, initial).status_code == 400
        body = {**MACHINE, "redirect_uris": [CALLBACK]}
        answer = caller.register(body, initial)
        client = answer.json()
        assert answer.status_code == 200
        assert client["response_types"] == ["code"]
        read = caller.read(client).json()
        assert read["token_endpoint_auth_method"] == ["client_secret_basic"]
        assert "scope" not in read
        assert "archway_marker" not in read
        updated = caller.update(client, body).json()
        assert updated["client_secret"] != client["client_secret"]
        wrong = caller.token(client, {"scope": "read"})
        assert (wrong.status_code, wrong.content) == (403, b"")
        assert caller.token(updated).status_code == 403
        granted = caller.token(updated, {"scope": "read nope"}).json()
        assert (granted["scope"], granted["token_type"]) == ("read", "bearer")
        assert caller.token(updated, {"scope": "nope"}).json() == {"error": "scope_invalid"}
        assert caller.delete(client).status_code == 200
        assert caller.introspect(granted["access_token"], GATEWAY).json()["active"] is True


def test_no_client_secret_is_given_when_the_server_wants_the_auth_method_named() -> None:
    without = {name: value for name, value in MACHINE.items() if name != "token_endpoint_auth_method"}
    with running(Quirks(secret_needs_auth_method=True)) as (_, caller):
        assert "client_secret" not in caller.register(without, "initial-access-token").json()


# Client authentication


@pytest.mark.parametrize(
    ("decoding", "good", "bad"), [("percent", encoded_basic, raw_basic), ("raw", raw_basic, encoded_basic)]
)
def test_basic_credentials_are_decoded_or_taken_raw(decoding: Any, good: Any, bad: Any) -> None:
    with running(Quirks(basic_decoding=decoding, awkward_secrets=True)) as (_, caller):
        client = registered(caller)
        credentials = (client["client_id"], client["client_secret"])
        assert caller.token(client, headers=good(*credentials)).status_code == 200
        assert caller.token(client, headers=bad(*credentials)).status_code in (400, 401)


def test_only_the_registered_authentication_method_may_be_accepted() -> None:
    with running(Quirks(only_registered_auth_method=True)) as (_, caller):
        client = registered(caller)
        posted = {name: client[name] for name in ("client_id", "client_secret")}
        assert caller.token(client, posted, headers={}).status_code == 401
        assert caller.token(client).status_code == 200


@pytest.mark.parametrize(("habit", "status"), [("400", 400), ("401", 401), ("403_empty", 403)])
def test_a_request_without_credentials_is_answered_in_the_servers_own_way(habit: Any, status: int) -> None:
    with running(Quirks(no_credentials=habit)) as (_, caller):
        assert caller.token({}, headers={}).status_code == status
