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

from keymanager.adapters.contract import KeyManagerAdapter, TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.resolved import BadToken

# Asymmetric only: "none" and the HMAC family would let whoever knows a public key sign.
ALGORITHMS: Final[Mapping[str, str]] = {
    "RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
LEEWAY_SECONDS: Final = 10.0
# 2048 bits are 342 characters of base64url: shorter keys are too weak to be believed (RFC 7518 section 3.3).
_SHORTEST_RSA_MODULUS = 342
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
# What other tokens say of themselves in ``token_use`` (Cognito and others) or ``typ`` (Keycloak).
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
    """One public key of a JWKS."""

    kid: str
    kty: str
    key: Key


def keys_of(jwks: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
    """The signature keys of a JWKS (RFC 7517); keys of a kind that we do not use are left out."""
    found: list[VerificationKey] = []
    members = jwks.get("keys")
    for member in members if isinstance(members, list) else ():
        if not isinstance(member, dict) or member.get("use", "sig") != "sig":
            continue
        if member.get("kty") not in ALGORITHMS.values():
            continue
        if member["kty"] == "RSA" and len(_text(member, "n")) < _SHORTEST_RSA_MODULUS:
            continue
        try:
            key = JWKRegistry.import_key(member)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        found.append(VerificationKey(kid=_text(member, "kid"), kty=str(member["kty"]), key=key))
    return tuple(found)


def may_be_signed_by(unverified: UnverifiedJwt, keys: tuple[VerificationKey, ...]) -> tuple[VerificationKey, ...]:
    """The keys that can have signed the token: of its kind, and with its ``kid`` when it names one."""
    kty = ALGORITHMS.get(unverified.alg)
    return tuple(
        key for key in keys if key.kty == kty and (not unverified.kid or not key.kid or key.kid == unverified.kid)
    )


def refusal_before_keys(unverified: UnverifiedJwt) -> BadToken | None:
    """What is wrong with the token whatever its signature says."""
    if unverified.alg not in ALGORITHMS:
        return _bad(f"The signature algorithm {unverified.alg[:20]!r} is not accepted.")
    if unverified.typ not in _TYPES:
        return _bad("This is a JWT of another type, not an access token.")
    if unverified.has_crit:
        return _bad("The token demands extensions (crit) that are not known here.")
    return None


def verify(
    unverified: UnverifiedJwt, keys: tuple[VerificationKey, ...], adapter: KeyManagerAdapter, *, now: float
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
        return _bad("The token's signature does not verify.")
    return _judge_claims(claims, adapter, now=now)


def _verified_claims(unverified: UnverifiedJwt, key: Key) -> Mapping[str, Any]:
    if unverified.alg != "EdDSA":
        return jwt.decode(unverified.token, key, registry=_REGISTRY).claims
    # RFC 9864 renames it to Ed25519 and the library warns; identity providers still write the old name.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.decode(unverified.token, key, registry=_REGISTRY).claims


def _judge_claims(claims: Mapping[str, Any], adapter: KeyManagerAdapter, *, now: float) -> TokenFacts | BadToken:
    if is_other_use(claims):
        return _bad("This is not an access token (an ID or refresh token was sent).")
    exp, nbf, iat = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if exp is None:
        return _bad("The token does not say when it expires.")
    facts = TokenFacts(
        client_id=adapter.client_id_of(claims),
        scopes=adapter.scopes_of(claims),
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
    return refusal_by_time(facts, now=now) or facts


def refusal_by_time(facts: TokenFacts, *, now: float) -> BadToken | None:
    """Expired at ``exp`` to the second; ``nbf`` and ``iat`` may be a little ahead of our clock."""
    if facts.exp is not None and facts.exp <= now:
        return BadToken(code=Code.TOKEN_EXPIRED, reason="The token has expired.")
    if facts.nbf is not None and facts.nbf > now + LEEWAY_SECONDS:
        return _bad("The token is not valid yet (nbf).")
    if facts.iat is not None and facts.iat > now + LEEWAY_SECONDS:
        return _bad("The token was issued in the future (iat).")
    return None


def is_other_use(claims: Mapping[str, Any]) -> bool:
    """Whether the claims belong to an ID, refresh or logout token."""
    if any(_text(claims, name).lower() in _OTHER_USES for name in ("token_use", "typ")):
        return True
    if "events" in claims:
        return True
    return any(name in claims for name in ("nonce", "at_hash", "c_hash")) and not {"scope", "scp"} & claims.keys()


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return int(value)


def _audiences(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _bad(reason: str) -> BadToken:
    return BadToken(code=Code.TOKEN_INVALID, reason=reason)
