"""Which JWTs are believed."""

import base64
import datetime
import hmac
import json
import warnings
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from common.errors import KeyManagerUnavailable
from keymanager.adapters.contract import TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.jwt_check import keys_of
from keymanager.validation.key_rings import REFETCH_SECONDS, USABLE_SECONDS, KeyRings
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.resolver import TokenResolver
from tests.unit.validation_kit import (
    ISSUER,
    NOW,
    SIGNING_KEY,
    AdapterInMemory,
    ManualClock,
    World,
    key_manager,
    public,
    token,
)


def resolve(bearer: str, world: World | None = None) -> Resolved:
    world = world or World()
    return TokenResolver(world, world.clock).resolve(bearer, world.facts, None)


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS256", RSAKey.generate_key(2048, {"kid": "k"})),
        ("PS256", RSAKey.generate_key(2048, {"kid": "k"})),
        ("ES256", ECKey.generate_key("P-256", {"kid": "k"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "k"})),
    ],
)
def test_asymmetric_signatures_are_believed(alg: str, key: Any) -> None:
    world = World()
    world.adapters[1].keys = [public(key)]
    answer = resolve(token(key, header={"alg": alg}), world)
    assert isinstance(answer, GoodToken)
    assert answer.facts.client_id == "client-1"


def test_a_signature_that_says_eddsa_is_read_as_ed25519() -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "k"})
    world = World()
    world.adapters[1].keys = [public(key)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        claims = {"iss": ISSUER, "client_id": "client-1", "exp": int(NOW) + 60}
        named = jwt.encode({"alg": "EdDSA", "kid": "k"}, claims, key, algorithms=["EdDSA"])
    assert isinstance(resolve(named, world), GoodToken)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_an_unsigned_token_is_refused() -> None:
    claims = {"iss": ISSUER, "client_id": "client-1", "exp": int(NOW) + 60}
    assert isinstance(resolve(f"{_part({'alg': 'none'})}.{_part(claims)}."), BadToken)


def test_a_token_that_is_signed_with_the_public_key_as_a_shared_secret_is_refused() -> None:
    claims = {"iss": ISSUER, "client_id": "client-1", "exp": int(NOW) + 60}
    signed = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    mac = hmac.new(SIGNING_KEY.as_pem(private=False), signed.encode(), "sha256").digest()
    assert isinstance(resolve(f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"), BadToken)


def test_a_token_that_another_key_signed_is_refused() -> None:
    assert isinstance(resolve(token(RSAKey.generate_key(2048, {"kid": "one"}))), BadToken)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": int(NOW)}, Code.TOKEN_EXPIRED),
        ({"exp": None}, Code.TOKEN_INVALID),
        ({"exp": "soon"}, Code.TOKEN_INVALID),
        ({"nbf": int(NOW) + 60}, Code.TOKEN_INVALID),
        ({"iat": int(NOW) + 60}, Code.TOKEN_INVALID),
        ({"token_use": "id"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"token_type": "refresh_token"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"typ": "Refresh"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"typ": "Offline"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"typ": "ID"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"at_hash": "h"}, Code.NOT_AN_ACCESS_TOKEN),
        ({"nonce": "n", "scope": None}, Code.NOT_AN_ACCESS_TOKEN),
        ({"events": {}}, Code.NOT_AN_ACCESS_TOKEN),
    ],
)
def test_times_and_kind_are_judged(changes: dict[str, Any], code: Code) -> None:
    answer = resolve(token(**changes))
    assert isinstance(answer, BadToken)
    assert answer.code == code


def test_an_access_token_that_kept_the_nonce_of_the_sign_in_is_good() -> None:
    assert isinstance(resolve(token(nonce="n")), GoodToken)


def with_rules(**rules: Any) -> World:
    """A world whose key manager is configured so."""
    return World(adapters={1: AdapterInMemory(**{"token_validation": "jwt", **rules})})


def test_the_configured_clock_difference_is_the_one_that_counts() -> None:
    late = token(nbf=int(NOW) + 60)
    assert isinstance(resolve(late, with_rules(clock_skew_seconds=59)), BadToken)
    assert isinstance(resolve(late, with_rules(clock_skew_seconds=60)), GoodToken)


def test_an_algorithm_that_is_not_accepted_is_refused_by_name_before_any_key_is_looked_at() -> None:
    world = with_rules(accepted_algorithms=("ES256",))
    answer = resolve(token(), world)
    assert isinstance(answer, BadToken)
    assert answer.code == Code.ALGORITHM_NOT_ACCEPTED
    assert "ES256" in answer.reason
    assert world.adapters[1].jwks_calls == 0


def test_where_at_jwt_is_demanded_every_other_type_is_refused() -> None:
    world = with_rules(demand_at_jwt=True)
    assert isinstance(resolve(token(header={"typ": "application/at+jwt"}), world), GoodToken)
    for typ in ("JWT", "logout+jwt"):
        answer = resolve(token(header={"typ": typ}), world)
        assert isinstance(answer, BadToken)
        assert answer.code == Code.NOT_AN_ACCESS_TOKEN


@pytest.mark.parametrize(
    ("claims", "client", "scopes"),
    [
        ({"aud": ["app-1"], "permissions": {"api": "read write"}}, "app-1", {"read", "write"}),
        ({"aud": ["app-1", "app-2"], "https://h.example/scopes": ["read"]}, "", {"read"}),
    ],
)
def test_client_and_scopes_are_read_where_the_configuration_says(
    claims: dict[str, Any], client: str, scopes: set[str]
) -> None:
    names = ("https://h.example/scopes", "permissions.api")
    answer = resolve(token(**claims), with_rules(client_id_claims=("aud",), scope_claims=names))
    assert isinstance(answer, GoodToken)
    assert (answer.facts.client_id, set(answer.facts.scopes)) == (client, scopes)


def test_a_token_that_names_an_alias_of_the_issuer_is_its_key_managers() -> None:
    world = World()
    world.facts.put_key_managers([key_manager(1, issuers=frozenset({"https://other.example", ISSUER}))])
    assert isinstance(resolve(token(iss="https://other.example"), world), GoodToken)
    assert isinstance(resolve(token(iss="https://third.example"), world), BadToken)


def test_pinned_keys_are_used_instead_of_the_published_ones() -> None:
    old = RSAKey.generate_key(2048, {"kid": "old"})
    world = with_rules(pinned_keys=old.as_pem(private=False).decode())
    assert isinstance(resolve(token(old), world), GoodToken)
    assert isinstance(resolve(token(), world), BadToken)
    assert world.adapters[1].jwks_calls == 0


def test_a_pinned_certificate_stands_for_its_key() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1))
    pem = built.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signing = RSAKey.import_key(private, {"kid": "any"})
    assert isinstance(resolve(token(signing), with_rules(pinned_keys=pem)), GoodToken)


def test_a_key_is_used_for_its_own_algorithm_only() -> None:
    world = World()
    world.adapters[1].keys = [{**public(SIGNING_KEY), "alg": "PS256"}]
    assert isinstance(resolve(token(), world), BadToken)
    assert isinstance(resolve(token(header={"alg": "PS256"}), world), GoodToken)


def test_with_auto_a_jwt_is_judged_by_its_signature_and_every_other_token_by_asking() -> None:
    world = with_rules(token_validation="auto")
    world.adapters[1].answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    assert isinstance(resolve(token(), world), GoodToken)
    assert world.adapters[1].introspections == 0
    assert isinstance(resolve("opaque", world), GoodToken)
    assert world.adapters[1].introspections == 1


def test_with_auto_a_jwt_that_names_no_client_is_asked_about() -> None:
    world, bearer = with_rules(token_validation="auto"), token(client_id=None)
    world.adapters[1].answers[bearer] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    answer = resolve(bearer, world)
    assert isinstance(answer, GoodToken)
    assert answer.facts.client_id == "client-1"


def test_an_introspected_token_without_exp_ends_when_its_remaining_seconds_do() -> None:
    world = with_rules(token_validation="tokeninfo")
    world.adapters[1].answers["opaque"] = TokenFacts(
        client_id="client-1", scopes=frozenset(), claims={"expires_in": 30}
    )
    answer = resolve("opaque", world)
    assert isinstance(answer, GoodToken)
    assert answer.until == NOW + 30


@pytest.mark.parametrize("name", ["refresh_token", "id_token", "ID_TOKEN"])
def test_a_signed_token_whose_token_name_is_not_that_of_an_access_token_is_refused(name: str) -> None:
    """ForgeRock AM signs access, refresh and ID tokens with one key, as JWTs of one type."""
    answer = resolve(token(tokenName=name))
    assert isinstance(answer, BadToken)
    assert answer.code is Code.NOT_AN_ACCESS_TOKEN
    assert "tokenName" in answer.reason
    assert isinstance(resolve(token(tokenName="access_token")), GoodToken)


@pytest.mark.parametrize("claims", [{"typ": "Refresh"}, {"token_type": "refresh_token"}, {"at_hash": "h"}])
def test_what_introspection_calls_active_is_still_refused_when_it_is_no_access_token(claims: dict[str, Any]) -> None:
    world = with_rules(token_validation="introspection")
    world.adapters[1].answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), claims=claims)
    answer = resolve("opaque", world)
    assert isinstance(answer, BadToken)
    assert answer.code == Code.NOT_AN_ACCESS_TOKEN


def test_clocks_may_differ_a_little() -> None:
    assert isinstance(resolve(token(iat=int(NOW) + 5, nbf=int(NOW) + 5)), GoodToken)


@pytest.mark.parametrize("header", [{"typ": "dpop+jwt"}, {"typ": "secevent+jwt"}, {"crit": ["x"], "x": 1}])
def test_jwts_of_other_types_and_with_unknown_demands_are_refused(header: dict[str, Any]) -> None:
    _, claims, signature = token().split(".")
    changed = {"alg": "RS256", "kid": "one", **header}
    assert isinstance(resolve(f"{_part(changed)}.{claims}.{signature}"), BadToken)


def test_header_members_that_mean_nothing_to_us_do_not_matter() -> None:
    claims = {"iss": ISSUER, "client_id": "client-1", "exp": int(NOW) + 60}
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    signed = jwt.encode({"alg": "RS256", "kid": "one", "nonce": "azure"}, claims, SIGNING_KEY, registry=registry)
    assert isinstance(resolve(signed), GoodToken)


def test_short_rsa_keys_encryption_keys_and_unreadable_members_are_left_out_of_a_jwks() -> None:
    good = public(SIGNING_KEY)
    weak = {**good, "n": good["n"][:170], "kid": "weak"}
    unfit = [weak, {**good, "use": "enc"}, {**good, "alg": "RSA-OAEP"}, {**good, "key_ops": ["wrapKey"]}]
    assert [k.kid for k in keys_of({"keys": [*unfit, {"kty": "RSA"}, 7, good]})] == ["one"]


def test_an_unknown_key_id_is_fetched_once_a_minute_at_most() -> None:
    world, time = World(), ManualClock(0.0)
    resolver = TokenResolver(world, world.clock, KeyRings(time.now))
    new_key = RSAKey.generate_key(2048, {"kid": "two"})
    assert isinstance(resolver.resolve(token(), world.facts, None), GoodToken)
    for _ in range(3):
        assert isinstance(resolver.resolve(token(new_key), world.facts, None), BadToken)
    assert world.adapters[1].jwks_calls == 1
    world.adapters[1].keys = [public(SIGNING_KEY), public(new_key)]
    time.time += REFETCH_SECONDS + 1
    assert isinstance(resolver.resolve(token(new_key), world.facts, None), GoodToken)
    assert world.adapters[1].jwks_calls == 2


def test_known_keys_outlive_a_short_outage_of_the_key_manager_and_not_a_long_one() -> None:
    world, time = World(), ManualClock(0.0)
    resolver = TokenResolver(world, world.clock, KeyRings(time.now))
    assert isinstance(resolver.resolve(token(), world.facts, None), GoodToken)
    world.adapters[1].error = KeyManagerUnavailable()
    time.time += USABLE_SECONDS - 1
    assert isinstance(resolver.resolve(token(), world.facts, None), GoodToken)
    time.time += 120
    assert isinstance(resolver.resolve(token(), world.facts, None), NoAnswer)


def test_a_known_key_manager_needs_nobody_to_be_asked() -> None:
    world = World()
    resolver = TokenResolver(world, world.clock)
    assert resolver.resolve_at_once(token(), world.facts) is None
    resolver.resolve(token(), world.facts, None)
    assert isinstance(resolver.resolve_at_once(token(sub="other"), world.facts), GoodToken)
    assert resolver.resolve_at_once("opaque", world.facts) is None
