"""Client authentication as clients send it (RFC 6749 section 2.3.1), and as we can check it ourselves."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from django.http import HttpRequest

from common.errors import InputError
from keymanager.front_door.forms import Parameters
from keymanager.front_door.refusals import ClientRefused
from keymanager.front_door.routing import find_credentials, the_credential
from keymanager.models import Credential
from keymanager.sealing import secret_digest
from keymanager.services.old_secrets import has_two_secrets

PUBLIC: Final = "none"
AUTHENTICATION_PARAMETERS: Final = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedClient:
    """A client id and secret as sent; the secret is "" for a public client."""

    client_id: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The client that a request names. ``secret_proven``: its secret matches the digest that we keep."""

    credential: Credential
    client_secret: str = field(repr=False)
    secret_proven: bool

    @property
    def is_public(self) -> bool:
        """True for a client without a secret."""
        return self.credential.token_endpoint_auth_method == PUBLIC


def identify(request: HttpRequest, form: Parameters, *, endpoint: str, key_manager_slug: str = "") -> Caller:
    """The client that the request names; a secret that we cannot check is left to the key manager.

    Raises ``ClientRefused`` when there is no such client or it presents no secret although it has one (or the
    reverse), ``InputError`` for two ways of authentication at once and for a client id at several key managers.
    """
    readings = presented_clients(request.headers.get("Authorization", ""), form)
    found = {reading.client_id: find_credentials(reading.client_id, key_manager_slug) for reading in readings}
    known = [reading for reading in readings if found[reading.client_id]] or list(readings)
    credential = the_credential(found[known[0].client_id], endpoint=endpoint)
    same_client = [reading for reading in known if reading.client_id == credential.client_id]
    proven = [reading for reading in same_client if secret_matches(credential, reading.client_secret)]
    caller = Caller(
        credential=credential, client_secret=(proven or same_client)[0].client_secret, secret_proven=bool(proven)
    )
    if bool(caller.client_secret) == caller.is_public:
        raise ClientRefused
    return caller


def presented_clients(authorization: str, form: Parameters) -> tuple[PresentedClient, ...]:
    """Every way to read what was sent: one, or for a Basic header the form-decoded one and then the raw one.

    RFC 6749 section 2.3.1 has both halves form-encoded, most client libraries send them raw.
    """
    client_id, client_secret = form.get("client_id"), form.get("client_secret")
    if form.get("client_assertion"):
        raise InputError.of("client_assertion", "Client assertions are not accepted here.")
    if not authorization:
        return (PresentedClient(client_id=client_id, client_secret=client_secret),)
    readings = _read_basic(authorization)
    if client_secret:
        raise InputError.of("client_secret", "The client authenticates in the header and in the body; use one.")
    if client_id and client_id not in {reading.client_id for reading in readings}:
        raise InputError.of("client_id", "The one in the body is not the one in the header.")
    return tuple(reading for reading in readings if not client_id or reading.client_id == client_id)


def _read_basic(authorization: str) -> tuple[PresentedClient, ...]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientRefused("Use the Basic scheme, or client_id and client_secret in the body.")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ClientRefused("The Basic credentials cannot be read.") from exc
    client_id, colon, secret = decoded.partition(":")
    if not colon or "\x00" in decoded:
        raise ClientRefused("The Basic credentials cannot be read.")
    raw = PresentedClient(client_id=client_id, client_secret=secret)
    form_decoded = PresentedClient(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret))
    if "\x00" in form_decoded.client_id + form_decoded.client_secret:
        return (raw,)
    return (raw,) if raw == form_decoded else (form_decoded, raw)


def secret_matches(credential: Credential, client_secret: str) -> bool:
    """True when we hold a digest of the client's secret, or of the one before while both are good, and this is it.

    Compared in constant time.
    """
    if not client_secret:
        return False
    presented = secret_digest(credential.pk, client_secret)
    good = [credential.secret_sha256, credential.old_secret_sha256 if has_two_secrets(credential) else ""]
    return any(hmac.compare_digest(digest, presented) for digest in good if digest)
