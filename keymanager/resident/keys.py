"""Signing keys: made at first use, encrypted at rest, rotated without a gap."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from joserfc.jwk import RSAKey
from oauth2_provider.settings import oauth2_settings

from common.errors import RuleError
from keymanager.resident.models import SigningKey
from keymanager.resident.sealing import resident_box

RSA_BITS = 2048
# A verifier may have cached the key set, and a token may have been issued a moment before the rotation.
PUBLISHED_AFTER_EXPIRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningMaterial:
    """An opened signing key. ``kid`` is its RFC 7638 thumbprint."""

    kid: str
    private_pem: str = field(repr=False)
    key: RSAKey = field(repr=False)


def active_signing_key() -> SigningMaterial:
    """The key that signs now; made when there is none yet, by one of the processes that ask at the same time."""
    row = SigningKey.objects.filter(active=True).first()
    if row is None:
        fresh = _new_row()
        try:
            with transaction.atomic():
                fresh.save(force_insert=True)
        except IntegrityError:
            # Another process was faster: the constraint allows one active key, and its key is ours too.
            row = SigningKey.objects.get(active=True)
        else:
            row = fresh
    return _opened(row.kid, row.sealed_private_pem)


def rotate_signing_key(*, published_for: timedelta | None = None) -> str:
    """Sign with a new key from now on; returns its kid.

    The old one stays published for ``published_for``, by default while its tokens can live. Raises ``RuleError`` when
    somebody else rotates at the same time.
    """
    fresh = _new_row()
    retired_at = timezone.now() + (longest_use() if published_for is None else published_for)
    try:
        with transaction.atomic():
            SigningKey.objects.filter(active=True).update(active=False, retired_at=retired_at)
            fresh.save(force_insert=True)
    except IntegrityError as exc:
        raise RuleError("Another process made a signing key at the same time.") from exc
    return fresh.kid


def longest_use() -> timedelta:
    """How long the signatures of a key can be alive after its last one, and some time for caches of the key set."""
    seconds = max(oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS, oauth2_settings.ID_TOKEN_EXPIRE_SECONDS)
    return timedelta(seconds=seconds) + PUBLISHED_AFTER_EXPIRY


def forget_retired_keys(now: datetime) -> int:
    """Delete the keys that are not published any more; returns how many."""
    return SigningKey.objects.filter(active=False, retired_at__lte=now).delete()[0]


def public_key_set() -> dict[str, Any]:
    """The JWK Set (RFC 7517 section 5) of every key whose signatures may still be alive."""
    active_signing_key()
    published = Q(active=True) | Q(retired_at__gt=timezone.now())
    rows = SigningKey.objects.filter(published).order_by("-active", "-created")
    return {"keys": [_public_jwk(_opened(row.kid, row.sealed_private_pem)) for row in rows]}


def _public_jwk(material: SigningMaterial) -> dict[str, Any]:
    public = material.key.as_dict(private=False)
    return {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": material.kid, "use": "sig", "alg": "RS256"}


def _new_row() -> SigningKey:
    key = RSAKey.generate_key(RSA_BITS, private=True, auto_kid=False)
    kid = key.thumbprint()
    sealed = resident_box().encrypt(key.as_pem(private=True).decode(), context=_context(kid))
    return SigningKey(kid=kid, sealed_private_pem=sealed)


@lru_cache(maxsize=16)
def _opened(kid: str, sealed: str) -> SigningMaterial:
    pem = resident_box().decrypt(sealed, context=_context(kid))
    return SigningMaterial(kid=kid, private_pem=pem, key=RSAKey.import_key(pem))


def _context(kid: str) -> str:
    return f"resident.signing_key:{kid}"
