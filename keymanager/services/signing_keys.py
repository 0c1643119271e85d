"""New signing keys for the backend JWT and for the resident key manager, told to every validator."""

from datetime import timedelta

from django.db import transaction

from accounts.actor import SYSTEM
from keymanager.models import KeyManager
from keymanager.resident.keys import rotate_signing_key as rotate_resident
from keymanager.services.adapters import RESIDENT
from keymanager.validation.signing import PUBLISHED_FOR
from keymanager.validation.signing import rotate_signing_key as rotate_backend_jwt
from subscriptions.models import ChangeKind
from subscriptions.recording import announce, audit


@transaction.atomic
def rotate_backend_jwt_key(*, published_for: timedelta | None = None) -> str:
    """A new key signs the backend JWT from now on; returns its kid.

    ``published_for``: how long the one before it stays in ``/.well-known/jwks.json``, by default an hour.
    """
    row = rotate_backend_jwt(published_for=PUBLISHED_FOR if published_for is None else published_for)
    audit(SYSTEM, "signing_key.rotate", row)
    return row.kid


@transaction.atomic
def rotate_resident_key(*, published_for: timedelta | None = None) -> str:
    """A new key signs the resident's tokens from now on; returns its kid. Validators fetch its key set anew.

    ``published_for``: how long the one before it stays in the key set, by default an hour longer than its tokens live.
    Raises ``RuleError`` when somebody else rotates at the same time.
    """
    kid = rotate_resident(published_for=published_for)
    for row in KeyManager.objects.filter(adapter=RESIDENT):
        audit(SYSTEM, "key_manager.rotate_signing_key", row, detail={"kid": kid})
        announce(ChangeKind.KEY_MANAGER, row.pk)
    return kid
