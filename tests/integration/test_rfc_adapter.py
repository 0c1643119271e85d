"""The knobs of the ``rfc`` adapter, one by one, on the fake server."""

from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import KeyManagerProtocolError, KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from common.exchanges import recorded_exchanges
from common.http import AddressGuard, HttpClient, HttpLimits, PrivateAddressRefused
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    ClientMetadata,
    Inactive,
    ScopeSpec,
    StepState,
    TokenAnswer,
    TokenFacts,
    TokenRequest,
)
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.rfc.presets import with_preset
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault
from tests.fakes.quirks import GLEWLWYD, LEMONLDAP, OIDC_PROVIDER, Quirks
from tests.fakes.rfc_server import RfcServer

METADATA = ClientMetadata(client_name="Shop", marker="m-1", scopes=frozenset({"read"}))
LIMITS = HttpLimits(connect=2.0, read=0.5, total=1.0)


class Bench:
    """A fake server, an adapter on it, and a clock that both read."""

    def __init__(self, quirks: Quirks | None = None, **values: Any) -> None:
        self.clock = ManualClock(1_900_000_000.0)
        self.server = RfcServer(quirks=quirks, clock=self.clock.now)
        self.http = HttpClient(guard=AddressGuard.of("127.0.0.0/8"), limits=LIMITS)
        basics = {
            "issuer": self.server.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": self.server.initial_access_token,
            "introspection_client_id": self.server.gateway_client_id,
            "introspection_client_secret": self.server.gateway_client_secret,
        }
        self.config = parse_config(RfcConfig, {**basics, **values})
        self.adapter = RfcAdapter(self.config, self.http, self.clock)

    def ask(self, *parameters: tuple[str, str]) -> TokenAnswer:
        """A token request of the client ``c``."""
        given = (("grant_type", "client_credentials"), *parameters)
        return self.adapter.issue_token(TokenRequest(client_id="c", client_secret="s", parameters=given))

    def stop(self) -> None:
        self.http.close()
        self.server.stop()


@pytest.fixture
def opened() -> Iterator[list[Bench]]:
    benches: list[Bench] = []
    yield benches
    for bench in benches:
        bench.stop()


@pytest.fixture
def make(opened: list[Bench]) -> Any:
    def build(quirks: Quirks | None = None, **values: Any) -> Bench:
        opened.append(Bench(quirks, **values))
        return opened[-1]

    return build


def glewlwyd_like(make: Any, **values: Any) -> Bench:
    preset = with_preset("glewlwyd", {"admin_url": "http://127.0.0.1:9/", "admin_api_key": "admin-api-key"})
    clients = {"registration_client_id": "portal", "registration_client_secret": "portal-secret"}
    bench: Bench = make(GLEWLWYD, **{**preset, **clients, **values})
    values = {**preset, **clients, **values, "admin_url": bench.server.admin_url, "issuer": bench.server.issuer}
    values |= {"introspection_client_id": "gateway", "introspection_client_secret": "gateway-secret"}
    bench.adapter = RfcAdapter(parse_config(RfcConfig, values), bench.http, bench.clock)
    return bench


# Discovery


@pytest.mark.parametrize("quirks", [Quirks(openid_discovery=False), Quirks(rfc8414_discovery=False)])
def test_either_discovery_document_is_enough(make: Any, quirks: Quirks) -> None:
    assert make(quirks).adapter.metadata().token_endpoint


def test_a_page_at_a_well_known_place_is_not_a_document(make: Any) -> None:
    assert make(LEMONLDAP).adapter.metadata().token_endpoint


def test_a_document_of_another_issuer_is_not_believed(make: Any) -> None:
    bench = make()
    bench.server.claim_issuer("https://evil.example")
    with pytest.raises(KeyManagerProtocolError, match=r"evil\.example"):
        bench.adapter.metadata()


def test_no_document_at_all_is_a_protocol_error(make: Any) -> None:
    with pytest.raises(KeyManagerProtocolError, match="no discovery document"):
        make(Quirks(openid_discovery=False, rfc8414_discovery=False)).adapter.metadata()


def test_an_override_wins_and_needs_no_discovery(make: Any) -> None:
    bench = make(Quirks(openid_discovery=False, rfc8414_discovery=False))
    base = bench.server.issuer
    bench.config = parse_config(
        RfcConfig,
        {
            "token_endpoint": f"{base}/token",
            "registration_endpoint": f"{base}/register",
            "initial_access_token_mode": "fixed",
            "initial_access_token": bench.server.initial_access_token,
            "introspection_client_id": "gateway",
        },
    )
    adapter = RfcAdapter(bench.config, bench.http, bench.clock)
    assert adapter.create_client(METADATA).handle.client_id
    assert not bench.server.requests_of("discovery")


def test_what_was_discovered_serves_on_while_discovery_fails(make: Any) -> None:
    bench = make()
    bench.server.add_client("c", "s", scope="read")
    assert bench.ask(("scope", "read")).ok
    bench.clock.time += 301
    bench.server.fault("discovery", Fault.refused(500, times=9))
    assert bench.ask(("scope", "read")).ok
    first = next(iter(bench.adapter.check()))
    assert first.state is StepState.FAILED


# The right to register


def test_a_fetched_initial_token_is_kept_until_it_expires(make: Any) -> None:
    bench = glewlwyd_like(make, scopes_api="none")
    for _ in range(2):
        bench.adapter.create_client(METADATA)
    assert len(bench.server.requests_of("token")) == 1
    bench.clock.time += 601
    bench.adapter.create_client(METADATA)
    assert len(bench.server.requests_of("token")) == 2


def test_a_kept_token_that_died_early_is_fetched_again_at_the_next_try(make: Any) -> None:
    bench = glewlwyd_like(make, scopes_api="none")
    bench.adapter.create_client(METADATA)
    bench.server.revoke_everything()
    bench.clock.time += 60
    with pytest.raises(KeyManagerUnavailable):
        bench.adapter.create_client(METADATA)
    assert bench.adapter.create_client(METADATA).handle.client_id


def test_a_fresh_token_that_is_refused_is_a_refusal(make: Any) -> None:
    bench = glewlwyd_like(make, scopes_api="none", registration_scope="read")
    bench.server.add_client("other", "s", scope="read")
    values = {name: getattr(bench.adapter.knobs, name) for name in bench.adapter.knobs.__slots__}
    values |= {"registration_client_id": "other", "registration_client_secret": "s"}
    adapter = RfcAdapter(parse_config(RfcConfig, values), bench.http, bench.clock)
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(METADATA)
    assert caught.value.remote_code == "initial_access_token_refused"


def test_a_wrong_fixed_initial_token_is_a_refusal(make: Any) -> None:
    with pytest.raises(KeyManagerRejected) as caught:
        make(initial_access_token="wrong").adapter.create_client(METADATA)
    assert caught.value.remote_status == 401


# Clients


def test_the_marker_is_sent_only_where_it_is_kept(make: Any) -> None:
    keeps, drops = make(keeps_unknown_metadata=True), make()
    keeps.adapter.create_client(METADATA)
    drops.adapter.create_client(METADATA)
    assert keeps.server.requests_of("register")[0].json["archway_marker"] == "m-1"
    assert "archway_marker" not in drops.server.requests_of("register")[0].json


def test_the_secret_of_a_read_counts_only_where_it_is_the_real_one(make: Any) -> None:
    for returns in (True, False):
        bench = make(read_returns_secret=returns)
        made = bench.adapter.create_client(METADATA)
        bench.server.clients[made.handle.client_id].client_secret = "changed-there"
        found = bench.adapter.read_client(made.handle)
        assert found is not None
        assert (found.handle.client_secret == "changed-there") == returns


def test_an_update_that_should_give_a_new_secret_and_does_not_is_a_protocol_error(make: Any) -> None:
    bench = make(Quirks(secret_in_update=False), update_secret="new")
    made = bench.adapter.create_client(METADATA)
    with pytest.raises(KeyManagerProtocolError, match="without returning it"):
        bench.adapter.update_client(made.handle, METADATA)


def test_an_update_that_should_rotate_the_token_and_does_not_is_a_protocol_error(make: Any) -> None:
    bench = make(Quirks(management=True), rotates_registration_token=True)
    made = bench.adapter.create_client(METADATA)
    bench.server.fault("update", Fault.spoilt_json(f'{{"client_id": "{made.handle.client_id}"}}'.encode()))
    with pytest.raises(KeyManagerProtocolError, match="no new registration access token"):
        bench.adapter.update_client(made.handle, METADATA)


def test_an_update_that_answers_with_another_client_is_a_protocol_error(make: Any) -> None:
    bench = make()
    made = bench.adapter.create_client(METADATA)
    bench.server.fault("update", Fault.spoilt_json(b'{"client_id": "another"}'))
    with pytest.raises(KeyManagerProtocolError, match="another client"):
        bench.adapter.update_client(made.handle, METADATA)


def test_a_hanging_registration_is_unknown_and_a_refused_one_is_not(make: Any) -> None:
    bench = make()
    bench.server.fault("register", Fault.hang(3.0, after=True))
    with pytest.raises(OutcomeUnknown):
        bench.adapter.create_client(METADATA)
    bench.server.fault("register", Fault.too_many(retry_after=9))
    with pytest.raises(KeyManagerUnavailable) as caught:
        bench.adapter.create_client(METADATA)
    assert caught.value.retry_after == 9.0


def test_a_failure_to_grant_scopes_keeps_the_client_and_names_the_scope(make: Any) -> None:
    bench = glewlwyd_like(make)
    bench.server.fault("administer", Fault.refused(500))
    made = bench.adapter.create_client(METADATA)
    assert made.handle.client_id in bench.server.clients
    assert "scope" in made.ignored


def test_a_missing_administration_right_is_told(make: Any) -> None:
    bench = glewlwyd_like(make, admin_api_key="wrong")
    with pytest.raises(KeyManagerRejected) as caught:
        bench.adapter.register_scope(ScopeSpec(key="x"))
    assert caught.value.remote_code == "own_client_refused"


def test_a_private_address_is_refused_unless_it_is_allowed(make: Any) -> None:
    bench = make()
    with HttpClient() as guarded, pytest.raises(PrivateAddressRefused):
        RfcAdapter(bench.config, guarded, bench.clock).create_client(METADATA)


# Tokens


@pytest.mark.parametrize(("meaning", "scopes"), [("as_asked", {"read"}), ("none", set())])
def test_an_absent_scope_means_what_the_server_is_known_for(make: Any, meaning: str, scopes: set[str]) -> None:
    bench = make(Quirks(scope_in_answer="never"), absent_scope=meaning)
    bench.server.add_client("c", "s", scope="read")
    assert bench.ask(("scope", "read")).scopes == scopes


@pytest.mark.parametrize(
    ("style", "most", "resources", "accepted"),
    [
        ("none", 1, ["https://a.example"], False),
        ("url", 1, ["https://a.example"], True),
        ("url", 1, ["urn:a"], False),
        ("urn", 1, ["urn:a"], True),
        ("urn", 1, ["https://a.example"], False),
        ("any", 1, ["urn:a"], True),
        ("any", 1, ["urn:a", "urn:b"], False),
        ("any", 0, ["urn:a", "urn:b"], True),
    ],
)
def test_a_resource_indicator_that_the_server_cannot_take_is_an_invalid_target(
    make: Any, style: str, most: int, resources: list[str], accepted: bool
) -> None:
    bench = make(Quirks(several_resources=True), resource_style=style, max_resources=most)
    bench.server.add_client("c", "s", scope="read")
    given = bench.ask(("scope", "read"), *(("resource", resource) for resource in resources))
    assert given.ok == accepted
    if not accepted:
        assert given.body["error"] == "invalid_target"
        assert not bench.server.requests_of("token")


def test_a_silent_refusal_becomes_an_oauth_error_with_a_challenge(make: Any) -> None:
    given = make(Quirks(wrong_client="403_empty")).ask(("scope", "read"))
    assert (given.status, given.body["error"], given.www_authenticate) == (401, "invalid_client", "Basic")


def test_a_lost_answer_to_a_code_is_unknown_and_to_client_credentials_unavailable(make: Any) -> None:
    bench = make()
    bench.server.add_client("c", "s", scope="read")
    bench.server.fault("token", Fault.lost_answer(times=2))
    with pytest.raises(KeyManagerUnavailable):
        bench.ask(("scope", "read"))
    parameters = (("grant_type", "authorization_code"), ("code", "x"))
    with pytest.raises(OutcomeUnknown):
        bench.adapter.issue_token(TokenRequest(client_id="c", client_secret="s", parameters=parameters))


@pytest.mark.parametrize(("encoding", "decoding"), [("form", "percent"), ("raw", "raw")])
def test_basic_credentials_are_encoded_as_the_server_decodes_them(make: Any, encoding: str, decoding: Any) -> None:
    bench = make(Quirks(basic_decoding=decoding), basic_encoding=encoding)
    bench.server.add_client("c", "a%b+c&d ü:#", scope="read")
    request = TokenRequest(
        client_id="c", client_secret="a%b+c&d ü:#", parameters=(("grant_type", "client_credentials"),)
    )
    assert bench.adapter.issue_token(request).ok


# Introspection and keys


def jwt_bench(make: Any, **values: Any) -> Bench:
    bench: Bench = make(Quirks(token_format="jwt"), token_validation="jwt", jwt_introspection=False, **values)
    return bench


def test_a_genuine_jwt_is_active_without_a_call_once_keys_are_known(make: Any) -> None:
    bench = jwt_bench(make)
    facts = [bench.adapter.introspect(bench.server.make_token("c", scope="read")) for _ in range(3)]
    assert all(isinstance(fact, TokenFacts) and fact.client_id == "c" for fact in facts)
    assert len(bench.server.requests_of("jwks")) == 1
    assert not bench.server.requests_of("introspect")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"seconds": -60}, "expired"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"exp": None}, "when it expires"),
        ({"nbf": 1_900_000_600}, "not valid yet"),
        ({"nonce": "n"}, "not an access token"),
        ({"token_use": "id"}, "not an access token"),
    ],
)
def test_a_jwt_that_is_not_good_says_why(make: Any, claims: dict[str, Any], reason: str) -> None:
    bench = jwt_bench(make)
    answer = bench.adapter.introspect(bench.server.make_token("c", **claims))
    assert isinstance(answer, Inactive)
    assert reason in answer.reason


def test_a_new_key_is_found_and_a_removed_key_is_forgotten(make: Any) -> None:
    bench = jwt_bench(make)
    old = bench.server.make_token("c", seconds=3600)
    assert isinstance(bench.adapter.introspect(old), TokenFacts)
    bench.server.rotate_key(keep_old=False)
    bench.clock.time += 61
    assert isinstance(bench.adapter.introspect(bench.server.make_token("c")), TokenFacts)
    assert isinstance(bench.adapter.introspect(old), Inactive)


def test_rubbish_does_not_make_us_fetch_the_keys_each_time(make: Any) -> None:
    bench = jwt_bench(make)
    for _ in range(5):
        assert isinstance(bench.adapter.introspect("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), Inactive)
    assert len(bench.server.requests_of("jwks")) == 1


def test_a_jwt_that_the_server_refuses_to_introspect_is_checked_by_its_keys(make: Any) -> None:
    bench = make(OIDC_PROVIDER, jwt_introspection=True)
    token = bench.server.make_token("c", scope="read", token_format="jwt")
    assert isinstance(bench.adapter.introspect(token), TokenFacts)


def test_facts_are_read_whatever_is_missing(make: Any) -> None:
    bench = make(Quirks(introspection_omits=frozenset({"iss", "iat", "jti", "token_type", "exp"})))
    facts = bench.adapter.introspect(bench.server.make_token("c", scope="read"))
    assert isinstance(facts, TokenFacts)
    assert (facts.exp, facts.iss, facts.sub) == (None, "", "")


def test_the_audience_may_be_one_or_many(make: Any) -> None:
    bench = make()
    for audience in (["urn:a"], ["urn:a", "urn:b"]):
        facts = bench.adapter.introspect(bench.server.make_token("c", audience=audience))
        assert isinstance(facts, TokenFacts)
        assert facts.aud == tuple(audience)


def test_claims_are_read_in_the_configured_order(make: Any) -> None:
    adapter = make(client_id_claims=["azp", "client_id"], scope_claims=["permissions"]).adapter
    assert adapter.client_id_of({"client_id": "a", "azp": "b"}) == "b"
    assert adapter.scopes_of({"scope": "x", "permissions": ["y"]}) == {"y"}


def test_a_refresh_token_is_not_taken_for_an_access_token(make: Any) -> None:
    bench = make()
    bench.server.fault("introspect", Fault.spoilt_json(b'{"active": true, "token_type": "refresh_token"}'))
    facts = bench.adapter.introspect("opaque")
    assert isinstance(facts, TokenFacts)
    assert facts.token_use == "refresh"


def test_a_person_is_known_by_the_token(make: Any) -> None:
    bench = make(userinfo=True)
    token = bench.server.make_token("c", subject="alice", scope="openid")
    assert bench.adapter.user_claims(token)["sub"] == "alice"
    with pytest.raises(KeyManagerRejected):
        bench.adapter.user_claims("wrong")


def test_every_exchange_of_a_registration_is_recorded_without_secrets(make: Any) -> None:
    bench = make()
    with recorded_exchanges() as exchanges:
        made = bench.adapter.create_client(METADATA)
    last = exchanges[-1]
    assert (last.method, last.status) == ("POST", 201)
    for secret in (made.handle.client_secret, made.handle.registration_access_token, "initial-access-token"):
        assert secret not in repr(exchanges)


def test_capabilities_follow_the_configuration(make: Any) -> None:
    bare = make(registration="none", revocation=False, grant_types=["client_credentials"]).adapter.capabilities
    assert not bare & {
        Capability.CREATE_CLIENT,
        Capability.UPDATE_CLIENT,
        Capability.REVOKE_TOKEN,
        Capability.AUTHORIZATION_URL,
        Capability.SCOPES,
        Capability.ROTATE_SECRET,
    }
    assert Capability.ROTATE_SECRET in make(update_secret="new").adapter.capabilities
