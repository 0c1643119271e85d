"""The configuration of the ``entra`` adapter."""

import re
from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_API_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraConfig(TokenRules):
    """One tenant, our own administrative application in it, and how access tokens look."""

    tenant_id: str = knob("Tenant id", required=True, help="The directory's GUID, not one of its domain names.")
    access_token_version: str = knob(
        "Access tokens are of version",
        "v2.0",
        choices=("v1.0", "v2.0"),
        help="Decides the issuer and the client claim: v1.0 has sts.windows.net and appid, v2.0 has azp.",
    )
    issuer: str = knob(
        "Issuer",
        kind="url",
        required=True,
        help="v2.0: https://login.microsoftonline.com/TENANT/v2.0, v1.0: https://sts.windows.net/TENANT/",
    )
    client_id: str = knob("Administrative application: client id", required=True)
    client_secret: str = knob("Administrative application: client secret", secret=True, required=True)
    authority: str = knob(
        "Sign-in authority", "https://login.microsoftonline.com", kind="url", help="Another one in national clouds."
    )
    graph_url: str = knob(
        "Microsoft Graph", "https://graph.microsoft.com", kind="url", help="Another one in national clouds."
    )
    api_name: str = knob(
        "Name of the exposed API",
        "archway",
        help="All scopes are permissions of one application with the id URI api://TENANT/NAME.",
    )
    two_secrets: bool = knob(
        "A replaced secret stays valid until it is dropped", True, help="Otherwise it ends when it is replaced."
    )
    secret_days: int = knob("Days until a client secret expires", 0, help="0: what the directory gives (two years).")
    trial_client: bool = knob(
        "The connection check makes and removes a client",
        False,
        help="A removed application stays in the directory's recycle bin for 30 days and counts against its quota.",
    )
    # There is no introspection.
    token_validation: str = checked_by("auto", "auto", "jwt")

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        errors: dict[str, list[str]] = {}
        if not _GUID.fullmatch(self.tenant_id):
            errors["tenant_id"] = ["This must be a GUID in lower case."]
        if not _API_NAME.fullmatch(self.api_name):
            errors["api_name"] = ["Lower case letters, digits and hyphens only, at most 60."]
        v2 = f"{self.authority.rstrip('/')}/{self.tenant_id}/v2.0"
        if self.access_token_version == "v2.0" and self.issuer != v2:
            errors["issuer"] = [f"Access tokens of version v2.0 name {v2}."]
        if self.access_token_version == "v1.0" and not self.issuer.endswith(f"/{self.tenant_id}/"):
            errors["issuer"] = [f"Access tokens of version v1.0 name an address that ends with /{self.tenant_id}/."]
        return errors

    @property
    def grant_types(self) -> tuple[str, ...]:
        """What clients may be wished for with; an application itself has no such list."""
        return GRANT_TYPES

    @property
    def api_uri(self) -> str:
        """Application id URI of the application that exposes all scopes."""
        return f"api://{self.tenant_id}/{self.api_name}"


def oauth_knobs(config: EntraConfig) -> RfcConfig:
    """What the shared OAuth parts have to know of this tenant."""
    tenant = f"{config.authority.rstrip('/')}/{config.tenant_id}"
    below = "/v2.0" if config.access_token_version == "v2.0" else ""
    return RfcConfig(
        issuer=config.issuer,
        discovery_url=f"{tenant}{below}/.well-known/openid-configuration",
        # Which version a token has is decided by the API that it is for, never by the endpoint.
        token_endpoint=f"{tenant}/oauth2/v2.0/token",
        authorization_endpoint=f"{tenant}/oauth2/v2.0/authorize",
        initial_access_token_mode="client_credentials",
        registration_client_id=config.client_id,
        registration_client_secret=config.client_secret,
        registration_scope=f"{config.graph_url.rstrip('/')}/.default",
        token_auth="post",
        revocation=False,
        token_validation="jwt",
        jwt_introspection=False,
        # A user's token has scp, and roles are the user's own; an application's token has roles only.
        client_id_claims=("azp", "appid", "client_id"),
        scope_claims=("scope", "scp", "roles"),
        grant_types=GRANT_TYPES,
    )
