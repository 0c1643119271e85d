"""How the usual directories name people and groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapKind:
    """``user_filter``: finds an entry by what was typed. ``subject_attribute``: never given to another entry."""

    user_filter: str
    username_attribute: str
    subject_attribute: str
    group_filter: str


KINDS: Final[Mapping[str, LdapKind]] = {
    "openldap": LdapKind(
        user_filter="(&(objectClass=person)(uid=%(user)s))",
        username_attribute="uid",
        subject_attribute="entryUUID",
        group_filter="(objectClass=groupOfNames)",
    ),
    "active-directory": LdapKind(
        user_filter="(&(objectClass=user)(|(sAMAccountName=%(user)s)(userPrincipalName=%(user)s)))",
        username_attribute="sAMAccountName",
        subject_attribute="objectGUID",
        group_filter="(objectClass=group)",
    ),
}
