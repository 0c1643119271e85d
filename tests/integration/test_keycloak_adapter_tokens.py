"""What is special about Keycloak's tokens, on a real one."""

import time
import uuid
from collections.abc import Iterator

import pytest

from common.errors import KeyManagerUnavailable
from keymanager.adapters.contract import TOKEN_EXCHANGE, Inactive, RegisteredClient, StepState, TokenFacts, TokenRequest
from tests.integration.keycloak_kit import SCOPES, Bench, add_scopes, metadata
from tests.servers.keycloak import Realm, new_realm

pytestmark = pytest.mark.servers

PEOPLE = ("client_credentials", "password", "refresh_token")


@pytest.fixture(scope="module")
def realm(keycloak_url: str) -> Realm:
    made = new_realm(keycloak_url)
    add_scopes(made, *SCOPES)
    return made


@pytest.fixture
def bench(realm: Realm) -> Iterator[Bench]:
    made = Bench(realm, grant_types=["client_credentials", "authorization_code", *PEOPLE[1:], TOKEN_EXCHANGE])
    yield made
    made.close()


@pytest.fixture
def client(bench: Bench) -> RegisteredClient:
    return bench.adapter.create_client(metadata(str(uuid.uuid4())))


def active_within(bench: Bench, client: RegisteredClient, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if isinstance(bench.adapter.introspect(bench.token(client)), TokenFacts):
            return True
        time.sleep(0.1)
    return False


def test_a_good_token_looks_inactive_when_its_audience_does_not_name_us(bench: Bench, client: RegisteredClient) -> None:
    scope_id = next(entry["id"] for entry in bench.admin("GET", "/client-scopes") if entry["name"] == "archway-gateway")
    path = f"/clients/{client.handle.remote_id}/default-client-scopes/{scope_id}"
    assert isinstance(bench.adapter.introspect(bench.token(client)), TokenFacts)
    bench.admin("DELETE", path)
    assert isinstance(bench.adapter.introspect(bench.token(client)), Inactive)
    client = bench.adapter.update_client(client.handle, metadata(client.handle.client_id.removeprefix("archway-")))
    assert isinstance(bench.adapter.introspect(bench.token(client)), TokenFacts)


def test_the_check_explains_the_audience_rule(keycloak_url: str) -> None:
    bench = Bench(new_realm(keycloak_url))
    body = {"name": "archway-gateway", "protocol": "openid-connect"}
    bench.admin("POST", "/client-scopes", body)
    steps = bench.steps()
    bench.close()
    assert steps["audience of tokens"][0] is StepState.FAILED
    state, reason = steps["introspect a fresh token"]
    assert state is StepState.FAILED
    assert "audience" in reason
    assert steps["remove the client"][0] is StepState.PASSED


def test_the_key_set_has_keys_for_signatures_only(bench: Bench) -> None:
    assert {key["use"] for key in bench.adapter.jwks()["keys"]} == {"sig"}


def test_suspending_ends_tokens_and_resuming_revives_them(bench: Bench, client: RegisteredClient) -> None:
    token = bench.token(client)
    bench.adapter.suspend_client(client.handle)
    assert isinstance(bench.adapter.introspect(token), Inactive)
    bench.adapter.resume_client(client.handle)
    assert isinstance(bench.adapter.introspect(token), TokenFacts)


def test_after_all_tokens_were_revoked_new_ones_are_soon_good(bench: Bench, client: RegisteredClient) -> None:
    token = bench.token(client)
    bench.adapter.revoke_all(client.handle)
    assert isinstance(bench.adapter.introspect(token), Inactive)
    assert active_within(bench, client, 5.0)


def test_a_client_cannot_revoke_the_token_of_another(bench: Bench, client: RegisteredClient) -> None:
    other = bench.adapter.create_client(metadata(str(uuid.uuid4())))
    token = bench.token(client)
    request = TokenRequest(
        client_id=other.handle.client_id,
        client_secret=other.handle.client_secret,
        parameters=(("token", token),),
    )
    assert bench.adapter.revoke_token(request).status == 400
    assert isinstance(bench.adapter.introspect(token), TokenFacts)


def test_our_own_token_that_the_realm_ended_is_replaced_at_the_next_try(keycloak_url: str) -> None:
    bench = Bench(new_realm(keycloak_url))
    assert bench.adapter.list_scopes()
    fetched = int(time.time())
    while int(time.time()) == fetched:
        time.sleep(0.05)
    bench.admin("PUT", "", {"notBefore": fetched + 1})
    # One that is refused as soon as it was fetched would be refused again: only an older one is worth another try.
    bench.clock.ahead = 10.0
    with pytest.raises(KeyManagerUnavailable) as caught:
        bench.adapter.list_scopes()
    assert caught.value.retry_after == 0.0
    assert bench.adapter.list_scopes()
    bench.close()


def person_tokens(bench: Bench, client: RegisteredClient) -> dict[str, str]:
    """What alice's log-in by password gives."""
    request = TokenRequest(
        client_id=client.handle.client_id,
        client_secret=client.handle.client_secret,
        parameters=(
            *(("grant_type", "password"), ("username", "alice"), ("password", "alice-password")),
            ("scope", f"openid profile email {SCOPES[0]}"),
        ),
    )
    given = bench.adapter.issue_token(request)
    assert given.ok, given.body
    return dict(given.body)


@pytest.fixture
def with_people(bench: Bench) -> RegisteredClient:
    grants = (*PEOPLE, "authorization_code")
    asked = metadata(str(uuid.uuid4()), grant_types=grants, redirect_uris=("https://app.example/back",))
    made = bench.adapter.create_client(asked)
    assert made.ignored == ()
    return made


@pytest.mark.parametrize("validation", ["introspection", "jwt"])
def test_refresh_and_id_tokens_are_no_access_tokens(
    bench: Bench, realm: Realm, with_people: RegisteredClient, validation: str
) -> None:
    tokens = person_tokens(bench, with_people)
    checking = Bench(realm, token_validation=validation)
    facts = checking.adapter.introspect(tokens["access_token"])
    assert isinstance(facts, TokenFacts)
    assert facts.client_id == with_people.handle.client_id
    for kind in ("refresh_token", "id_token"):
        assert isinstance(checking.adapter.introspect(tokens[kind]), Inactive)
    checking.close()


def test_the_claims_of_a_person_are_told(bench: Bench, with_people: RegisteredClient) -> None:
    claims = bench.adapter.user_claims(person_tokens(bench, with_people)["access_token"])
    assert (claims["preferred_username"], claims["email"]) == ("alice", "alice@example.org")


def test_a_token_is_exchanged_by_a_client_in_its_audience_and_by_no_other(
    bench: Bench, realm: Realm, client: RegisteredClient
) -> None:
    grants = ("client_credentials", TOKEN_EXCHANGE)
    marker = str(uuid.uuid4())
    asking = bench.adapter.create_client(metadata(marker, grant_types=grants))
    assert asking.ignored == ()

    def exchange() -> int:
        return bench.adapter.exchange_token(
            TokenRequest(
                client_id=asking.handle.client_id,
                client_secret=asking.handle.client_secret,
                parameters=(
                    ("grant_type", TOKEN_EXCHANGE),
                    ("subject_token", bench.token(client, SCOPES[0])),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                    ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ),
            )
        ).status

    assert exchange() == 403
    mapper = {
        "name": "asking",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": asking.handle.client_id, "access.token.claim": "true"},
    }
    bench.admin("POST", f"/clients/{client.handle.remote_id}/protocol-mappers/models", mapper)
    assert exchange() == 200
