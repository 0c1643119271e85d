"""Token -> who vouches for it: locally for JWTs of a known issuer, else by asking key managers (RFC 7662)."""

import logging
import threading
from dataclasses import replace
from typing import Protocol

from common.errors import ArchwayError, ConfigurationError, KeyManagerUnavailable, NotSupported
from keymanager.adapters.contract import Capability, Clock, Inactive, KeyManagerAdapter
from keymanager.validation.codes import Code
from keymanager.validation.facts import Facts, Id, KeyManagerFacts
from keymanager.validation.jwt_check import (
    UnverifiedJwt,
    VerificationKey,
    is_other_use,
    read_unverified,
    refusal_before_keys,
    refusal_by_time,
    verify,
)
from keymanager.validation.key_rings import KeyRings
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved

logger = logging.getLogger(__name__)

# An introspection answer without ``exp`` is believed for this long before it is asked again.
SECONDS_WITHOUT_EXP = 60.0


class AdapterSource(Protocol):
    """Where configured adapters come from."""

    def adapter(self, key_manager: KeyManagerFacts) -> KeyManagerAdapter:
        """The adapter of a key manager; may read the database. Raises ``ConfigurationError``."""
        ...


class TokenResolver:
    """Decides about tokens. ``resolve`` may wait for the database and for key managers: call it in a thread."""

    def __init__(self, adapters: AdapterSource, clock: Clock, rings: KeyRings | None = None) -> None:
        self._source = adapters
        self._clock = clock
        self._rings = rings or KeyRings()
        self._adapters: dict[Id, tuple[int, KeyManagerAdapter]] = {}
        self._lock = threading.Lock()

    def forget(self, key_manager_id: Id) -> None:
        """A key manager was changed: its adapter and keys are made anew."""
        self._adapters.pop(key_manager_id, None)
        self._rings.forget(key_manager_id)

    def forget_all(self) -> None:
        """Everything is made anew."""
        self._adapters.clear()
        self._rings.forget_all()

    def resolve_at_once(self, token: str, facts: Facts) -> Resolved | None:
        """What can be said without waiting for anybody; ``None`` when somebody must be asked."""
        unverified = read_unverified(token)
        if unverified is None:
            return None
        refusal = refusal_before_keys(unverified)
        key_manager = _issuer(unverified.issuer, facts)
        if key_manager is None:
            return None
        known = self._adapters.get(key_manager.id)
        if known is None or known[0] != key_manager.revision or validates_by(known[1]) != "jwt":
            return None
        if refusal is not None:
            return refusal
        keys = self._rings.at_hand(key_manager, unverified)
        if keys is None:
            return None
        return self._verified(unverified, keys, key_manager, known[1])

    def resolve(self, token: str, facts: Facts, accepted: frozenset[Id] | None) -> Resolved:
        """Good, bad, or nobody knows. Opaque tokens are shown to ``accepted`` key managers only (``None``: all)."""
        unverified = read_unverified(token)
        issuer = _issuer(unverified.issuer, facts) if unverified is not None else None
        if unverified is not None and issuer is not None:
            answer = self._ask(issuer, token, unverified)
            # Whose token it is was clear, so the answer holds whoever else might have been asked.
            return replace(answer, asked=frozenset()) if isinstance(answer, BadToken) else answer
        return self._ask_around(token, facts, accepted, unverified)

    def _ask_around(
        self, token: str, facts: Facts, accepted: frozenset[Id] | None, unverified: UnverifiedJwt | None
    ) -> Resolved:
        """Ask in order until one vouches. One that did not answer might have, so then nobody knows."""
        asked: set[Id] = set()
        silent: NoAnswer | None = None
        for key_manager in facts.enabled_key_managers():
            if accepted is not None and key_manager.id not in accepted:
                continue
            if unverified is not None and unverified.issuer and key_manager.issuer:
                continue
            answer = self._ask(key_manager, token, None)
            if isinstance(answer, GoodToken):
                return answer
            if isinstance(answer, NoAnswer):
                silent = silent or answer
            asked.add(key_manager.id)
        reason = "The token is not known (or no longer active) at any key manager that this API accepts."
        return silent or BadToken(code=Code.TOKEN_INVALID, reason=reason, asked=frozenset(asked))

    def _ask(self, key_manager: KeyManagerFacts, token: str, unverified: UnverifiedJwt | None) -> Resolved:
        asked = frozenset({key_manager.id})
        try:
            adapter = self._adapter(key_manager)
            if validates_by(adapter) == "introspection":
                return self._introspect(key_manager, adapter, token)
            if unverified is None:
                return BadToken(code=Code.TOKEN_INVALID, reason=f"{key_manager.slug} issues JWTs only.", asked=asked)
            refusal = refusal_before_keys(unverified)
            if refusal is not None:
                return refusal
            keys = self._rings.fetch(key_manager, adapter, unverified)
            return self._verified(unverified, keys, key_manager, adapter)
        except KeyManagerUnavailable as exc:
            return NoAnswer(
                reason=f"The key manager {key_manager.slug} does not answer.", retry_after=round(exc.retry_after or 5)
            )
        except NotSupported:
            return BadToken(
                code=Code.TOKEN_INVALID, reason=f"{key_manager.slug} cannot be asked about tokens.", asked=asked
            )
        except (ArchwayError, ConfigurationError) as exc:
            logger.warning("Key manager %s cannot say whether a token is good: %s", key_manager.slug, exc)
            return NoAnswer(reason=f"The key manager {key_manager.slug} gave no usable answer ({exc.code}).")

    def _verified(
        self,
        unverified: UnverifiedJwt,
        keys: tuple[VerificationKey, ...],
        key_manager: KeyManagerFacts,
        adapter: KeyManagerAdapter,
    ) -> Resolved:
        answer = verify(unverified, keys, adapter, now=self._clock.now())
        if isinstance(answer, BadToken):
            return answer
        return GoodToken(key_manager_id=key_manager.id, facts=answer, until=float(answer.exp or 0))

    def _introspect(self, key_manager: KeyManagerFacts, adapter: KeyManagerAdapter, token: str) -> Resolved:
        asked = frozenset({key_manager.id})
        answer = adapter.introspect(token)
        if isinstance(answer, Inactive):
            return BadToken(code=Code.TOKEN_INVALID, reason=f"{key_manager.slug}: {answer.reason}", asked=asked)
        if answer.token_use != "access" or is_other_use({"token_use": answer.token_use}):
            return BadToken(code=Code.TOKEN_INVALID, reason="This is not an access token.", asked=asked)
        now = self._clock.now()
        refusal = refusal_by_time(answer, now=now)
        if refusal is not None:
            return refusal
        until = float(answer.exp) if answer.exp is not None else now + SECONDS_WITHOUT_EXP
        return GoodToken(key_manager_id=key_manager.id, facts=answer, until=until)

    def _adapter(self, key_manager: KeyManagerFacts) -> KeyManagerAdapter:
        known = self._adapters.get(key_manager.id)
        if known is not None and known[0] == key_manager.revision:
            return known[1]
        with self._lock:
            adapter = self._source.adapter(key_manager)
            self._adapters[key_manager.id] = (key_manager.revision, adapter)
            return adapter


def _issuer(issuer: str, facts: Facts) -> KeyManagerFacts | None:
    if not issuer:
        return None
    return next((row for row in facts.enabled_key_managers() if row.issuer == issuer), None)


def validates_by(adapter: KeyManagerAdapter) -> str:
    """The one switch: the configuration's ``token_validation``; adapters without it verify where they have keys."""
    chosen = getattr(adapter.config, "token_validation", "")
    if chosen in ("jwt", "introspection"):
        return str(chosen)
    return "jwt" if Capability.JWKS in adapter.capabilities else "introspection"
