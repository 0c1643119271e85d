"""Where a realm of Keycloak is, who Archway is there, and what cannot be seen from outside."""

import re
from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.contract import TOKEN_EXCHANGE
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

_PREFIX = re.compile(r"[A-Za-z0-9_.-]*")
_SCOPE_NAME = re.compile(r"[A-Za-z0-9_./:-]+")
_REALM = "/realms/"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeycloakConfig(TokenRules):
    """One realm. ``client_id``: our own client there; its service account manages clients, and it asks about tokens."""

    issuer: str = knob("Issuer", kind="url", required=True, help="https://…/realms/NAME")
    client_id: str = knob("Our client: id", required=True, help="With a service account that may manage clients.")
    client_secret: str = knob("Our client: secret", secret=True, required=True)
    admin_url: str = knob(
        "Administration URL", kind="url", help="https://…/admin/realms/NAME, where it is not beside the issuer."
    )
    management: str = knob(
        "Clients are managed by",
        "admin",
        choices=("admin", "dcr"),
        help="The administration REST API, or dynamic registration, which can do far less.",
    )
    initial_access_token: str = knob(
        "Initial access token", secret=True, help="dcr: empty means a token of our own client."
    )
    client_id_prefix: str = knob("Client ids begin with", "archway-")
    gateway_scope: str = knob(
        "Client scope that lets us ask about tokens",
        "archway-gateway",
        help="Made when it is missing; Keycloak calls a token inactive to whoever is not in its audience.",
    )
    login_scopes: tuple[str, ...] = knob(
        "Client scopes for people", ("profile", "email"), help="Clients with the code grant may ask for these, too."
    )
    grant_types: tuple[str, ...] = knob(
        "Grant types on offer", ("client_credentials", "authorization_code", "refresh_token", TOKEN_EXCHANGE)
    )
    # By its signature alone nobody sees that a token was revoked or its client removed.
    token_validation: str = checked_by("introspection", "auto", "jwt", "introspection")
    secret_rotation: str = knob(
        "A new secret",
        "replace",
        choices=("replace", "overlap"),
        help="overlap needs the feature client-secret-rotation and a client policy of the realm.",
    )

    def check(self) -> dict[str, list[str]]:
        """Errors that a kind of field cannot say."""
        errors = self.rule_errors()
        if _REALM not in self.issuer:
            errors["issuer"] = ["This must end with /realms/ and the name of the realm."]
        if not _PREFIX.fullmatch(self.client_id_prefix):
            errors["client_id_prefix"] = ["Only letters, digits, -, . and _ are allowed."]
        if not _SCOPE_NAME.fullmatch(self.gateway_scope):
            errors["gateway_scope"] = ["Only letters, digits, -, ., /, : and _ are allowed."]
        if not self.grant_types:
            errors["grant_types"] = ["At least one is needed."]
        if self.management == "dcr" and self.secret_rotation == "overlap":
            errors["secret_rotation"] = ["Dynamic registration cannot replace a secret."]
        return errors

    @property
    def admin_root(self) -> str:
        """The realm in the administration API, without a slash at its end."""
        root, _, realm = self.issuer.rstrip("/").partition(_REALM)
        return self.admin_url.rstrip("/") or f"{root}/admin{_REALM}{realm}"


def knobs(config: KeycloakConfig) -> RfcConfig:
    """The part of Keycloak that is as the RFCs say."""
    dcr = config.management == "dcr"
    jwt = config.token_validation == "jwt"
    return RfcConfig(
        issuer=config.issuer,
        registration="managed" if dcr else "none",
        initial_access_token_mode="fixed" if dcr and config.initial_access_token else "client_credentials",
        initial_access_token=config.initial_access_token,
        registration_client_id=config.client_id,
        registration_client_secret=config.client_secret,
        rotates_registration_token=True,
        read_returns_secret=True,
        grant_types=config.grant_types,
        token_auth="post",
        introspection_auth="post",
        introspection_client_id=config.client_id,
        introspection_client_secret=config.client_secret,
        token_validation="jwt" if jwt else "introspection",
        jwt_introspection=not jwt,
        client_id_claims=config.client_id_claims or ("client_id", "azp"),
        scope_claims=config.scope_claims or ("scope",),
        absent_scope="none",
        resource_style="none",
        userinfo=True,
    )
