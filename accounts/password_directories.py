"""Stores of passwords that are not the portal's: what their people are remembered under."""

from django.conf import settings


def ldap_issuer() -> str:
    """The issuer of identities of the directory that is asked by LDAP."""
    return f"ldap:{settings.ARCHWAY_LDAP_NAME}"


def sql_issuer() -> str:
    """The issuer of identities of the other database."""
    return f"sql:{settings.ARCHWAY_SQL_USERS_NAME}"


def directories_in_force() -> tuple[str, ...]:
    """Issuers of those that people may sign in with now."""
    asked = ((settings.ARCHWAY_LDAP_URL, ldap_issuer()), (settings.ARCHWAY_SQL_USERS_URL, sql_issuer()))
    return tuple(issuer for url, issuer in asked if url)
