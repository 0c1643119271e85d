"""Which JWTs are believed."""

import base64
import hmac
import json
import warnings
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from common.errors import KeyManagerUnavailable
from keymanager.validation.codes import Code
from keymanager.validation.jwt_check import keys_of
from keymanager.validation.key_rings import REFETCH_SECONDS, USABLE_SECONDS, KeyRings
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.resolver import TokenResolver
from tests.unit.validation_kit import ISSUER, NOW, SIGNING_KEY, ManualClock, World, public, token


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
        ({"token_use": "id"}, Code.TOKEN_INVALID),
        ({"typ": "Refresh"}, Code.TOKEN_INVALID),
        ({"nonce": "n", "scope": None}, Code.TOKEN_INVALID),
        ({"events": {}}, Code.TOKEN_INVALID),
    ],
)
def test_times_and_kind_are_judged(changes: dict[str, Any], code: Code) -> None:
    answer = resolve(token(**changes))
    assert isinstance(answer, BadToken)
    assert answer.code == code


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
    assert [k.kid for k in keys_of({"keys": [weak, {**good, "use": "enc"}, {"kty": "RSA"}, 7, good]})] == ["one"]


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
