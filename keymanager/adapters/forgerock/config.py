"""Where an AM is, what Archway may do there, and what cannot be seen from outside."""

import re
from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules, checked_by

_PREFIX = re.compile(r"[A-Za-z0-9_-]*")
_COOKIE = re.compile(r"[A-Za-z0-9_-]+")
_PRINTABLE = re.compile(r"[!-~][ -~]*")
_REALM = re.compile(r"/|(/[A-Za-z0-9_.-]+)+")
_OAUTH = "/oauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeRockConfig(TokenRules):
    """One realm of one AM. Clients are kept by its administration REST API, or by dynamic registration."""

    issuer: str = knob(
        "Issuer",
        kind="url",
        required=True,
        help="As discovery says: https://am.example.com/am/oauth2[/realms/root/...].",
    )
    management: str = knob(
        "Clients are managed by",
        "admin",
        choices=("admin", "dcr", "dcr_create"),
        help="The realm's administration REST API; dynamic registration with changes and removal (AM 7); or dynamic "
        "registration that cannot change or remove (OpenAM). The connection check finds out which.",
    )
    admin_user: str = knob("Administrator: name", help="Of an account with the privilege to administer the realm.")
    admin_password: str = knob("Administrator: password", secret=True)
    admin_realm: str = knob("Administrator: realm", "/", help="Where the account is: / is the top realm.")
    session_header: str = knob("Name of the session cookie", "iPlanetDirectoryPro", help="As the server is set.")
    registration_client_id: str = knob("Client that may register: id", help="Dynamic registration only.")
    registration_client_secret: str = knob("Client that may register: secret", secret=True)
    registration_scope: str = knob(
        "Scope that allows registering", kind="scope", help="AM 7: dynamic_client_registration. OpenAM: none."
    )
    client_id_prefix: str = knob("Client ids begin with", "archway-", help="Administration REST API only.")
    grant_types: tuple[str, ...] = knob(
        "Grant types on offer", ("client_credentials", "authorization_code", "refresh_token")
    )
    token_validation: str = checked_by("tokeninfo", "tokeninfo", "introspection", "jwt")
    introspection_client_id: str = knob("Introspection: client id")
    introspection_client_secret: str = knob("Introspection: client secret", secret=True)

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        admin = self.management == "admin"
        needed = {
            "admin_user": admin,
            "admin_password": admin,
            "registration_client_id": not admin,
            "registration_client_secret": not admin,
            "introspection_client_id": self.token_validation == "introspection",
            "introspection_client_secret": self.token_validation == "introspection",
        }
        errors = {
            name: ["This is required here."] for name, wanted in needed.items() if wanted and not getattr(self, name)
        }
        if _OAUTH not in self.issuer:
            errors["issuer"] = ["This must contain /oauth2."]
        if not self.grant_types:
            errors["grant_types"] = ["At least one is needed."]
        if not _PREFIX.fullmatch(self.client_id_prefix):
            errors["client_id_prefix"] = ["Only letters, digits, - and _ are allowed."]
        if not _COOKIE.fullmatch(self.session_header):
            errors["session_header"] = ["Only letters, digits, - and _ are allowed."]
        if not _REALM.fullmatch(self.admin_realm):
            errors["admin_realm"] = ["This must be a path: / or /staff."]
        for name in ("admin_user", "admin_password"):
            if getattr(self, name) and not _PRINTABLE.fullmatch(getattr(self, name)):
                errors[name] = ["It is sent as a header: only ASCII is allowed."]
        return errors

    @property
    def base(self) -> str:
        """The deployment, without a slash at its end."""
        return self.issuer.partition(_OAUTH)[0]

    @property
    def realm_path(self) -> str:
        """The realm of the issuer, in the words of the administration REST API."""
        named = self.issuer.partition(_OAUTH)[2].strip("/")
        if named.startswith("realms/"):
            return f"/{named}"
        return "/realms/root" + "".join(f"/realms/{name}" for name in named.split("/") if name)

    @property
    def login_path(self) -> str:
        """The realm of the administrator."""
        return "/realms/root" + "".join(f"/realms/{name}" for name in self.admin_realm.split("/") if name)


def knobs(config: ForgeRockConfig) -> RfcConfig:
    """The part of AM that is as the RFCs say. Introspection and revocation are missing in OpenAM's discovery."""
    issuer = config.issuer.rstrip("/")
    return RfcConfig(
        issuer=config.issuer,
        discovery_url=f"{issuer}/.well-known/openid-configuration",
        introspection_endpoint=f"{issuer}/introspect",
        revocation_endpoint=f"{issuer}/token/revoke",
        registration="none",
        initial_access_token_mode="client_credentials",
        registration_client_id=config.registration_client_id,
        registration_client_secret=config.registration_client_secret,
        registration_scope=config.registration_scope,
        introspection_client_id=config.introspection_client_id,
        introspection_client_secret=config.introspection_client_secret,
        grant_types=config.grant_types,
        basic_encoding="raw",
        token_validation="jwt" if config.token_validation == "jwt" else "introspection",
        jwt_introspection=config.token_validation != "jwt",
        client_id_claims=config.client_id_claims or ("client_id", "azp", "aud"),
        userinfo=True,
    )
