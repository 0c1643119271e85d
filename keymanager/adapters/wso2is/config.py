"""Where a WSO2 Identity Server 5 or 6 is, and our right to manage it."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.wso2.config import Wso2Config

GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wso2IsConfig(Wso2Config):
    """One tenant of one server."""

    application_owner: str = knob("Clients belong to", help="A user name. Empty: the user of the management.")
    encoded_ids: bool = knob(
        "Ids in paths are base64url encoded", True, help="Old releases of the key manager operations take them plain."
    )

    @property
    def owner(self) -> str:
        """Whom new clients belong to."""
        return self.application_owner or self.management_id
