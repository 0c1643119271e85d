"""Signing in with a directory's password (LDAP), by django-auth-ldap: an optional extra of the package."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import ldap
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest
from django_auth_ldap.backend import LDAPBackend, ldap_error
from django_auth_ldap.config import LDAPSearch, NestedMemberDNGroupType

from accounts.directory import DirectoryPerson
from accounts.models import User
from accounts.password_directories import ldap_issuer
from common.errors import KeyManagerProtocolError, KeyManagerUnavailable
from portal.sign_in.entitlements import rules_of_settings
from portal.sign_in.ldap_kinds import KINDS, LdapKind
from subscriptions.services import people

# Bit of userAccountControl: ADS_UF_ACCOUNTDISABLE.
_DISABLED: Final = 2
_WAIT_SECONDS: Final = 5


class DirectoryBackend(LDAPBackend):
    """Looks somebody up with the portal's own account, then binds as them."""

    def __init__(self) -> None:
        self.default_settings = ldap_settings()

    def authenticate(self, request: HttpRequest | None, username: str = "", password: str = "") -> User | None:
        """The user with this name and password there. Raises ``KeyManagerError`` when the directory cannot say."""
        user: User | None = super().authenticate(request, username=username, password=password)
        return user

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """The portal's user behind an entry whose password was right."""
        kind = kind_of_settings()
        attributes: Mapping[str, list[Any]] = ldap_user.attrs
        control = _text(attributes, "userAccountControl")
        if control.lstrip("-").isdecimal() and int(control) & _DISABLED:
            raise PermissionDenied("The account is disabled in the directory.")
        person = DirectoryPerson(
            issuer=ldap_issuer(),
            subject=_identifier(attributes, kind.subject_attribute),
            username=_text(attributes, kind.username_attribute),
            email=_text(attributes, "mail"),
            first_name=_text(attributes, "givenName"),
            last_name=_text(attributes, "sn"),
            groups=frozenset(ldap_user.group_names) if settings.ARCHWAY_LDAP_GROUP_BASE else frozenset(),
        )
        return people.admit(person=person, rules=rules_of_settings()), False

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, without a call to the directory; one who was switched off is signed out."""
        user = ModelBackend().get_user(user_id)
        return user if isinstance(user, User) else None


def kind_of_settings() -> LdapKind:
    """How the directory of the settings names things."""
    return KINDS[settings.ARCHWAY_LDAP_KIND]


def ldap_settings() -> dict[str, Any]:
    """django-auth-ldap's settings, by ours."""
    kind = kind_of_settings()
    options: dict[int, Any] = {
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_NETWORK_TIMEOUT: _WAIT_SECONDS,
        ldap.OPT_TIMEOUT: _WAIT_SECONDS,
    }
    if settings.ARCHWAY_LDAP_CA_FILE:
        # The last one makes the others count.
        options |= {ldap.OPT_X_TLS_CACERTFILE: settings.ARCHWAY_LDAP_CA_FILE, ldap.OPT_X_TLS_NEWCTX: 0}
    groups = settings.ARCHWAY_LDAP_GROUP_BASE
    return {
        "SERVER_URI": settings.ARCHWAY_LDAP_URL,
        "START_TLS": settings.ARCHWAY_LDAP_START_TLS,
        "BIND_DN": settings.ARCHWAY_LDAP_BIND_DN,
        "BIND_PASSWORD": settings.ARCHWAY_LDAP_BIND_PASSWORD,
        "CONNECTION_OPTIONS": options,
        "USER_SEARCH": LDAPSearch(
            settings.ARCHWAY_LDAP_USER_BASE,
            ldap.SCOPE_SUBTREE,
            settings.ARCHWAY_LDAP_USER_FILTER or kind.user_filter,
            # Identifiers that never change hands are operational attributes in some directories.
            ["*", "+"],
        ),
        "GROUP_SEARCH": LDAPSearch(groups, ldap.SCOPE_SUBTREE, kind.group_filter) if groups else None,
        "GROUP_TYPE": NestedMemberDNGroupType("member", "cn") if groups else None,
        "ALWAYS_UPDATE_USER": False,
    }


@receiver(ldap_error)
def directory_cannot_say(exception: ldap.LDAPError, **_: Any) -> None:
    """A directory that is down must not look like a wrong password."""
    name = settings.ARCHWAY_LDAP_NAME
    if isinstance(exception, ldap.SERVER_DOWN | ldap.TIMEOUT | ldap.CONNECT_ERROR | ldap.UNAVAILABLE | ldap.BUSY):
        raise KeyManagerUnavailable(f"The directory {name} does not answer") from exception
    raise KeyManagerProtocolError(f"The directory {name} refused ({type(exception).__name__}).") from exception


def _text(attributes: Mapping[str, list[Any]], name: str) -> str:
    values = attributes.get(name) or [""]
    return values[0] if isinstance(values[0], str) else ""


def _identifier(attributes: Mapping[str, list[Any]], name: str) -> str:
    """The entry's identifier as text; Active Directory's is 16 bytes."""
    values = attributes.get(name) or [""]
    raw = values[0] if isinstance(values[0], bytes) else values[0].encode()
    return str(uuid.UUID(bytes_le=raw)) if len(raw) == 16 else raw.decode("utf-8", "replace")
