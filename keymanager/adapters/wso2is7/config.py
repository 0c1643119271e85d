"""Where a WSO2 Identity Server 7 is, our right to manage it, and what our APIs are there."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.wso2.config import Wso2Config
from keymanager.adapters.wso2.config import knobs as common_knobs

GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wso2Is7Config(Wso2Config):
    """One tenant of one server."""

    management_id: str = knob("Management: user name or client id", required=True)
    management_secret: str = knob("Management: password or client secret", secret=True, required=True)
    management_auth: str = knob(
        "We prove ourselves by",
        "basic",
        choices=("basic", "oauth"),
        help="A user's name and password, or a client with the management APIs authorised.",
    )
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

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors = Wso2Config.check(self)
        needed = "resource_identifier" if self.resources == "shared" else "resource_prefix"
        if not getattr(self, needed):
            errors[needed] = ["This is required here."]
        return errors


# Rights of the management APIs that a client is to be authorised for (``management_auth`` is ``oauth``).
MANAGEMENT_SCOPES = (
    *(f"internal_dcr_{verb}" for verb in ("create", "view", "update", "delete")),
    *(f"internal_application_mgt_{verb}" for verb in ("view", "update")),
    *(f"internal_application_mgt_client_secret_{verb}" for verb in ("create", "view", "delete")),
    *(f"internal_api_resource_{verb}" for verb in ("create", "view", "update", "delete")),
)


def knobs(config: Wso2Is7Config) -> RfcConfig:
    """The part that speaks the RFCs, and how a token for management is got where that is asked for."""
    return common_knobs(
        config,
        grant_types=GRANT_TYPES,
        initial_access_token_mode="client_credentials" if config.management_auth == "oauth" else "none",
        registration_client_id=config.management_id,
        registration_client_secret=config.management_secret,
        registration_scope=" ".join(MANAGEMENT_SCOPES),
    )
