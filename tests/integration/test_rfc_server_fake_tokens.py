"""The fake identity provider issues, introspects and revokes tokens as its switches say."""

import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.fakes.oauth_caller import OAuthCaller, bearer, encoded_basic, pkce
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.fake_kit import CALLBACK, GATEWAY, access_token, registered, running


@pytest.mark.parametrize(
    ("quirks", "asked", "status", "scope"),
    [
        (Quirks(), "read nope", 400, None),
        (Quirks(unknown_scope="dropped"), "read nope", 200, "read"),
        (Quirks(unknown_scope="granted"), "read nope", 200, "read nope"),
        (Quirks(), "write", 400, None),
        (Quirks(foreign_scope="dropped"), "write", 200, ""),
        (Quirks(foreign_scope="dropped", nothing_left="refused"), "write", 400, None),
        (Quirks(foreign_scope="granted"), "write", 200, "write"),
        (Quirks(no_scope="none"), "", 200, ""),
        (Quirks(no_scope="client_default"), "", 200, "read museum:read"),
        (Quirks(no_scope="403_empty"), "", 403, None),
        (Quirks(no_scope="none", scope_in_answer="when_not_empty"), "", 200, None),
        (Quirks(scope_in_answer="never"), "read", 200, None),
    ],
)
def test_scopes_are_granted_as_the_server_does_it(quirks: Quirks, asked: str, status: int, scope: str | None) -> None:
    with running(quirks) as (_, caller):
        answer = caller.token(registered(caller), {"scope": asked} if asked else {})
    assert answer.status_code == status
    if status == 200:
        assert answer.json().get("scope") == scope


def test_an_opaque_token_is_introspected_with_the_rfcs_members() -> None:
    with running() as (server, caller):
        client = registered(caller)
        token = access_token(caller, client, scope="read")
        facts = caller.introspect(token, GATEWAY).json()
    assert facts["client_id"] == client["client_id"]
    assert (facts["active"], facts["scope"], facts["iss"]) == (True, "read", server.issuer)
    assert "sub" not in facts


def test_a_jwt_follows_rfc9068_and_verifies_with_the_servers_keys() -> None:
    with running(Quirks(token_format="jwt")) as (server, caller):
        client = registered(caller)
        token = access_token(caller, client, scope="read", resource="https://apis.example.org/")
        keys = KeySet.import_key_set(caller.http.get(f"{server.issuer}/jwks").json())
        verified = jwt.decode(token, keys)
    assert verified.header["typ"] == "at+jwt"
    assert verified.claims["client_id"] == verified.claims["sub"] == client["client_id"]
    assert (verified.claims["aud"], verified.claims["scope"]) == ("https://apis.example.org/", "read")


def test_a_rotated_key_may_take_the_old_one_out_of_the_key_set() -> None:
    with running(Quirks(token_format="jwt")) as (server, caller):
        server.make_token("somebody")
        before = caller.http.get(f"{server.issuer}/jwks").json()["keys"]
        server.rotate_key()
        both = caller.http.get(f"{server.issuer}/jwks").json()["keys"]
        server.rotate_key(keep_old=False)
        after = caller.http.get(f"{server.issuer}/jwks").json()["keys"]
    assert (len(before), len(both), len(after)) == (1, 2, 1)
    assert after[0]["kid"] not in {key["kid"] for key in both}


def test_tokens_are_made_to_order_for_tests_of_validation() -> None:
    with running(Quirks(token_format="jwt")) as (server, caller):
        keys = KeySet.import_key_set(caller.http.get(f"{server.issuer}/jwks").json())
        server.claim_issuer("https://elsewhere.example")
        claims = jwt.decode(server.make_token("c1", scope="read", seconds=-10, azp="c1", client_id=None), keys).claims
        expired = server.make_token("c1", seconds=-10)
        opaque = server.make_token("c1", token_format="opaque", subject="bob")
        assert caller.introspect(expired, GATEWAY).json() == {"active": False}
        assert caller.introspect(opaque, GATEWAY).json()["sub"] == "bob"
    assert claims["iss"] == "https://elsewhere.example"
    assert claims["exp"] < time.time()
    assert "client_id" not in claims


@pytest.mark.parametrize(
    ("habit", "resource", "status"),
    [
        ("listed", "urn:archway:apis", 200),
        ("listed", "https://other.example/", 400),
        ("https_only", "urn:archway:apis", 400),
        ("any", "https://other.example/", 200),
        ("ignored", "https://other.example/", 200),
    ],
)
def test_resource_indicators_are_taken_as_the_server_does_it(habit: Any, resource: str, status: int) -> None:
    with running(Quirks(resource=habit)) as (_, caller):
        assert caller.token(registered(caller), {"resource": resource}).status_code == status


def authorized(server: RfcServer, caller: OAuthCaller, client: Mapping[str, Any], **more: str) -> dict[str, str]:
    query = {"client_id": client["client_id"], "response_type": "code", "redirect_uri": CALLBACK, "state": "s", **more}
    answer = caller.http.get(f"{server.issuer}/authorize", params=query)
    assert answer.status_code == 302
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))


def test_an_authorization_code_with_pkce_gives_tokens_once() -> None:
    verifier, challenge = pkce()
    with running(Quirks(pkce_required=True, rotate_refresh_tokens=True)) as (server, caller):
        grants = ["authorization_code", "refresh_token"]
        client = registered(caller, grant_types=grants, redirect_uris=[CALLBACK])
        assert authorized(server, caller, client)["error"] == "invalid_request"
        back = authorized(server, caller, client, code_challenge=challenge, code_challenge_method="S256", scope="read")
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": CALLBACK}
        tokens = caller.token(client, {**form, "code_verifier": verifier}).json()
        assert caller.token(client, {**form, "code_verifier": verifier}).json()["error"] == "invalid_grant"
        renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refreshed = caller.token(client, renewal)
        again = caller.token(client, renewal)
        who = caller.http.get(f"{server.issuer}/userinfo", headers=bearer(tokens["access_token"])).json()
    assert back["state"] == "s"
    assert refreshed.json()["scope"] == "read"
    assert again.json()["error"] == "invalid_grant"
    assert who["sub"] == "alice"


def test_a_wrong_code_verifier_is_refused() -> None:
    _, challenge = pkce()
    with running() as (server, caller):
        client = registered(caller, grant_types=["authorization_code"], redirect_uris=[CALLBACK])
        back = authorized(server, caller, client, code_challenge=challenge)
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": CALLBACK}
        assert caller.token(client, {**form, "code_verifier": "wrong"}).json()["error"] == "invalid_grant"


def test_the_password_grant_can_be_offered_or_not() -> None:
    person = {"grant_type": "password", "username": "alice", "password": "alice-password"}
    for offered, status in ((True, 200), (False, 400)):
        with running(Quirks(password_grant=offered)) as (_, caller):
            assert caller.token(registered(caller, grant_types=["password"]), person).status_code == status


# Introspection and revocation


def test_a_client_sees_its_own_tokens_and_the_gateway_sees_all() -> None:
    for foreign in (False, True):
        with running(Quirks(introspects_foreign=foreign)) as (_, caller):
            mine, other = registered(caller), registered(caller)
            token = access_token(caller, mine)
            as_other = encoded_basic(other["client_id"], other["client_secret"])
            assert caller.introspect(token, GATEWAY).json()["active"] is True
            assert caller.introspect(token, as_other).json()["active"] is foreign


def test_introspection_takes_only_the_authentication_that_the_server_allows() -> None:
    with running(Quirks(introspection_auth=frozenset({"bearer"}), introspection_refusal="401_empty")) as (_, caller):
        gateway = {"client_id": "gateway", "client_secret": "gateway-secret"}
        own = access_token(caller, gateway, scope="introspect")
        refused = caller.introspect(own, GATEWAY)
        assert (refused.status_code, refused.content) == (401, b"")
        assert caller.introspect(own, bearer(own)).json()["active"] is True


def test_a_jwt_may_be_neither_introspected_nor_revoked() -> None:
    with running(Quirks(token_format="jwt", introspects_jwt=False, revokes_jwt=False)) as (_, caller):
        client = registered(caller)
        token = access_token(caller, client)
        own = encoded_basic(client["client_id"], client["client_secret"])
        assert caller.introspect(token, GATEWAY).json()["error"] == "unsupported_token_type"
        assert caller.revoke(token, own).json()["error"] == "unsupported_token_type"


@pytest.mark.parametrize(
    ("habit", "status", "alive"), [("refused", 400, True), ("ignored", 200, True), ("done", 200, False)]
)
def test_revoking_another_clients_token_follows_the_habit(habit: Any, status: int, alive: bool) -> None:
    with running(Quirks(revokes_foreign=habit)) as (_, caller):
        mine, other = registered(caller), registered(caller)
        token = access_token(caller, mine)
        answer = caller.revoke(token, encoded_basic(other["client_id"], other["client_secret"]))
        assert answer.status_code == status
        assert caller.introspect(token, GATEWAY).json()["active"] is alive


def test_a_server_may_have_no_revocation() -> None:
    with running(Quirks(revocation=False)) as (server, caller):
        assert "revocation_endpoint" not in caller.http.get(server.discovery_url).json()
        assert caller.revoke("x", GATEWAY).status_code == 404
