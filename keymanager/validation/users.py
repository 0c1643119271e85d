"""The user behind a token: whether there is one, and what the portal knows of them."""

from collections.abc import Mapping
from typing import Any, Protocol

from accounts.models import User
from accounts.queries import directory_claims_of, role_names_of, signs_in_people
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
        user = _find(adapter, facts, rules)
        return UserFacts(
            username=user.username if user is not None else facts.username,
            id=str(user.pk) if user is not None else "",
            roles=role_names_of(user) if user is not None else frozenset(),
            claims=_claims(adapter, rules, facts, user, token),
        )


def _find(adapter: KeyManagerAdapter, facts: TokenFacts, rules: TokenRules) -> User | None:
    users = User.objects.filter(is_active=True)
    if facts.iss == resident_issuer():
        return users.filter(pk=facts.sub).first() if facts.sub.isdecimal() else None
    # An answer of introspection need not say the issuer (RFC 7662 section 2.2).
    issuer = facts.iss or str(getattr(adapter.config, "issuer", ""))
    if issuer and signs_in_people(issuer):
        # Whoever signs in here with this account is known by its subject; a name there may be another person's here.
        return users.filter(identities__issuer=issuer, identities__subject=facts.sub).first() if facts.sub else None
    named = {"username": facts.username, "sub": facts.sub, **facts.claims}
    for name in rules.user_name_claims:
        value = text_in(named, name)
        if value:
            return users.filter(username=value).first()
    return None


def _claims(
    adapter: KeyManagerAdapter, rules: TokenRules, facts: TokenFacts, user: User | None, token: str
) -> Mapping[str, Any]:
    if rules.user_claims_from == "userinfo" and Capability.USER_CLAIMS in adapter.capabilities:
        told = adapter.user_claims(token)
        # OpenID Connect Core section 5.3.2: an answer about somebody else must not be used.
        return told if told.get("sub", facts.sub) == facts.sub else {}
    if rules.user_claims_from == "directory":
        return directory_claims_of(user) if user is not None else {}
    return facts.claims
