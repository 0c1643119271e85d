"""The configuration of the ``pingfederate`` adapter."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.pingfederate.mapping import OFFERED
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by


@dataclass(frozen=True, slots=True, kw_only=True)
class PingFederateConfig(TokenRules):
    """Where its runtime and its management are, and our rights at both."""

    issuer: str = knob("Issuer", kind="url", required=True, help="The runtime's, for example https://HOST:9031")
    management: str = knob(
        "Clients are managed by",
        "admin_api",
        choices=("admin_api", "client_service"),
        help="The administrative API, or the OAuth client management service (needs clients in external storage).",
    )
    management_url: str = knob(
        "Management URL",
        kind="url",
        required=True,
        help="https://HOST:9999/pf-admin-api/v1, or https://HOST:9031/pf-ws/rest/oauth/clients",
    )
    management_user: str = knob("Management: user", required=True)
    management_password: str = knob("Management: password", secret=True, required=True)
    token_validation: str = checked_by("auto", "auto", "jwt", "introspection")
    introspection_client_id: str = knob(
        "Introspection: client id", help="A client with the grant type for access token validation."
    )
    introspection_client_secret: str = knob("Introspection: client secret", secret=True)
    scope_kind: str = knob(
        "Scopes are registered as",
        "exclusive",
        choices=("exclusive", "common"),
        help="Exclusive scopes go to clients that were given them; common ones to every client that is not restricted.",
    )
    two_secrets: bool = knob(
        "A replaced secret stays valid for a while", False, help="Otherwise it ends when it is replaced."
    )
    secret_retention_minutes: int = knob("Minutes for which a replaced secret stays valid", 1440)
    access_token_manager: str = knob(
        "Access token manager", help="Its id, where new clients shall not have the server's default."
    )
    client_id_claims: tuple[str, ...] = knob(
        "Claims that name the client", ("client_id", "client_id_name", "azp"), help="In order."
    )
    trial_client: bool = knob("The connection check makes and removes a client", True)

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors: dict[str, list[str]] = {}
        if self.token_validation == "introspection" and not self.introspection_client_id:
            errors["introspection_client_id"] = ["This is required here."]
        if self.management == "client_service" and self.two_secrets:
            errors["two_secrets"] = ["Only the administrative API can keep a replaced secret."]
        if self.two_secrets and not self.secret_retention_minutes:
            errors["secret_retention_minutes"] = ["At least one minute is needed."]
        if not self.client_id_claims:
            errors["client_id_claims"] = ["At least one is needed."]
        return errors

    @property
    def retention(self) -> int:
        """Minutes for which a replaced secret stays valid; 0: it ends when it is replaced."""
        return self.secret_retention_minutes if self.two_secrets else 0


def oauth_knobs(config: PingFederateConfig) -> RfcConfig:
    """What the shared OAuth parts have to know of the runtime."""
    return RfcConfig(
        issuer=config.issuer,
        registration="none",
        introspection_auth="basic",
        introspection_client_id=config.introspection_client_id,
        introspection_client_secret=config.introspection_client_secret,
        token_validation=config.token_validation,
        # Keys alone cannot see that a token was revoked: whoever asks for one token gets the server's answer.
        jwt_introspection=bool(config.introspection_client_id),
        client_id_claims=config.client_id_claims,
        scope_claims=("scope", "scp"),
        grant_types=OFFERED,
    )
