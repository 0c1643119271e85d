"""What an access token says, in a JWT (RFC 9068 section 2.2) and in introspection (RFC 7662 section 2.2) alike."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from keymanager.resident.issuer import issuer


def token_format(client: Any) -> str:
    """ "jwt" or "opaque": the client's own choice, else the server's setting."""
    return str(client.access_token_format or getattr(settings, "ARCHWAY_RESIDENT_TOKEN_FORMAT", "jwt"))


def subject_of(user: Any | None, client_id: str) -> str:
    """The person's id, or the client's own id when no person is involved (RFC 9068 section 2.2)."""
    return client_id if user is None else str(user.pk)


def audience_of(resources: list[str]) -> str | list[str]:
    """The resources that were asked for; a token that is not restricted to any has the issuer as audience."""
    if not resources:
        return issuer()
    return resources[0] if len(resources) == 1 else list(resources)


def access_token_claims(
    *, client_id: str, user: Any | None, scopes: Iterable[str], resources: list[str], issued_at: int, lifetime: int
) -> dict[str, Any]:
    """Claims of a new access token. Times are epoch seconds, ``lifetime`` is in seconds."""
    return {
        "iss": issuer(),
        "sub": subject_of(user, client_id),
        "client_id": client_id,
        "aud": audience_of(resources),
        "scope": " ".join(scopes),
        "iat": issued_at,
        "exp": issued_at + lifetime,
        "jti": uuid.uuid4().hex,
        # RFC 7662 has the name, and whoever checks the token by its signature learns it from here only.
        **({} if user is None else {"username": user.get_username()}),
    }


def user_claims(user: Any, scopes: Iterable[str]) -> dict[str, Any]:
    """Claims about a person (OpenID Connect Core section 5.4): ``sub`` always, the rest by scope."""
    granted = set(scopes)
    claims: dict[str, Any] = {"sub": str(user.pk)}
    if "profile" in granted:
        claims["preferred_username"] = user.get_username()
        if user.get_full_name():
            claims["name"] = user.get_full_name()
    if "email" in granted and user.email:
        claims["email"] = user.email
    return claims
