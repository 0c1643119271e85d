"""Settings of django-oauth-toolkit for the resident key manager: pure data, imported by ``portal.settings``.

Nothing here imports Django. The toolkit (3.4) must run with oauthlib below 4: with 4.0 its device endpoint answers 500.
Lifetimes are in seconds and come from the environment, because an operator may change them.
"""

import os
from typing import Any

from common.errors import ConfigurationError

CLIENT_SECRET_HASHER = "archway_secret_sha256"
CLIENT_SECRET_HASHER_PATH = "keymanager.resident.hashers.ClientSecretHasher"

OAUTH2_PROVIDER_APPLICATION_MODEL = "resident.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "resident.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "resident.RefreshToken"
OAUTH2_PROVIDER_GRANT_MODEL = "resident.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "resident.IDToken"

TOKEN_FORMATS = ("jwt", "opaque")


def _seconds(name: str, default: int) -> int:
    """The positive number of seconds in the environment variable ``name``; ``ConfigurationError`` names it."""
    text = os.environ.get(name, "") or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(f"{name} must be a whole number of seconds above zero, not {text!r}")
    return int(text)


ACCESS_TOKEN_SECONDS = _seconds("ARCHWAY_RESIDENT_ACCESS_TOKEN_SECONDS", 600)
REFRESH_TOKEN_SECONDS = _seconds("ARCHWAY_RESIDENT_REFRESH_TOKEN_SECONDS", 30 * 24 * 3600)
AUTHORIZATION_CODE_SECONDS = _seconds("ARCHWAY_RESIDENT_CODE_SECONDS", 60)

OAUTH2_PROVIDER: dict[str, Any] = {
    "CLIENT_SECRET_HASHER": CLIENT_SECRET_HASHER,
    "OAUTH2_VALIDATOR_CLASS": "keymanager.resident.validator.ResidentValidator",
    "SCOPES_BACKEND_CLASS": "keymanager.resident.scopes_backend.ResidentScopes",
    # Required by the toolkit's own checks; the scope table is the one that decides.
    "SCOPES": {"openid": "Sign in"},
    "DEFAULT_SCOPES": [],
    "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_TOKEN_SECONDS,
    "ID_TOKEN_EXPIRE_SECONDS": ACCESS_TOKEN_SECONDS,
    "REFRESH_TOKEN_EXPIRE_SECONDS": REFRESH_TOKEN_SECONDS,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": AUTHORIZATION_CODE_SECONDS,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    # Plain http is allowed for loopback only, which ``keymanager.resident.client_metadata`` checks at registration.
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "ALLOW_URI_WILDCARDS": False,
    "PKCE_REQUIRED": True,
    "OIDC_ENABLED": True,
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    # Registration, discovery and introspection have views of our own.
    "DCR_ENABLED": False,
    "CIMD_ENABLED": False,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}
