"""Every write to a client of the embedded authorization server. Secrets leave here once, in the answer."""

import hashlib
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import clear_expired

from keymanager.resident.client_metadata import RegistrationRequest
from keymanager.resident.hashers import hash_secret
from keymanager.resident.issuer import endpoint
from keymanager.resident.models import AccessToken, Client, Consent, Grant, IDToken, RefreshToken

_CLIENT_ID_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedClient:
    """A client with what is shown only now; "" where nothing new was issued."""

    client: Any
    client_secret: str = field(default="", repr=False)
    registration_access_token: str = field(default="", repr=False)


def new_secret() -> str:
    """128 random characters of letters, digits, "-" and "_": the same in both encodings of HTTP Basic."""
    return secrets.token_urlsafe(96)


def digest(token: str) -> str:
    """How random tokens are stored."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def register_client(*, request: RegistrationRequest) -> IssuedClient:
    """Create a client (RFC 7591). The answer has its secret, unless it is public, and its registration access token."""
    client = Client(client_id="".join(secrets.choice(_CLIENT_ID_ALPHABET) for _ in range(32)))
    client.registration_source = Client.RegistrationSource.DCR
    client.client_secret = ""
    return _apply(client, request)


@transaction.atomic
def update_client(*, client_id: str, request: RegistrationRequest) -> IssuedClient | None:
    """Make the client what ``request`` says (RFC 7592 section 2.2) and rotate its registration access token.

    A secret is issued only when the client had none. ``None`` when the client is gone.
    """
    client = Client.objects.select_for_update().filter(client_id=client_id).first()
    return None if client is None else _apply(client, request)


def _apply(client: Any, request: RegistrationRequest) -> IssuedClient:
    secret = ""
    client.name = request.client_name
    client.grant_types = list(request.grant_types)
    client.redirect_uris = " ".join(request.redirect_uris)
    client.token_endpoint_auth_method = request.token_endpoint_auth_method
    client.scopes = list(request.scopes)
    client.marker = request.archway_marker
    client.access_token_format = request.access_token_format
    if request.is_public:
        client.client_type, client.client_secret, client.hash_client_secret = Client.CLIENT_PUBLIC, "", False
    else:
        client.client_type, client.hash_client_secret = Client.CLIENT_CONFIDENTIAL, True
        if not client.client_secret:
            secret = new_secret()
            client.client_secret = hash_secret(secret)
    registration_token = new_secret()
    client.registration_token_digest = digest(registration_token)
    client.save()
    return IssuedClient(client=client, client_secret=secret, registration_access_token=registration_token)


@transaction.atomic
def rotate_secret(*, client_id: str) -> IssuedClient | None:
    """Replace the secret; the old one stops at once. ``None`` when the client is gone or public."""
    client = Client.objects.select_for_update().filter(client_id=client_id).first()
    if client is None or client.is_public:
        return None
    secret = new_secret()
    client.client_secret = hash_secret(secret)
    client.save(update_fields=["client_secret", "updated"])
    return IssuedClient(client=client, client_secret=secret)


@transaction.atomic
def recover_client(*, client_id: str) -> IssuedClient | None:
    """Give a client whose registration answer was lost a new secret and a new registration access token."""
    client = Client.objects.select_for_update().filter(client_id=client_id).first()
    if client is None:
        return None
    secret = "" if client.is_public else new_secret()
    registration_token = new_secret()
    client.client_secret = hash_secret(secret) if secret else ""
    client.registration_token_digest = digest(registration_token)
    client.save(update_fields=["client_secret", "registration_token_digest", "updated"])
    return IssuedClient(client=client, client_secret=secret, registration_access_token=registration_token)


@transaction.atomic
def delete_client(*, client_id: str) -> bool:
    """Delete a client with all that was ever issued to it. False when it was gone already."""
    client = Client.objects.select_for_update().filter(client_id=client_id).first()
    if client is None:
        return False
    _forget_tokens(client)
    client.delete()
    return True


@transaction.atomic
def revoke_tokens(*, client_id: str) -> bool:
    """Revoke every token, code and approval of a client. False when there is no such client."""
    client = Client.objects.select_for_update().filter(client_id=client_id).first()
    if client is None:
        return False
    _forget_tokens(client)
    return True


def _forget_tokens(client: Any) -> None:
    for model in (RefreshToken, AccessToken, IDToken, Grant):
        model.objects.filter(application=client).delete()
    Consent.objects.filter(client=client).delete()


def forget_expired_tokens() -> None:
    """Delete tokens and codes that expired. Revoked refresh tokens stay until then, to recognise a replay."""
    clear_expired()


def set_suspended(*, client_id: str, suspended: bool) -> bool:
    """Stop a client, or let it go on. False when there is no such client."""
    return bool(Client.objects.filter(client_id=client_id).update(suspended=suspended) == 1)


def client_with_registration_token(client_id: str, token: str) -> Any | None:
    """The client that ``token`` manages (RFC 7592), or ``None``, by the same steps for unknown ids and wrong tokens."""
    client = Client.objects.filter(client_id=client_id).first() if _plausible(client_id) else None
    expected = client.registration_token_digest if client else ""
    matches = constant_time_compare(expected or digest(""), digest(token))
    return client if matches and expected else None


def _plausible(client_id: str) -> bool:
    return bool(client_id) and len(client_id) <= 255 and client_id.isascii() and client_id.isprintable()


def describe_client(client: Any) -> dict[str, Any]:
    """The client's metadata as RFC 7591 names it, without secrets."""
    document: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created.timestamp()),
        "client_name": client.name,
        "grant_types": list(client.grant_types),
        "response_types": ["code"] if "authorization_code" in client.grant_types else [],
        "redirect_uris": client.redirect_uris.split(),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "scope": " ".join(client.scopes),
        "archway_marker": client.marker,
        "registration_client_uri": endpoint(f"register/{client.client_id}"),
    }
    if client.access_token_format:
        document["access_token_format"] = client.access_token_format
    if not client.is_public:
        document["client_secret_expires_at"] = 0
    return document


def describe_issued(issued: IssuedClient) -> dict[str, Any]:
    """``describe_client`` with what was issued now."""
    document = describe_client(issued.client)
    if issued.client_secret:
        document["client_secret"] = issued.client_secret
    if issued.registration_access_token:
        document["registration_access_token"] = issued.registration_access_token
    return document
