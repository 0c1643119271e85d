"""Storage of client secrets: a salted fast hash, because 128 random characters are not chosen by people."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.utils.crypto import constant_time_compare

from keymanager.resident.toolkit_settings import CLIENT_SECRET_HASHER

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class ClientSecretHasher(BasePasswordHasher):
    """``archway_secret_sha256$salt$hex``. Never the first in PASSWORD_HASHERS, so people's passwords do not use it.

    A slow hash protects short secrets from guessing. Against 768 random bits guessing is hopeless anyway, and a slow
    hash would cost every token request a second of CPU and tell known client ids from unknown ones by time.
    """

    algorithm = CLIENT_SECRET_HASHER

    def encode(self, password: str, salt: str) -> str:
        """The string to store for ``password``."""
        self._check_encode_args(password, salt)
        return f"{self.algorithm}${salt}${_digest(password, salt)}"

    def decode(self, encoded: str) -> dict[str, Any]:
        """The parts of a stored string."""
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        """True when ``password`` made ``encoded``; takes the same time for every wrong one."""
        parts = self.decode(encoded)
        return constant_time_compare(parts["hash"], _digest(password, parts["salt"]))

    def safe_summary(self, encoded: str) -> dict[str | _StrPromise, Any]:
        """What may be shown of a stored string."""
        return {"algorithm": self.decode(encoded)["algorithm"]}

    def must_update(self, encoded: str) -> bool:
        """Stored strings never age."""
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """There are no rounds to make up for."""

    def _check_encode_args(self, password: str, salt: str) -> None:
        if not salt or "$" in salt:
            raise ValueError("salt must be given and must not contain $")


def _digest(password: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{password}".encode()).hexdigest()


def hash_secret(secret: str) -> str:
    """The string to store for a client secret."""
    hasher = get_hasher(CLIENT_SECRET_HASHER)
    return hasher.encode(secret, hasher.salt())


def secret_matches(secret: str, stored: str) -> bool:
    """True when ``secret`` made ``stored``. ``stored`` = "" costs the same work as a real one and never matches."""
    matches = get_hasher(CLIENT_SECRET_HASHER).verify(secret, stored or _nobodys_secret())
    return matches and bool(stored)


@cache
def _nobodys_secret() -> str:
    return hash_secret("nobody has this secret")
