"""Where an Auth0 tenant is, our right to manage it, and what our APIs are there."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")
_MOST_LIFETIME = 2_592_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0Config(TokenRules):
    """One Auth0 tenant."""

    issuer: str = knob(
        "Issuer",
        kind="url",
        required=True,
        help="https://example.eu.auth0.com/ with the slash at its end, as it is in every token.",
    )
    management_client_id: str = knob("Management: client id", required=True, help="A machine-to-machine application.")
    management_client_secret: str = knob("Management: client secret", secret=True, required=True)
    management_url: str = knob(
        "Management API: URL",
        kind="url",
        help="Empty: /api/v2/ of the issuer. With a custom domain: that of the tenant itself.",
    )
    resources: str = knob(
        "Our APIs are at Auth0",
        "shared",
        choices=("shared", "per_api"),
        help="One Auth0 API (resource server) with all scopes, or one for each API version.",
    )
    audience: str = knob("Shared API: identifier", help="The audience of tokens when all APIs share one Auth0 API.")
    resource_prefix: str = knob(
        "Own APIs: identifiers begin with", "urn:archway:", help="Only Auth0 APIs that begin so are looked at."
    )
    token_lifetime: int = knob("Access tokens live (seconds)", 0, help="0: as Auth0 has it. At most 2,592,000.")
    # There is no introspection.
    token_validation: str = checked_by("auto", "auto", "jwt")

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors: dict[str, list[str]] = {}
        if not self.issuer.endswith("/"):
            errors["issuer"] = ["This must end with a slash, as Auth0 writes it into its tokens."]
        elif not self.api_audience.endswith("/api/v2/"):
            errors["management_url"] = ["This must end with /api/v2/."]
        if self.resources == "shared" and not self.audience:
            errors["audience"] = ["This is required here."]
        if self.resources == "per_api" and not self.resource_prefix:
            errors["resource_prefix"] = ["This is required here: other people's APIs must be told apart."]
        if self.token_lifetime > _MOST_LIFETIME:
            errors["token_lifetime"] = ["Auth0 takes at most 2,592,000 seconds."]
        return errors

    @property
    def api_audience(self) -> str:
        """The Management API's URL, which is also its audience: with a slash at its end."""
        return self.management_url or f"{self.issuer}api/v2/"


def knobs(config: Auth0Config) -> RfcConfig:
    """The part of Auth0 that speaks the RFCs. Its issuer ends with a slash."""
    issuer = config.issuer
    return RfcConfig(
        issuer=issuer,
        discovery_url=f"{issuer}.well-known/openid-configuration",
        token_endpoint=f"{issuer}oauth/token",
        authorization_endpoint=f"{issuer}authorize",
        revocation_endpoint=f"{issuer}oauth/revoke",
        userinfo_endpoint=f"{issuer}userinfo",
        jwks_uri=f"{issuer}.well-known/jwks.json",
        registration="none",
        grant_types=GRANT_TYPES,
        token_auth="post",
        revocation_auth="post",
        token_validation="jwt",
        jwt_introspection=False,
        client_id_claims=("azp", "client_id"),
        scope_claims=("scope",),
        userinfo=True,
    )
