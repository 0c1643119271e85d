"""Tokens at Keycloak: what it calls a wrong secret, and what kind of token it looked at."""

from dataclasses import replace

from keymanager.adapters.contract import Inactive, Introspection, TokenAnswer
from keymanager.adapters.rfc.answers import text_of

AUDIENCE_RULE = (
    "Keycloak calls a good token inactive to whoever is not in its audience: each client needs, by default, the client "
    "scope of the setting gateway_scope with an audience mapper that names our client; or give our client the "
    "attribute allow.token.introspection.without.audience.check."
)
# "Bearer" is an access token; others are ID, Refresh, Offline, Logout, ...
_ACCESS = "Bearer"


def with_rfc_error(answer: TokenAnswer) -> TokenAnswer:
    """A wrong secret is 401 ``unauthorized_client`` here; RFC 6749 section 5.2 calls it ``invalid_client``."""
    if answer.status != 401 or answer.body.get("error") != "unauthorized_client":
        return answer
    return replace(answer, body={**answer.body, "error": "invalid_client"})


def only_access(answer: Introspection) -> Introspection:
    """Refresh and ID tokens are signed tokens of the same issuer, and active too."""
    if isinstance(answer, Inactive):
        return answer
    kind = text_of(answer.claims, "typ")
    if kind in ("", _ACCESS):
        return answer
    return Inactive(reason=f"It is not an access token: its type is {kind}.")
