"""How the access tokens of a key manager are judged: the settings that every adapter's configuration has."""

from dataclasses import dataclass
from typing import Any, Final

from common.errors import InputError
from common.http_values import check_url
from keymanager.adapters.config import knob
from keymanager.adapters.contract import Capability, KeyManagerAdapter
from keymanager.adapters.pinned_keys import fault_of_pinned_keys

# Asymmetric only: "none" and the HMAC family would let whoever knows a public key sign.
ALGORITHMS: Final[dict[str, str]] = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
CHECKS: Final = ("auto", "jwt", "introspection", "tokeninfo")
_LONGEST_SKEW_SECONDS: Final = 300


def checked_by(default: str = "auto", *choices: str) -> Any:
    """The field ``token_validation`` of an adapter that does not offer all of ``CHECKS``."""
    return knob(
        "Access tokens are checked by",
        default,
        choices=choices or CHECKS,
        help=(
            "auto: a JWT by its signature where keys are known, every other token by asking. A check by signature does "
            "not see that a token was revoked at the identity provider."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """The part of a configuration that says which tokens are believed. Adapters' configurations inherit it."""

    token_validation: str = checked_by()
    pinned_keys: str = knob(
        "Pinned keys",
        kind="pem",
        help="PEM public keys or certificates, instead of the published key set; replace them when the keys rotate.",
    )
    client_id_claims: tuple[str, ...] = knob(
        "Claims that name the client",
        (),
        help="In order; a dot leads into an object. Empty: as this identity provider does.",
    )
    scope_claims: tuple[str, ...] = knob(
        "Claims that hold the scopes",
        (),
        help="In order; lists, or texts with spaces. Dots and empty: as above.",
    )
    issuer_aliases: tuple[str, ...] = knob(
        "Further issuers", (), help="Other values of iss in its tokens, as with the two versions of Entra's."
    )
    audience_rule: str = knob(
        "Audience",
        "none",
        choices=("none", "any_of", "resource"),
        help="What aud must have besides what the API asks: nothing, one of a list, or the API's resource identifier.",
    )
    expected_audiences: tuple[str, ...] = knob("Audience: the list", (), help="For any_of.")
    accepted_algorithms: tuple[str, ...] = knob(
        "Signature algorithms", ("RS256", "PS256", "ES256", "EdDSA", "Ed25519"), help="Asymmetric ones only."
    )
    clock_skew_seconds: int = knob(
        "Clock difference", 10, help="Seconds that nbf and iat may be ahead of our clock, 300 at most; exp has none."
    )
    demand_at_jwt: bool = knob(
        "JWTs must have the type at+jwt", False, help="RFC 9068 section 4; many servers still write JWT."
    )

    user_store: str = knob(
        "Its users are",
        "none",
        choices=("none", "shared"),
        help=(
            "shared: the portal's users too, so that APIs can bind scopes to roles and send user claims to backends. "
            "Where people sign in neither at its issuer nor with a directory, its names are accounts here; whoever can "
            "choose a name there can become that account (administrator is left out)."
        ),
    )
    user_name_claims: tuple[str, ...] = knob(
        "Claims that name the user",
        ("preferred_username", "username", "sub"),
        help="In order; the name in the directory that people sign in with, else a portal user's.",
    )
    user_claims_from: str = knob(
        "User claims come from",
        "token",
        choices=("token", "userinfo", "directory"),
        help="The token, one more call for each new token, or the portal's own directory.",
    )

    def rule_errors(self) -> dict[str, list[str]]:
        """What is wrong with these settings, by field."""
        errors: dict[str, list[str]] = {}
        for name, fault in (
            ("pinned_keys", self._pinned_fault()),
            ("issuer_aliases", _url_fault(self.issuer_aliases)),
            ("expected_audiences", self._audience_fault()),
            ("accepted_algorithms", _algorithm_fault(self.accepted_algorithms)),
            ("clock_skew_seconds", self._skew_fault()),
            ("user_name_claims", self._user_fault()),
        ):
            if fault:
                errors[name] = [fault]
        return errors

    def _pinned_fault(self) -> str:
        if not self.pinned_keys:
            return ""
        if self.token_validation not in ("auto", "jwt"):
            return "Keys are of no use where every token is asked about; choose auto or jwt."
        return fault_of_pinned_keys(self.pinned_keys)

    def _audience_fault(self) -> str:
        if self.audience_rule == "any_of" and not self.expected_audiences:
            return "At least one is needed for any_of."
        return ""

    def _user_fault(self) -> str:
        return "At least one is needed." if self.user_store == "shared" and not self.user_name_claims else ""

    def _skew_fault(self) -> str:
        return f"At most {_LONGEST_SKEW_SECONDS}." if self.clock_skew_seconds > _LONGEST_SKEW_SECONDS else ""


def _url_fault(values: tuple[str, ...]) -> str:
    for value in values:
        try:
            check_url(value)
        except InputError:
            return f"{value[:100]!r} is not an absolute http or https URL without user name or password."
    return "" if len(set(values)) == len(values) else "One is listed twice."


def _algorithm_fault(names: tuple[str, ...]) -> str:
    if not names:
        return "At least one is needed."
    for name in names:
        if name.upper().startswith("HS"):
            return f"{name} is refused: whoever can check such a signature can also make one."
        if name not in ALGORITHMS:
            return f"{name[:20]!r} is not one of: {', '.join(ALGORITHMS)}."
    return ""


def rules_of(config: object) -> TokenRules:
    """The rules in an adapter's configuration; the defaults where it has none."""
    return config if isinstance(config, TokenRules) else _DEFAULTS


def checks_locally(adapter: KeyManagerAdapter) -> bool:
    """The one switch, ``token_validation``: whether a JWT of this key manager is judged by its signature."""
    rules = rules_of(adapter.config)
    if rules.token_validation == "auto":
        return bool(rules.pinned_keys) or Capability.JWKS in adapter.capabilities
    return rules.token_validation == "jwt"


_DEFAULTS: Final = TokenRules()
