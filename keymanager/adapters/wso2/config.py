"""Where a WSO2 Identity Server is, and its part that speaks the RFCs."""

from dataclasses import dataclass, replace
from typing import Any

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

ISSUER_PATH = "/oauth2/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wso2Config(TokenRules):
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
    management_id: str = knob("Management: user name", required=True)
    management_secret: str = knob("Management: password", secret=True, required=True)
    secret_rotation: str = knob(
        "A new secret",
        "regenerate",
        choices=("regenerate", "overlap"),
        help="Replaces the old one and ends all tokens of the client, or stands beside it.",
    )
    token_validation: str = checked_by("auto", "auto", "jwt", "introspection")

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        if self.base_url.endswith("/"):
            return {"base_url": ["This must not end with a slash."]}
        if not self.base_url and not self.issuer.endswith(ISSUER_PATH):
            return {"base_url": [f"This is required where the issuer does not end with {ISSUER_PATH}."]}
        return {}

    @property
    def server(self) -> str:
        """The server's URL, with the tenant and without a slash at its end."""
        return self.base_url or self.issuer.removesuffix(ISSUER_PATH)


def knobs(config: Wso2Config, **more: Any) -> RfcConfig:
    """The part that speaks the RFCs. The server reads Basic credentials as they are, without decoding them.

    ``more``: what else the release needs.
    """
    oauth2 = f"{config.server}/oauth2"
    common = RfcConfig(
        issuer=config.issuer,
        discovery_url=f"{oauth2}/token/.well-known/openid-configuration",
        token_endpoint=f"{oauth2}/token",
        authorization_endpoint=f"{oauth2}/authorize",
        introspection_endpoint=f"{oauth2}/introspect",
        revocation_endpoint=f"{oauth2}/revoke",
        userinfo_endpoint=f"{oauth2}/userinfo",
        jwks_uri=f"{oauth2}/jwks",
        registration="none",
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
    return replace(common, **more)
