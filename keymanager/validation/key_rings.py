"""The signing keys of key managers: pinned ones, or fetched through their adapters and kept for a while."""

import threading
import time
from collections.abc import Callable

from common.errors import KeyManagerError
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.token_rules import rules_of
from keymanager.validation.facts import Id, KeyManagerFacts
from keymanager.validation.jwt_check import (
    UnverifiedJwt,
    VerificationKey,
    keys_of,
    may_be_signed_by,
    pinned_keys_of,
)

FRESH_SECONDS = 300.0
# How long old keys are believed while the key manager cannot be reached.
USABLE_SECONDS = 3600.0
# An unknown key id makes us fetch at most this often, else made-up tokens would flood the key manager.
REFETCH_SECONDS = 60.0
_FOR_EVER = float("inf")


class _Ring:
    __slots__ = ("fetched_at", "keys", "lock", "revision", "tried_at")

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.keys: tuple[VerificationKey, ...] = ()
        self.fetched_at = float("-inf")
        self.tried_at = float("-inf")
        self.lock = threading.Lock()


class KeyRings:
    """Keys by key manager; safe to use from several threads. ``monotonic`` is the clock, in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._rings: dict[Id, _Ring] = {}
        self._lock = threading.Lock()

    def forget(self, key_manager_id: Id) -> None:
        """Fetch anew before the next use: the key manager was changed."""
        self._rings.pop(key_manager_id, None)

    def forget_all(self) -> None:
        """Fetch everything anew."""
        self._rings.clear()

    def at_hand(self, key_manager: KeyManagerFacts, unverified: UnverifiedJwt) -> tuple[VerificationKey, ...] | None:
        """The keys that can have signed the token, without waiting; ``None`` when they must be fetched first."""
        ring = self._rings.get(key_manager.id)
        if ring is None or ring.revision != key_manager.revision:
            return None
        now = self._monotonic()
        if now - ring.fetched_at > FRESH_SECONDS and now - ring.tried_at > REFETCH_SECONDS:
            return None
        if now - ring.fetched_at > USABLE_SECONDS:
            return None
        keys = may_be_signed_by(unverified, ring.keys)
        if not keys and now - ring.tried_at > REFETCH_SECONDS:
            return None
        return keys

    def fetch(
        self, key_manager: KeyManagerFacts, adapter: KeyManagerAdapter, unverified: UnverifiedJwt
    ) -> tuple[VerificationKey, ...]:
        """The same, asking the key manager when needed. Raises ``KeyManagerError`` when there is no usable key set."""
        ring = self._ring(key_manager)
        with ring.lock:
            keys = self.at_hand(key_manager, unverified)
            if keys is not None:
                return keys
            pinned = rules_of(adapter.config).pinned_keys
            if pinned:
                ring.keys, ring.fetched_at, ring.tried_at = pinned_keys_of(pinned), _FOR_EVER, _FOR_EVER
                return may_be_signed_by(unverified, ring.keys)
            ring.tried_at = self._monotonic()
            try:
                ring.keys = keys_of(adapter.jwks())
            except KeyManagerError:
                if self._monotonic() - ring.fetched_at > USABLE_SECONDS:
                    ring.tried_at = float("-inf")
                    raise
            else:
                ring.fetched_at = ring.tried_at
            return may_be_signed_by(unverified, ring.keys)

    def _ring(self, key_manager: KeyManagerFacts) -> _Ring:
        with self._lock:
            ring = self._rings.get(key_manager.id)
            if ring is None or ring.revision != key_manager.revision:
                ring = self._rings[key_manager.id] = _Ring(key_manager.revision)
            return ring
