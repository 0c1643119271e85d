"""Keys of the embedded authorization server's own secrets, derived from the project's secret key.

Nothing has to be stored or configured: every process of the installation derives the same. While Django's
SECRET_KEY_FALLBACKS lists an old secret key, what was sealed with it still opens.
"""

import hashlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from common.secretbox import SecretBox, SecretKey


def derived_key(label: str, secret: str | bytes | None = None) -> bytes:
    """32 bytes for one purpose; knowing them tells nothing of the secret key or of another purpose's bytes."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode())
    return derivation.derive(force_bytes(settings.SECRET_KEY if secret is None else secret))


def resident_box() -> SecretBox:
    """Seals with the present secret key, opens with the fallbacks too."""
    secrets = dict.fromkeys([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
    keys = {_key_id(secret): derived_key("resident-signing-keys", secret) for secret in secrets}
    return SecretBox([SecretKey(key_id=key_id, key=key) for key_id, key in keys.items()])


def _key_id(secret: str | bytes) -> str:
    fingerprint = hashlib.sha256(derived_key("resident-key-id", secret)).hexdigest()
    return f"resident-{fingerprint[:12]}"
