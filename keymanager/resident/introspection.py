"""Token introspection (RFC 7662) by the management token, or by a client about its own tokens."""

import hashlib
from typing import Any

from keymanager.resident.issuer import issuer
from keymanager.resident.models import AccessToken
from keymanager.resident.token_claims import audience_of, subject_of

INACTIVE: dict[str, Any] = {"active": False}


def live_access_token(token: str) -> Any | None:
    """The stored access token, unless it expired, was revoked, or its client or person is shut out."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    row = AccessToken.objects.select_related("application", "user").filter(token_checksum=checksum).first()
    if row is None or row.is_expired() or row.application is None or row.application.suspended:
        return None
    if row.user is not None and not row.user.is_active:
        return None
    return row


def introspect(token: str, *, asked_by: Any | None) -> dict[str, Any]:
    """The answer. ``asked_by``: the client that asks, or ``None`` for the management token.

    Only access tokens are ever active: refresh tokens, ID tokens, registration access tokens and the management token
    are not in that table. Another client's token looks like one that does not exist.
    """
    row = live_access_token(token)
    if row is None or (asked_by is not None and row.application_id != asked_by.pk):
        return INACTIVE
    client_id = row.application.client_id
    answer = {
        "active": True,
        "scope": row.scope,
        "client_id": client_id,
        "token_type": "Bearer",
        "exp": int(row.expires.timestamp()),
        "iat": row.issued_at,
        "nbf": row.issued_at,
        "sub": subject_of(row.user, client_id),
        "aud": audience_of(row.resource),
        "iss": issuer(),
        "jti": row.jti,
    }
    if row.user is not None:
        answer["username"] = row.user.get_username()
    return answer
