"""Where an Okta organisation is, our right to manage it, and how."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

_SERVERS = "/oauth2/"
GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class OktaConfig(TokenRules):
    """One authorization server of one Okta organisation."""

    issuer: str = knob(
        "Issuer",
        kind="url",
        required=True,
        help="Of a custom authorization server: https://example.okta.com/oauth2/default. It is in every token.",
    )
    api_token: str = knob("API token", secret=True, required=True, help="Of an administrator with the listed rights.")
    management: str = knob(
        "Clients are managed by",
        "apps",
        choices=("apps", "dcr"),
        help="The Apps API (our own client ids, suspension, two secrets), or dynamic registration (RFC 7591).",
    )
    client_policies: bool = knob(
        "One access policy per client",
        True,
        help="Limits each client to its scopes. Without it, scopes and policies are the Okta administrator's.",
    )
    secret_rotation: str = knob(
        "A new secret",
        "overlap",
        choices=("replace", "overlap"),
        help="Ends the old secret at once, or leaves it good until it is dropped. Dynamic registration always ends it.",
    )
    token_validation: str = checked_by("auto", "auto", "jwt", "introspection")
    introspection_client_id: str = knob("Introspection: client id", help="A service app of our own.")
    introspection_client_secret: str = knob("Introspection: client secret", secret=True)
    marker_url: str = knob(
        "Client URI that marks our clients",
        "https://archway.invalid/credentials/",
        kind="url",
        help="Dynamic registration only: the marker is put behind it, because nothing else is free there.",
    )

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors: dict[str, list[str]] = {}
        if not self.authorization_server_id or "/" in self.authorization_server_id:
            errors["issuer"] = ["This must be that of a custom authorization server: https://…/oauth2/… and its id."]
        if self.token_validation == "introspection" and not self.introspection_client_id:
            errors["introspection_client_id"] = ["This is required here."]
        return errors

    @property
    def organisation(self) -> str:
        """The organisation's URL without a slash at its end."""
        return self.issuer.partition(_SERVERS)[0]

    @property
    def authorization_server_id(self) -> str:
        """The custom authorization server; it can be ``default``."""
        return self.issuer.partition(_SERVERS)[2]


def knobs(config: OktaConfig) -> RfcConfig:
    """The part of Okta that speaks the RFCs."""
    issuer = config.issuer
    return RfcConfig(
        issuer=issuer,
        discovery_url=f"{issuer}/.well-known/oauth-authorization-server",
        token_endpoint=f"{issuer}/v1/token",
        authorization_endpoint=f"{issuer}/v1/authorize",
        introspection_endpoint=f"{issuer}/v1/introspect",
        revocation_endpoint=f"{issuer}/v1/revoke",
        userinfo_endpoint=f"{issuer}/v1/userinfo",
        jwks_uri=f"{issuer}/v1/keys",
        registration="none",
        grant_types=GRANT_TYPES,
        introspection_client_id=config.introspection_client_id,
        introspection_client_secret=config.introspection_client_secret,
        token_validation=config.token_validation,
        jwt_introspection=config.token_validation != "jwt",
        client_id_claims=("cid", "client_id"),
        scope_claims=("scp", "scope"),
        userinfo=True,
    )
