"""Token -> who vouches for it: locally for JWTs of a known issuer, else by asking key managers (RFC 7662)."""

import logging
import threading
from dataclasses import replace
from typing import Protocol

from common.errors import ArchwayError, ConfigurationError, KeyManagerUnavailable, NotSupported
from keymanager.adapters.contract import Clock, Inactive, KeyManagerAdapter, TokenFacts
from keymanager.adapters.token_rules import TokenRules, checks_locally, rules_of
from keymanager.validation.codes import Code
from keymanager.validation.facts import Facts, Id, KeyManagerFacts
from keymanager.validation.jwt_check import (
    UnverifiedJwt,
    VerificationKey,
    client_id_of,
    read_unverified,
    refusal_before_keys,
    refusal_by_time,
    refusal_by_use,
    scopes_of,
    verify,
)
from keymanager.validation.key_rings import KeyRings
from keymanager.validation.quiet_periods import QuietPeriods
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.users import PortalUsers, UserSource, names_user

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

    def __init__(
        self,
        adapters: AdapterSource,
        clock: Clock,
        rings: KeyRings | None = None,
        quiet: QuietPeriods | None = None,
        users: UserSource | None = None,
    ) -> None:
        self._source = adapters
        self._clock = clock
        self._rings = rings or KeyRings()
        self._quiet = quiet or QuietPeriods()
        self._users = users or PortalUsers()
        self._adapters: dict[Id, tuple[int, KeyManagerAdapter]] = {}
        self._lock = threading.Lock()

    def forget(self, key_manager_id: Id) -> None:
        """A key manager was changed: its adapter and keys are made anew."""
        self._adapters.pop(key_manager_id, None)
        self._rings.forget(key_manager_id)
        self._quiet.end(key_manager_id)

    def forget_all(self) -> None:
        """Everything is made anew."""
        self._adapters.clear()
        self._rings.forget_all()
        self._quiet.end_all()

    def resolve_at_once(self, token: str, facts: Facts) -> Resolved | None:
        """What can be said without waiting for anybody; ``None`` when somebody must be asked."""
        unverified = read_unverified(token)
        if unverified is None:
            return None
        key_manager = _issuer(unverified.issuer, facts)
        if key_manager is None:
            return None
        known = self._adapters.get(key_manager.id)
        if known is None or known[0] != key_manager.revision or not checks_locally(known[1]):
            return None
        refusal = refusal_before_keys(unverified, rules_of(known[1].config))
        if refusal is not None:
            return refusal
        keys = self._rings.at_hand(key_manager, unverified)
        if keys is None:
            return self._quiet.answer(key_manager)
        answer = self._verified(unverified, keys, key_manager, known[1])
        if _says_too_little(answer, known[1]) or _has_user(answer, key_manager):
            return None
        return answer

    def resolve(self, token: str, facts: Facts, accepted: frozenset[Id] | None) -> Resolved:
        """Good, bad, or nobody knows. Opaque tokens are shown to ``accepted`` key managers only (``None``: all)."""
        unverified = read_unverified(token)
        issuer = _issuer(unverified.issuer, facts) if unverified is not None else None
        if unverified is not None and issuer is not None:
            answer = self._with_user(self._ask(issuer, token, unverified), token, issuer)
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
            if unverified is not None and unverified.issuer and key_manager.issuers:
                continue
            answer = self._ask(key_manager, token, None)
            if isinstance(answer, GoodToken):
                return self._with_user(answer, token, key_manager)
            if isinstance(answer, NoAnswer):
                silent = silent or answer
            asked.add(key_manager.id)
            if isinstance(answer, BadToken) and answer.code is not Code.TOKEN_INVALID:
                # It knows the token, and says what is wrong with it.
                return replace(answer, asked=frozenset(asked))
        reason = "The token is not known (or no longer active) at any key manager that this API accepts."
        return silent or BadToken(code=Code.TOKEN_INVALID, reason=reason, asked=frozenset(asked))

    def _ask(self, key_manager: KeyManagerFacts, token: str, unverified: UnverifiedJwt | None) -> Resolved:
        asked = frozenset({key_manager.id})
        try:
            adapter = self._adapter(key_manager)
            if unverified is not None and checks_locally(adapter):
                return self._check_locally(key_manager, adapter, unverified)
            if not adapter.knows_opaque_tokens:
                return BadToken(code=Code.TOKEN_INVALID, reason=f"{key_manager.slug} issues JWTs only.", asked=asked)
            return self._quiet.answer(key_manager) or self._introspect(key_manager, adapter, token)
        except KeyManagerUnavailable as exc:
            return self._quiet.begin(key_manager, exc)
        except NotSupported:
            return BadToken(
                code=Code.TOKEN_INVALID, reason=f"{key_manager.slug} cannot be asked about tokens.", asked=asked
            )
        except (ArchwayError, ConfigurationError) as exc:
            logger.warning("Key manager %s cannot say whether a token is good: %s", key_manager.slug, exc)
            return NoAnswer(reason=f"The key manager {key_manager.slug} gave no usable answer ({exc.code}).")

    def _with_user(self, answer: Resolved, token: str, key_manager: KeyManagerFacts) -> Resolved:
        """The same with the user behind it, where the key manager's users are the portal's."""
        if not isinstance(answer, GoodToken) or not _has_user(answer, key_manager):
            return answer
        try:
            user = self._users.user_of(self._adapter(key_manager), answer.facts, token)
        except KeyManagerUnavailable as exc:
            return self._quiet.begin(key_manager, exc)
        except ArchwayError as exc:
            logger.warning("Key manager %s does not tell about a user: %s", key_manager.slug, exc)
            return NoAnswer(reason=f"The key manager {key_manager.slug} does not tell about the user ({exc.code}).")
        return replace(answer, user=user)

    def _check_locally(
        self, key_manager: KeyManagerFacts, adapter: KeyManagerAdapter, unverified: UnverifiedJwt
    ) -> Resolved:
        refusal = refusal_before_keys(unverified, rules_of(adapter.config))
        if refusal is not None:
            return refusal
        keys = self._rings.at_hand(key_manager, unverified)
        if keys is None:
            quiet = self._quiet.answer(key_manager)
            if quiet is not None:
                return quiet
            keys = self._rings.fetch(key_manager, adapter, unverified)
        answer = self._verified(unverified, keys, key_manager, adapter)
        if not _says_too_little(answer, adapter):
            return answer
        return self._quiet.answer(key_manager) or self._introspect(key_manager, adapter, unverified.token)

    def _verified(
        self,
        unverified: UnverifiedJwt,
        keys: tuple[VerificationKey, ...],
        key_manager: KeyManagerFacts,
        adapter: KeyManagerAdapter,
    ) -> Resolved:
        answer = verify(unverified, keys, adapter, rules_of(adapter.config), now=self._clock.now())
        if isinstance(answer, BadToken):
            return answer
        return GoodToken(key_manager_id=key_manager.id, facts=answer, until=float(answer.exp or 0))

    def _introspect(self, key_manager: KeyManagerFacts, adapter: KeyManagerAdapter, token: str) -> Resolved:
        asked = frozenset({key_manager.id})
        answer = adapter.introspect(token)
        if isinstance(answer, Inactive):
            return BadToken(code=Code.TOKEN_INVALID, reason=f"{key_manager.slug}: {answer.reason}", asked=asked)
        rules, now = rules_of(adapter.config), self._clock.now()
        known = _by_rules(answer, adapter, rules, now=now)
        refusal = _refusal_by_stated_use(known, rules) or refusal_by_time(known, rules, now=now)
        if refusal is not None:
            return refusal
        until = float(known.exp) if known.exp is not None else now + SECONDS_WITHOUT_EXP
        return GoodToken(key_manager_id=key_manager.id, facts=known, until=until)

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
    return next((row for row in facts.enabled_key_managers() if issuer in row.issuers), None)


def _refusal_by_stated_use(known: TokenFacts, rules: TokenRules) -> BadToken | None:
    if known.token_use != "access":
        reason = f"This is not an access token. The key manager says that it is of the kind {known.token_use!r}."
        return BadToken(code=Code.NOT_AN_ACCESS_TOKEN, reason=reason)
    return refusal_by_use(known.claims, rules)


def _by_rules(answer: TokenFacts, adapter: KeyManagerAdapter, rules: TokenRules, *, now: float) -> TokenFacts:
    """What an introspection answer says, by the configured claims; ``expires_in`` stands for a missing ``exp``."""
    exp, seconds = answer.exp, answer.claims.get("expires_in")
    if exp is None and isinstance(seconds, int) and not isinstance(seconds, bool):
        exp = int(now) + seconds
    return replace(
        answer,
        exp=exp,
        client_id=client_id_of(answer.claims, adapter, rules) if rules.client_id_claims else answer.client_id,
        scopes=scopes_of(answer.claims, adapter, rules) if rules.scope_claims else answer.scopes,
    )


def _has_user(answer: Resolved, key_manager: KeyManagerFacts) -> bool:
    return key_manager.shares_users and isinstance(answer, GoodToken) and names_user(answer.facts)


def _says_too_little(answer: Resolved, adapter: KeyManagerAdapter) -> bool:
    """A good JWT that names no client (some servers issue such): with ``auto`` its key manager is asked about it."""
    if not isinstance(answer, GoodToken) or answer.facts.client_id:
        return False
    return rules_of(adapter.config).token_validation == "auto" and adapter.knows_opaque_tokens
