"""What must be told about a SurfOAuth."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.token_rules import TokenRules, checked_by

GRANTS = ("client_credentials", "authorization_code", "refresh_token", "implicit")
_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfOAuthConfig(TokenRules):
    """Where it is, our right to manage it, and how resource servers are used."""

    base_url: str = knob(
        "Address", kind="url", required=True, help="Without /admin, /oauth2 or /v1, e.g. https://oauth.example.org"
    )
    admin_client_id: str = knob(
        "Admin client",
        help="A client of the resource server authorization-server-admin, with the scopes read and write",
    )
    admin_client_secret: str = knob("Secret of the admin client", secret=True)
    admin_token: str = knob("Admin token", secret=True, help="Instead of the admin client: a token with read and write")
    resource_servers: str = knob(
        "Resource servers",
        "shared",
        choices=("shared", "per_api"),
        help="shared: all APIs in one resource server. per_api: one for each API; a client then uses one API only",
    )
    resource_server_id: str = knob(
        "Id of the resource server", help="The number of one that exists and that the admin client owns"
    )
    resource_server_name: str = knob(
        "Name of the resource server", "archway", help="It is found by this name or created; with per_api also a prefix"
    )
    contact_name: str = knob("Contact", "API portal", help="SurfOAuth wants one for every resource server")
    contact_email: str = knob("Contact address")
    expire_duration: int = knob("Tokens live (seconds)", 3600)
    rotation: str = knob(
        "New secret",
        "in_place",
        choices=("in_place", "recreate"),
        help="in_place: leans on a defect of SurfOAuth; tokens stay valid. recreate: all tokens of the client end",
    )
    # Tokens are opaque: every one is looked up.
    token_validation: str = checked_by("tokeninfo", "tokeninfo")

    @property
    def grant_types(self) -> tuple[str, ...]:
        """The grants that an application can have here."""
        return GRANTS

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.base_url.rstrip("/")

    def check(self) -> dict[str, list[str]]:
        """Errors by field."""
        errors: dict[str, list[str]] = {}
        if "?" in self.base_url or "#" in self.base_url:
            errors["base_url"] = ["This must not have a query or a fragment."]
        if self.admin_token and (self.admin_client_id or self.admin_client_secret):
            errors["admin_token"] = ["Give either an admin client or an admin token."]
        elif not self.admin_token and not (self.admin_client_id and self.admin_client_secret):
            errors["admin_client_id"] = ["An admin client with its secret, or an admin token, is needed."]
        if self.resource_server_id and not self.resource_server_id.isdecimal():
            errors["resource_server_id"] = ["This must be the number that SurfOAuth shows as id, not its key."]
        if not 0 < len(self.resource_server_name) <= _CHARACTERS:
            errors["resource_server_name"] = [f"This must have 1 to {_CHARACTERS} characters."]
        if not self.contact_name:
            errors["contact_name"] = ["This is required."]
        if self.expire_duration < 1:
            errors["expire_duration"] = ["This must be at least 1; 0 would make tokens that never expire."]
        return errors
