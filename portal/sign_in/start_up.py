"""What is looked at before a process starts."""

from importlib.util import find_spec

from django.conf import settings

from common.errors import ConfigurationError
from portal.sign_in.entitlements import rules_of_settings
from portal.sign_in.ldap_kinds import KINDS
from portal.sign_in.provider import login_provider
from portal.sign_in.sql_users import PASSWORD_SCHEMES, columns_of_settings


def check_settings() -> None:
    """Read the settings of sign-in, and let forms of the portal end at the login provider.

    A sign-out is a form whose answer leads there. Raises ``ConfigurationError`` naming the setting.
    """
    rules_of_settings()
    _check_directory()
    _check_sql_users()
    provider = login_provider()
    if provider is not None:
        directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        directives["form-action"] = ["'self'", *provider.origins]


def _check_directory() -> None:
    if not settings.ARCHWAY_LDAP_URL:
        return
    if find_spec("django_auth_ldap") is None:
        raise ConfigurationError("ARCHWAY_LDAP_URL needs the extra `ldap` (django-auth-ldap), which is not installed")
    if settings.ARCHWAY_LDAP_KIND not in KINDS:
        raise ConfigurationError(f"ARCHWAY_LDAP_KIND must be one of {', '.join(KINDS)}")
    if not settings.ARCHWAY_LDAP_USER_BASE:
        raise ConfigurationError("ARCHWAY_LDAP_USER_BASE is needed with ARCHWAY_LDAP_URL")


def _check_sql_users() -> None:
    if not settings.ARCHWAY_SQL_USERS_URL:
        return
    columns_of_settings()
    scheme = settings.ARCHWAY_SQL_USERS_PASSWORD_SCHEME
    if scheme not in PASSWORD_SCHEMES:
        raise ConfigurationError(f"ARCHWAY_SQL_USERS_PASSWORD_SCHEME must be one of {', '.join(PASSWORD_SCHEMES)}")
    if scheme == "bcrypt" and find_spec("bcrypt") is None:
        raise ConfigurationError("ARCHWAY_SQL_USERS_PASSWORD_SCHEME=bcrypt needs the extra `bcrypt`")
