"""The keys that sign the backend JWT: made on first use, kept sealed, published as a JWKS."""

import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import RSAKey

from keymanager.models import SigningKey
from keymanager.sealing import seal, unseal
from subscriptions.models import ChangeKind
from subscriptions.recording import announce

ALGORITHM: Final = "RS256"
_BITS: Final = 2048
# A backend may hold a call and the key set for a while; the JWT itself lives for five minutes.
PUBLISHED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key that signs now."""

    kid: str
    key: RSAKey = field(repr=False)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a JWS in compact form."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.kid, "typ": "JWT"}, dict(claims), self.key)


def current_signing_key() -> Signer:
    """The newest active key; the very first call makes one. Safe in several processes at once."""
    row = _newest() or _first()
    return Signer(kid=row.kid, key=RSAKey.import_key(unseal(row.sealed_private_pem, context=_context(row.kid))))


@transaction.atomic
def rotate_signing_key(*, published_for: timedelta = PUBLISHED_FOR) -> SigningKey:
    """A new key signs from now on. The one before it stays in the JWKS for ``published_for`` (not negative)."""
    row = _make(generation=_next_generation())
    older = SigningKey.objects.filter(retired_at=None).exclude(pk=row.pk)
    older.update(retired_at=timezone.now() + published_for)
    return row


def public_jwks() -> dict[str, list[Mapping[str, Any]]]:
    """The public halves of all keys that are not retired yet (RFC 7517), the newest first. Makes the first key."""
    published = Q(retired_at=None) | Q(retired_at__gt=timezone.now())
    rows = SigningKey.objects.filter(published).order_by("-created_at", "-kid")
    keys = [row.public_jwk for row in rows]
    if not keys:
        current_signing_key()
        keys = [row.public_jwk for row in rows.all()]
    return {"keys": keys}


def _newest() -> SigningKey | None:
    return SigningKey.objects.filter(retired_at=None).order_by("-created_at", "-kid").first()


def _first() -> SigningKey:
    # The number is read before looking again: who sees no key then makes one of the number that all others choose too.
    generation = _next_generation()
    return _newest() or _make(generation=generation)


def _next_generation() -> int:
    """One more than the newest: old rows are deleted, so that counting them would name a key twice."""
    kids = SigningKey.objects.values_list("kid", flat=True)
    return max((int(kid.rpartition("-")[2]) for kid in kids), default=0) + 1


def _make(*, generation: int) -> SigningKey:
    """Two processes that make the same generation choose the same ``kid``: the database lets one of them win."""
    fingerprint = hmac.new(settings.SECRET_KEY.encode(), b"backend jwt signing key", hashlib.sha256).hexdigest()[:12]
    kid = f"{fingerprint}-{generation}"
    key = RSAKey.generate_key(_BITS)
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    sealed = seal(key.as_pem(private=True).decode(), context=_context(kid))
    try:
        with transaction.atomic():
            row = SigningKey.objects.create(kid=kid, public_jwk=public, sealed_private_pem=sealed)
            announce(ChangeKind.SIGNING_KEY, row.pk)
            return row
    except IntegrityError:
        return SigningKey.objects.get(kid=kid)


def _context(kid: str) -> str:
    return f"signing_key:{kid}"


class SigningKeys:
    """The current signer in memory, for a process that follows the change feed."""

    def __init__(self) -> None:
        self._signer: Signer | None = None
        self._generation = 0
        self._lock = threading.Lock()

    def at_hand(self) -> Signer | None:
        """The signer without waiting, if it was read already."""
        return self._signer

    def load(self) -> Signer:
        """The signer, read from the database when needed. A change that arrives while reading is not overwritten."""
        with self._lock:
            generation = self._generation
        signer = current_signing_key()
        with self._lock:
            if generation == self._generation:
                self._signer = signer
        return signer

    def forget(self) -> None:
        """Keys changed: read again before the next use."""
        with self._lock:
            self._generation += 1
            self._signer = None
