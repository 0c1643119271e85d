"""Secrets at rest: AES-256-GCM, with the algorithm and the key's id recorded in every stored value.

A stored value is ``v1.aesgcm.<key id>.<base64url of nonce and ciphertext>``. Its context (for instance
``credential.client_secret:<uuid>``) is authenticated with it, so a value copied to another row does not open.
A key file has one key per line, ``<key id> <base64 of 32 bytes>``, the newest first; ``#`` begins a comment.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import ConfigurationError

_FORMAT = "v1.aesgcm"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_KEY_BYTES = 32
_NONCE_BYTES = 12


class SecretUnreadable(ConfigurationError):
    """A stored secret does not open: its key is missing, or it was changed or moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKey:
    """One key. ``key_id`` is public and recorded with every value that it encrypted."""

    key_id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise ConfigurationError(f"{self.key_id!r} is not a key id: letters, digits, - and _ only")
        if len(self.key) != _KEY_BYTES:
            raise ConfigurationError(f"key {self.key_id} has {len(self.key)} bytes instead of {_KEY_BYTES}")


class SecretBox:
    """Encrypts with the first key, decrypts with any."""

    def __init__(self, keys: Sequence[SecretKey]) -> None:
        if not keys:
            raise ConfigurationError("there is no key for secrets at rest")
        self._ciphers = {key.key_id: AESGCM(key.key) for key in keys}
        if len(self._ciphers) != len(keys):
            raise ConfigurationError("two keys for secrets at rest have the same id")
        self._newest = keys[0].key_id

    def __repr__(self) -> str:
        return f"SecretBox(keys={list(self._ciphers)})"

    def encrypt(self, text: str, *, context: str) -> str:
        """The stored form of ``text``, bound to ``context``."""
        nonce = os.urandom(_NONCE_BYTES)
        head = f"{_FORMAT}.{self._newest}"
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), _associated(head, context))
        return f"{head}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, token: str, *, context: str) -> str:
        """The text of a stored value. Raises ``SecretUnreadable``; the message never quotes the value."""
        head, key_id, payload = _split(token)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretUnreadable(f"the key {key_id} of a stored secret is not in the key file")
        try:
            raw = base64.b64decode(payload, altchars=b"-_", validate=True)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(head, context)).decode()
        except (InvalidTag, ValueError) as exc:
            raise SecretUnreadable(f"a stored secret ({context}) was changed, or belongs elsewhere") from exc

    def needs_rotation(self, token: str) -> bool:
        """True when the stored value was not encrypted with the newest key."""
        return _split(token)[1] != self._newest


def _associated(head: str, context: str) -> bytes:
    return f"{head}\n{context}".encode()


def _split(token: str) -> tuple[str, str, str]:
    version, *rest = token.split(".")
    if len(rest) != 3 or f"{version}.{rest[0]}" != _FORMAT:
        raise SecretUnreadable("a stored secret has an unknown format")
    return f"{_FORMAT}.{rest[1]}", rest[1], rest[2]


def generate_key(key_id: str = "") -> SecretKey:
    """A new random key; its id is random unless given."""
    return SecretKey(key_id=key_id or f"k{secrets.token_hex(4)}", key=secrets.token_bytes(_KEY_BYTES))


def parse_keys(text: str) -> tuple[SecretKey, ...]:
    """The keys of a key file, newest first. Raises ``ConfigurationError`` naming the line, never quoting it."""
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        if len(parts) != 2:
            raise ConfigurationError(f"key file, line {number}: expected a key id and a base64 key")
        try:
            keys.append(SecretKey(key_id=parts[0], key=base64.b64decode(parts[1], validate=True)))
        except binascii.Error as exc:
            raise ConfigurationError(f"key file, line {number}: the key is not base64") from exc
    if not keys:
        raise ConfigurationError("the key file has no key")
    return tuple(keys)


def format_keys(keys: Iterable[SecretKey]) -> str:
    """The text of a key file."""
    return "".join(f"{key.key_id} {base64.b64encode(key.key).decode()}\n" for key in keys)


def read_key_file(path: Path) -> tuple[SecretKey, ...]:
    """The keys in ``path``. Raises ``ConfigurationError`` when it is missing or malformed."""
    try:
        return parse_keys(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the key file {path} cannot be read") from exc


def write_key_file(path: Path, keys: Iterable[SecretKey]) -> None:
    """Replace ``path`` in one step with a file that only its owner can read."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(format_keys(keys))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
