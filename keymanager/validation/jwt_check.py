"""Verifying JWT access tokens locally (RFC 7519, RFC 9068, RFC 8725)."""

import base64
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry

from keymanager.adapters.claims import claim_at, client_id_in, scopes_in
from keymanager.adapters.contract import KeyManagerAdapter, TokenFacts
from keymanager.adapters.pinned_keys import SHORTEST_RSA_BITS, keys_in_pem
from keymanager.adapters.token_rules import ALGORITHMS, TokenRules
from keymanager.validation.codes import Code
from keymanager.validation.resolved import BadToken

_CURVES: Final[Mapping[str, str]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
# In base64url; shorter keys are too weak to be believed (RFC 7518 section 3.3).
_SHORTEST_RSA_MODULUS = -(-SHORTEST_RSA_BITS // 6)
_ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_TYPES = _ACCESS_TYPES | {"", "jwt"}
# An ID token has one of these, an access token never (OpenID Connect Core sections 3.1.3.6 and 3.3.2.11).
_ID_TOKEN_HASHES = ("at_hash", "c_hash")
# What other tokens say of themselves in ``token_use`` (Cognito and others), ``typ`` (Keycloak), ``tokenName`` (AM).
_OTHER_USES = frozenset({"id", "refresh", "offline", "logout", "id_token", "refresh_token"})
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedJwt:
    """A token that has the shape of a JWS, read without trusting it: only to find who could have signed it."""

    alg: str
    kid: str
    typ: str
    has_crit: bool
    issuer: str
    token: str = field(repr=False)


def read_unverified(token: str) -> UnverifiedJwt | None:
    """The token's header and issuer, or ``None`` when it is not a JWS in compact form."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header, claims = _json_part(parts[0]), _json_part(parts[1])
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return None
    return UnverifiedJwt(
        alg=header["alg"],
        kid=_text(header, "kid"),
        typ=_text(header, "typ").lower(),
        has_crit="crit" in header,
        issuer=_text(claims, "iss"),
        token=token,
    )


def _json_part(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """One public key. ``kid``, ``alg`` and ``crv`` are "" where the key does not say."""

    kid: str
    kty: str
    key: Key
    alg: str = ""
    crv: str = ""


def keys_of(jwks: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
    """The signature keys of a JWKS (RFC 7517 section 4); keys of a kind or for a use that is not ours are left out."""
    found: list[VerificationKey] = []
    members = jwks.get("keys")
    for member in members if isinstance(members, list) else ():
        if not isinstance(member, dict) or member.get("use", "sig") != "sig":
            continue
        if member.get("alg", "") not in ("", *ALGORITHMS) or "verify" not in member.get("key_ops", ["verify"]):
            continue
        if member.get("kty") not in ALGORITHMS.values():
            continue
        if member["kty"] == "RSA" and len(_text(member, "n")) < _SHORTEST_RSA_MODULUS:
            continue
        try:
            # Some servers fill these in ways that the library refuses.
            key = JWKRegistry.import_key({k: v for k, v in member.items() if k not in ("use", "key_ops", "alg")})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        found.append(
            VerificationKey(
                kid=_text(member, "kid"),
                kty=str(member["kty"]),
                key=key,
                alg=_text(member, "alg"),
                crv=_text(member, "crv"),
            )
        )
    return tuple(found)


def pinned_keys_of(pem: str) -> tuple[VerificationKey, ...]:
    """The keys that an administrator pinned; they have no ``kid``, so each is tried."""
    return tuple(
        VerificationKey(kid="", kty=kty, key=key, crv=_text(key.as_dict(private=False), "crv"))
        for kty, key in keys_in_pem(pem)
    )


def may_be_signed_by(unverified: UnverifiedJwt, keys: tuple[VerificationKey, ...]) -> tuple[VerificationKey, ...]:
    """The keys that can have signed the token: of its kind, for its algorithm, with its ``kid`` when it names one."""
    return tuple(key for key in keys if _may_have_signed(key, unverified))


def _may_have_signed(key: VerificationKey, unverified: UnverifiedJwt) -> bool:
    if key.kty != ALGORITHMS.get(unverified.alg) or (key.alg and key.alg != unverified.alg):
        return False
    if key.kty == "EC" and key.crv != _CURVES.get(unverified.alg):
        return False
    return not unverified.kid or not key.kid or key.kid == unverified.kid


def refusal_before_keys(unverified: UnverifiedJwt, rules: TokenRules) -> BadToken | None:
    """What is wrong with the token whatever its signature says."""
    if unverified.alg not in rules.accepted_algorithms or unverified.alg not in ALGORITHMS:
        accepted = ", ".join(rules.accepted_algorithms)
        reason = f"The signature algorithm {unverified.alg[:20]!r} is not accepted; accepted are {accepted}."
        return BadToken(code=Code.ALGORITHM_NOT_ACCEPTED, reason=reason)
    if rules.demand_at_jwt and unverified.typ not in _ACCESS_TYPES:
        return _not_access(f"The key manager's access tokens have the type at+jwt; this is {unverified.typ[:20]!r}.")
    if unverified.typ not in _TYPES:
        return _not_access(f"This is a JWT of the type {unverified.typ[:20]!r}.")
    if unverified.has_crit:
        return _bad("The token demands extensions (crit) that are not known here.")
    return None


def verify(
    unverified: UnverifiedJwt,
    keys: tuple[VerificationKey, ...],
    adapter: KeyManagerAdapter,
    rules: TokenRules,
    *,
    now: float,
) -> TokenFacts | BadToken:
    """Check signature, times and kind; what the token says, or why it is refused."""
    claims: Mapping[str, Any] | None = None
    for candidate in keys:
        try:
            claims = _verified_claims(unverified, candidate.key)
            break
        except (JoseError, ValueError, TypeError):
            continue
    if claims is None:
        known = "does not verify." if keys else "is by a key that the key manager does not publish."
        return _bad(f"The token's signature {known}")
    return _judge_claims(claims, adapter, rules, now=now)


def _verified_claims(unverified: UnverifiedJwt, key: Key) -> Mapping[str, Any]:
    if unverified.alg != "EdDSA":
        return jwt.decode(unverified.token, key, registry=_REGISTRY).claims
    # RFC 9864 renames it to Ed25519 and the library warns; identity providers still write the old name.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.decode(unverified.token, key, registry=_REGISTRY).claims


def _judge_claims(
    claims: Mapping[str, Any], adapter: KeyManagerAdapter, rules: TokenRules, *, now: float
) -> TokenFacts | BadToken:
    refusal = refusal_by_use(claims, rules)
    if refusal is not None:
        return refusal
    exp, nbf, iat = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if exp is None:
        return _bad("The token does not say when it expires.")
    facts = TokenFacts(
        client_id=client_id_of(claims, adapter, rules),
        scopes=scopes_of(claims, adapter, rules),
        exp=exp,
        iat=iat,
        nbf=nbf,
        iss=_text(claims, "iss"),
        sub=_text(claims, "sub"),
        username=_text(claims, "preferred_username") or _text(claims, "username"),
        aud=_audiences(claims.get("aud")),
        jti=_text(claims, "jti"),
        claims=claims,
    )
    return refusal_by_time(facts, rules, now=now) or facts


def client_id_of(claims: Mapping[str, Any], adapter: KeyManagerAdapter, rules: TokenRules) -> str:
    """The client that the claims name, by the configured list, else as the adapter knows; "" when they name none."""
    return client_id_in(claims, rules.client_id_claims) if rules.client_id_claims else adapter.client_id_of(claims)


def scopes_of(claims: Mapping[str, Any], adapter: KeyManagerAdapter, rules: TokenRules) -> frozenset[str]:
    """The scopes that the claims hold, by the configured list, else as the adapter knows."""
    return scopes_in(claims, rules.scope_claims) if rules.scope_claims else adapter.scopes_of(claims)


def refusal_by_time(facts: TokenFacts, rules: TokenRules, *, now: float) -> BadToken | None:
    """Expired at ``exp`` to the second; ``nbf`` and ``iat`` may be a little ahead of our clock."""
    if facts.exp is not None and facts.exp <= now:
        return BadToken(code=Code.TOKEN_EXPIRED, reason="The token has expired.")
    latest = now + rules.clock_skew_seconds
    if facts.nbf is not None and facts.nbf > latest:
        return _bad("The token is not valid yet (nbf).")
    if facts.iat is not None and facts.iat > latest:
        return _bad("The token was issued in the future (iat).")
    return None


def refusal_by_use(claims: Mapping[str, Any], rules: TokenRules) -> BadToken | None:
    """Why the claims belong to an ID, refresh or logout token, by what such tokens say of themselves."""
    for name in ("token_use", "typ", "token_type", "tokenName"):
        if _text(claims, name).lower() in _OTHER_USES:
            return _not_access(f"Its {name} is {_text(claims, name)!r}.")
    for name in ("events", *_ID_TOKEN_HASHES):
        if name in claims:
            return _not_access(f"It has the claim {name}, which access tokens never have.")
    # Some servers write the nonce of the sign-in into access tokens too; those have scopes.
    if "nonce" in claims and not any(claim_at(claims, name) for name in ("scope", "scp", *rules.scope_claims)):
        return _not_access("It has a nonce and no scope, as ID tokens do.")
    return None


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return int(value)


def _audiences(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _not_access(reason: str) -> BadToken:
    return BadToken(code=Code.NOT_AN_ACCESS_TOKEN, reason=f"This is not an access token. {reason}")


def _bad(reason: str) -> BadToken:
    return BadToken(code=Code.TOKEN_INVALID, reason=reason)
