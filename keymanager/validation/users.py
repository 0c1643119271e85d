"""The user behind a token: whether there is one, and what the portal knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from accounts.models import Role, User
from accounts.password_directories import directories_in_force
from accounts.queries import directory_claims_of, named_by_directories, role_names_of, signs_in_people
from keymanager.adapters.claims import text_in
from keymanager.adapters.contract import Capability, KeyManagerAdapter, TokenFacts
from keymanager.adapters.token_rules import TokenRules, rules_of
from keymanager.resident.issuer import issuer as resident_issuer
from keymanager.validation.facts import UserFacts

# What identity providers say of tokens that a client got for itself.
_MACHINE_CLAIMS = (("gty", "client-credentials"), ("idtyp", "app"), ("aut", "APPLICATION"))
_SERVICE_ACCOUNT = "service-account-"


def names_user(facts: TokenFacts) -> bool:
    """Whether somebody other than the client itself is behind the token; in doubt there is."""
    if any(facts.claims.get(name) == value for name, value in _MACHINE_CLAIMS):
        return False
    if facts.claims.get("grant_type") == "client_credentials":
        return False
    username = facts.username or text_in(facts.claims, "preferred_username")
    if username.lower() == f"{_SERVICE_ACCOUNT}{facts.client_id}".lower():
        return False
    own = ("", facts.client_id, f"{facts.client_id}@clients")
    return facts.sub not in own or username not in own


class UserSource(Protocol):
    """Where the users of key managers that share theirs are looked up."""

    def user_of(self, adapter: KeyManagerAdapter, facts: TokenFacts, token: str) -> UserFacts:
        """The user behind a token that names one; may wait. Raises ``ArchwayError`` when the claims cannot be had."""
        ...


class PortalUsers:
    """``UserSource`` on the portal's own users. One that it does not know has no role."""

    def user_of(self, adapter: KeyManagerAdapter, facts: TokenFacts, token: str) -> UserFacts:
        """See ``UserSource``."""
        rules = rules_of(adapter.config)
        known = _find(adapter, facts, rules)
        return UserFacts(
            username=known.user.username if known is not None else facts.username,
            id=str(known.user.pk) if known is not None else "",
            roles=known.roles if known is not None else frozenset(),
            claims=_claims(adapter, rules, facts, known, token),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The portal's user behind a token, and what the token lets them be."""

    user: User
    roles: frozenset[str]


def _find(adapter: KeyManagerAdapter, facts: TokenFacts, rules: TokenRules) -> _Known | None:
    users = User.objects.filter(is_active=True)
    if facts.iss == resident_issuer():
        return _with_every_role(users.filter(pk=facts.sub).first() if facts.sub.isdecimal() else None)
    # An answer of introspection need not say the issuer (RFC 7662 section 2.2).
    issuer = facts.iss or str(getattr(adapter.config, "issuer", ""))
    if issuer and signs_in_people(issuer):
        # Whoever signs in here with this account is known by its subject; a name there may be another person's here.
        identified = users.filter(identities__issuer=issuer, identities__subject=facts.sub)
        return _with_every_role(identified.first() if facts.sub else None)
    name = _name_in(facts, rules)
    if not name:
        return None
    directories = directories_in_force()
    if directories:
        # The name is the directory's. An account here of the same name, above all a local one, may be somebody else's.
        return _with_every_role(named_by_directories(directories, name))
    user = users.filter(username=name).first()
    # Whoever can choose their name there could choose an administrator's.
    return _Known(user=user, roles=role_names_of(user) - {Role.ADMINISTRATOR.value}) if user is not None else None


def _with_every_role(user: User | None) -> _Known | None:
    return _Known(user=user, roles=role_names_of(user)) if user is not None else None


def _name_in(facts: TokenFacts, rules: TokenRules) -> str:
    named = {"username": facts.username, "sub": facts.sub, **facts.claims}
    values = (text_in(named, name) for name in rules.user_name_claims)
    return next((value for value in values if value), "")


def _claims(
    adapter: KeyManagerAdapter, rules: TokenRules, facts: TokenFacts, known: _Known | None, token: str
) -> Mapping[str, Any]:
    if rules.user_claims_from == "userinfo" and Capability.USER_CLAIMS in adapter.capabilities:
        told = adapter.user_claims(token)
        # OpenID Connect Core section 5.3.2: an answer about somebody else must not be used.
        return told if told.get("sub", facts.sub) == facts.sub else {}
    if rules.user_claims_from == "directory":
        return {**directory_claims_of(known.user), "roles": sorted(known.roles)} if known is not None else {}
    return facts.claims
