"""Client authentication (RFC 6749 section 2.3): one way for the token, introspection and revocation endpoints.

Both secret methods are accepted for every client that has a secret; a public client is known by its id alone.
"""

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from keymanager.resident.hashers import secret_matches
from keymanager.resident.models import Client


class AmbiguousCredentials(Exception):
    """More than one authentication method in a request (RFC 6749 section 2.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedSecret:
    """A client id with a secret, as sent."""

    client_id: str
    client_secret: str = field(repr=False)


def presented_secret(*, authorization: str, client_id: str, client_secret: str) -> PresentedSecret | None:
    """What a request presents in its Authorization header or its form; ``None`` when it presents no secret.

    The header may be sent raw or form-encoded: ids and secrets of ours look the same both ways.
    Raises ``AmbiguousCredentials``.
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return PresentedSecret(client_id=client_id, client_secret=client_secret) if client_secret else None
    if client_secret:
        raise AmbiguousCredentials("The client authenticates in the header and in the body; use one of them.")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return PresentedSecret(client_id="", client_secret="")
    name, _, secret = decoded.partition(":")
    name = unquote_plus(name)
    if client_id and client_id != name:
        raise AmbiguousCredentials("The client_id in the body is not the one in the header.")
    return PresentedSecret(client_id=name, client_secret=unquote_plus(secret))


def authenticate_secret(presented: PresentedSecret) -> Any | None:
    """The client that has this secret, or ``None``.

    Unknown, suspended and public clients cost the same hash as a wrong secret, so that time tells nothing.
    """
    client = usable_client(presented.client_id)
    stored = "" if client is None or client.is_public else client.client_secret
    return client if secret_matches(presented.client_secret, stored) else None


def usable_client(client_id: str | None) -> Any | None:
    """The client with this id, unless it is unknown or suspended."""
    if not client_id or len(client_id) > 255 or not client_id.isascii() or not client_id.isprintable():
        return None
    client = Client.objects.filter(client_id=client_id).first()
    return client if client is not None and client.is_usable(None) else None
