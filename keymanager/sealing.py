"""Secrets at rest: which key seals which column, and how a stored secret is bound to its row.

The keys are in ``ARCHWAY_SECRET_KEYS``, else in the file ``secrets.keys`` below ``ARCHWAY_HOME``, which is made on
first use. A process notices when the file gets a new key. ``docs/reference/secrets.md`` lists what is sealed.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from django.conf import settings

from common.private_files import private_file
from common.secretbox import SecretBox, SecretKey, format_keys, generate_key, parse_keys, write_key_file
from keymanager.models import Credential
from keymanager.resident.sealing import derived_key


def key_file() -> Path:
    """Where the keys are when ``ARCHWAY_SECRET_KEYS`` does not give them."""
    return Path(settings.ARCHWAY_HOME) / "secrets.keys"


def secret_box() -> SecretBox:
    """The box of this installation. Raises ``ConfigurationError`` when the keys are malformed."""
    given = str(settings.ARCHWAY_SECRET_KEYS)
    if given:
        return _box_of_text(given.replace(",", "\n"))
    path = key_file()
    if not path.exists():
        private_file(path, format_keys([generate_key()]))
    found = path.stat()
    return _box_of_file(path, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=4)
def _box_of_text(text: str) -> SecretBox:
    return SecretBox(parse_keys(text))


@lru_cache(maxsize=4)
def _box_of_file(path: Path, modified: int, inode: int) -> SecretBox:
    # The file's time and inode are part of the cache key, so that a key added by another process is found.
    del modified, inode
    return SecretBox(parse_keys(path.read_text(encoding="ascii")))


def add_key() -> SecretKey:
    """A new newest key in the key file; what was sealed with the older ones still opens."""
    secret_box()
    path = key_file()
    key = generate_key()
    write_key_file(path, [key, *parse_keys(path.read_text(encoding="ascii"))])
    return key


def seal(text: str, *, context: str) -> str:
    """The stored form of a secret, "" for "". ``context`` names column and row, e.g. ``signing_key:<kid>``."""
    return secret_box().encrypt(text, context=context) if text else ""


def unseal(token: str, *, context: str) -> str:
    """The secret behind its stored form, "" for "". Raises ``common.secretbox.SecretUnreadable``."""
    return secret_box().decrypt(token, context=context) if token else ""


def secret_context(credential_id: uuid.UUID) -> str:
    """Binds a sealed client secret to its row."""
    return f"credential.client_secret:{credential_id}"


def mapped_secret_context(credential_id: uuid.UUID) -> str:
    """Binds the sealed secret of a client made elsewhere, not yet proved, to its row."""
    return f"credential.mapped_secret:{credential_id}"


def registration_token_context(credential_id: uuid.UUID) -> str:
    """Binds a sealed registration access token to its row."""
    return f"credential.registration_access_token:{credential_id}"


def config_context(key_manager_id: uuid.UUID) -> str:
    """Binds the sealed part of a key manager's configuration to its row."""
    return f"key_manager.config:{key_manager_id}"


def trial_context(check_id: uuid.UUID) -> str:
    """Binds what is known of a check's throw-away client to its row."""
    return f"key_manager_check.trial:{check_id}"


def unseal_secret(credential: Credential) -> str:
    """The client secret that is kept for the credential, or ""."""
    return unseal(credential.sealed_secret, context=secret_context(credential.pk))


def seal_config(key_manager_id: uuid.UUID, values: Mapping[str, Any]) -> str:
    """The secret fields of a configuration, sealed together; "" when there are none."""
    return seal(json.dumps(dict(values), sort_keys=True), context=config_context(key_manager_id)) if values else ""


def unseal_config(key_manager_id: uuid.UUID, token: str) -> dict[str, Any]:
    """The secret fields of a configuration."""
    text = unseal(token, context=config_context(key_manager_id))
    return cast("dict[str, Any]", json.loads(text)) if text else {}


def secret_digest(credential_id: uuid.UUID, secret: str) -> str:
    """HMAC-SHA-256 of a client secret, bound to its credential; its key is derived from Django's secret key."""
    key = derived_key("credential-secret-digest")
    return hmac.new(key, f"{credential_id}\n{secret}".encode(), hashlib.sha256).hexdigest()
