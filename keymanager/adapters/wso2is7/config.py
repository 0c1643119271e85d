"""Where a WSO2 Identity Server 7 is, our right to manage it, and what our APIs are there."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

ISSUER_PATH = "/oauth2/token"
GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wso2Is7Config(TokenRules):
    """One tenant of one server."""

    issuer: str = knob(
        "Issuer",
        kind="url",
        required=True,
        help="https://is.example.org:9443/oauth2/token as long as nobody changed it: as it is in every token.",
    )
    base_url: str = knob(
        "Server URL",
        kind="url",
        help="Empty: the issuer without /oauth2/token. With /t/<tenant> at its end for a tenant of its own.",
    )
    management_auth: str = knob(
        "We prove ourselves by",
        "basic",
        choices=("basic", "oauth"),
        help="A user's name and password, or a client with the management APIs authorised.",
    )
    management_id: str = knob("Management: user name or client id", required=True)
    management_secret: str = knob("Management: password or client secret", secret=True, required=True)
    resources: str = knob(
        "Our APIs are there",
        "shared",
        choices=("shared", "per_api"),
        help="One API resource with all scopes, or one for each API version.",
    )
    resource_identifier: str = knob(
        "Shared API resource: identifier", "urn:archway:apis", help="Made with the first scope."
    )
    resource_prefix: str = knob(
        "Own API resources: identifiers begin with", "urn:archway:", help="Only those are looked at and authorised."
    )
    policy: str = knob(
        "Authorisation policy of our APIs",
        "RBAC",
        help="The policy's identifier as the server has it: RBAC, No Policy.",
    )
    secret_rotation: str = knob(
        "A new secret",
        "regenerate",
        choices=("regenerate", "overlap"),
        help="Replaces the old one and ends all tokens of the client, or stands beside it.",
    )
    token_validation: str = checked_by("auto", "auto", "jwt", "introspection")

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors: dict[str, list[str]] = {}
        if self.base_url.endswith("/"):
            errors["base_url"] = ["This must not end with a slash."]
        elif not self.base_url and not self.issuer.endswith(ISSUER_PATH):
            errors["base_url"] = [f"This is required where the issuer does not end with {ISSUER_PATH}."]
        needed = "resource_identifier" if self.resources == "shared" else "resource_prefix"
        if not getattr(self, needed):
            errors[needed] = ["This is required here."]
        return errors

    @property
    def server(self) -> str:
        """The server's URL, with the tenant and without a slash at its end."""
        return self.base_url or self.issuer.removesuffix(ISSUER_PATH)


# Rights of the management APIs that a client is to be authorised for (``management_auth`` is ``oauth``).
MANAGEMENT_SCOPES = (
    *(f"internal_dcr_{verb}" for verb in ("create", "view", "update", "delete")),
    *(f"internal_application_mgt_{verb}" for verb in ("view", "update")),
    *(f"internal_application_mgt_client_secret_{verb}" for verb in ("create", "view", "delete")),
    *(f"internal_api_resource_{verb}" for verb in ("create", "view", "update", "delete")),
)


def knobs(config: Wso2Is7Config) -> RfcConfig:
    """The part that speaks the RFCs. The server reads Basic credentials as they are, without decoding them."""
    oauth2 = f"{config.server}/oauth2"
    oauth = config.management_auth == "oauth"
    return RfcConfig(
        issuer=config.issuer,
        discovery_url=f"{oauth2}/token/.well-known/openid-configuration",
        token_endpoint=f"{oauth2}/token",
        authorization_endpoint=f"{oauth2}/authorize",
        introspection_endpoint=f"{oauth2}/introspect",
        revocation_endpoint=f"{oauth2}/revoke",
        userinfo_endpoint=f"{oauth2}/userinfo",
        jwks_uri=f"{oauth2}/jwks",
        registration="none",
        initial_access_token_mode="client_credentials" if oauth else "none",
        registration_client_id=config.management_id,
        registration_client_secret=config.management_secret,
        registration_scope=" ".join(MANAGEMENT_SCOPES),
        grant_types=GRANT_TYPES,
        basic_encoding="raw",
        introspection_auth="basic",
        introspection_client_id=config.management_id,
        introspection_client_secret=config.management_secret,
        token_validation=config.token_validation,
        jwt_introspection=config.token_validation != "jwt",
        client_id_claims=("client_id", "azp"),
        scope_claims=("scope",),
        absent_scope="none",
        userinfo=True,
    )
