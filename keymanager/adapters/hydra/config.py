"""Where a Hydra is, and what cannot be seen from outside."""

import re
from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

_PREFIX = re.compile(r"[A-Za-z0-9_-]*")
_HEADER = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HydraConfig(TokenRules):
    """Hydra has two ports: the public one is the issuer, the administration port asks nobody who they are."""

    issuer: str = knob("Issuer", kind="url", required=True, help="As the discovery document of the public port says.")
    admin_url: str = knob(
        "Administration URL",
        kind="url",
        required=True,
        help="Without /admin. Only the portal may reach this port: Hydra lets everybody in.",
    )
    admin_header: str = knob("Administration: header", "Authorization", help="For a proxy that guards the port.")
    admin_header_value: str = knob(
        "Administration: value of the header", secret=True, help="Empty: no header is sent. Else, e.g., Bearer ..."
    )
    client_id_prefix: str = knob("Client ids begin with", "archway-")
    audiences: tuple[str, ...] = knob(
        "Audiences of every client", (), help="https URLs; any path below one is allowed too. Never a URN."
    )
    grant_types: tuple[str, ...] = knob(
        "Grant types on offer", ("client_credentials", "authorization_code", "refresh_token")
    )
    access_token_strategy: str = knob(
        "Access tokens of our clients", "server", choices=("server", "opaque", "jwt"), help="server: as Hydra is set."
    )
    # Keys are of use only where Hydra publishes hydra.jwt.access-token.
    token_validation: str = checked_by("introspection", "auto", "jwt", "introspection")
    secret_rotation: str = knob(
        "A new secret",
        "replace",
        choices=("replace", "overlap"),
        help="overlap: the old one works on until it is dropped. Hydra of July 2026 or later; not 26.2.",
    )

    def check(self) -> dict[str, list[str]]:
        """Errors that a kind of field cannot say."""
        errors: dict[str, list[str]] = {}
        if not self.grant_types:
            errors["grant_types"] = ["At least one is needed."]
        if not _PREFIX.fullmatch(self.client_id_prefix):
            errors["client_id_prefix"] = ["Only letters, digits, - and _ are allowed."]
        if not _HEADER.fullmatch(self.admin_header):
            errors["admin_header"] = ["This must be the name of a header."]
        if not all(is_usable_audience(audience) for audience in self.audiences):
            errors["audiences"] = [
                "Each must be a URL with a host: Hydra compares scheme, host and path, so any URN matches any other."
            ]
        return errors

    @property
    def root(self) -> str:
        """The administration port without a slash at its end."""
        return self.admin_url.rstrip("/").removesuffix("/admin")


def is_usable_audience(audience: str) -> bool:
    """Whether Hydra can tell it from another: a URL with a host, one word."""
    return re.fullmatch(r"https?://[^\s/?#]+\S*", audience) is not None


def knobs(config: HydraConfig) -> RfcConfig:
    """The part of Hydra that is as the RFCs say."""
    jwt = config.token_validation == "jwt"
    return RfcConfig(
        issuer=config.issuer,
        registration="none",
        introspection_endpoint=f"{config.root}/admin/oauth2/introspect",
        grant_types=config.grant_types,
        token_validation=config.token_validation,
        jwt_introspection=not jwt,
        client_id_claims=("client_id",),
        scope_claims=("scope", "scp"),
        absent_scope="none",
        resource_style="url",
        max_resources=0,
        userinfo=True,
    )
