"""Carrying out a registration: read the newest wish, own it, call the key manager, record what came of it.

Every step is safe to lose: what is committed before a crash says how far things had come, and the next run, asked for
by the sweep, goes on from there. No transaction and no lock is open while the key manager is called.
"""

import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from accounts.correlation import correlation_id
from common.clock import SystemClock
from common.errors import ArchwayError, ConfigurationError
from common.exchanges import recorded_exchanges
from keymanager.adapters.contract import Capability, Clock, KeyManagerAdapter
from keymanager.models import KeyManager, Registration
from keymanager.registrations.circuit import held_until
from keymanager.registrations.claim import LEASE_EXPIRED, claim, expire_lease, lease_is_free
from keymanager.registrations.client_work import ClientWork
from keymanager.registrations.failures import Failure, judge
from keymanager.registrations.kept_work import KeptWork
from keymanager.registrations.persist import Called, persist_failure, persist_success, settle
from keymanager.registrations.plan import Operation, Settled
from keymanager.registrations.states import WORKABLE, RegistrationKind, RegistrationState, Wish, outcome_of
from keymanager.registrations.work import Answer, Work

S = RegistrationState
CHECKPOINTS = ("read", "claimed", "answered", "kept", "committing", "recorded")
_SWITCHED_OFF_FOR = timedelta(hours=1)


def no_checkpoint(name: str) -> None:
    """Production passes its checkpoints without stopping."""


class Engine:
    """``adapters`` gives a key manager's adapter; ``checkpoint`` is called between each two steps."""

    def __init__(
        self,
        *,
        adapters: Callable[[KeyManager], KeyManagerAdapter],
        clock: Clock | None = None,
        checkpoint: Callable[[str], None] = no_checkpoint,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._adapters = adapters
        self._clock = clock or SystemClock()
        self._checkpoint = checkpoint
        self._jitter = jitter

    def now(self) -> datetime:
        """The clock's time."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def process(self, registration_id: uuid.UUID) -> None:
        """One step of one registration, when it is due; anything else is none of this job's business."""
        now = self.now()
        row = self._due(registration_id, now)
        if row is None and expire_lease(registration_id, now):
            row = self._due(registration_id, now)
        if row is None:
            return
        mark = correlation_id.set(row.correlation_id) if row.correlation_id else None
        try:
            self._work_on(row, now)
        finally:
            if mark is not None:
                correlation_id.reset(mark)

    def _due(self, registration_id: uuid.UUID, now: datetime) -> Registration | None:
        rows = Registration.objects.select_related("key_manager", "credential__application")
        return rows.filter(due(now), pk=registration_id).first()

    def _work_on(self, row: Registration, now: datetime) -> None:
        self._checkpoint("read")
        if row.wish == Wish.PRESENT and not row.key_manager.enabled:
            _hold(row, now + _SWITCHED_OFF_FOR, "The key manager is switched off.")
            return
        try:
            work = _work_of(row, self._adapters(row.key_manager))
        except (ArchwayError, ConfigurationError) as exc:
            # Nothing was sent and nothing can be until a person has corrected the configuration.
            _refuse_unsent(row, exc, now)
            return
        step = work.plan()
        most = settings.ARCHWAY_REGISTRATION_MAX_ATTEMPTS
        if isinstance(step, Operation) and row.attempts >= most:
            # Jobs that die without a word have used up the tries.
            step = Settled(
                state=S.REFUSED,
                code=row.last_error_code or LEASE_EXPIRED,
                message=f"Given up after {row.attempts} tries: {row.last_error}",
            )
        if isinstance(step, Settled):
            settle(work, step, now)
            return
        until = held_until(row.key_manager, now)
        if until is not None:
            _hold(row, until, f"The key manager does not answer: {row.key_manager.last_failure}")
            return
        self._call(work, step, now)

    def _call(self, work: Work, operation: Operation, now: datetime) -> None:
        doubt_before = work.row.in_doubt
        attempt = claim(work.row, operation, now)
        if attempt is None:
            return
        self._checkpoint("claimed")
        started = time.monotonic()
        answer: Answer | None = None
        failure: Failure | None = None
        with recorded_exchanges() as exchanges:
            try:
                answer = work.run(operation)
            except (ArchwayError, ConfigurationError) as exc:
                failure = judge(
                    exc,
                    operation,
                    attempts=work.row.attempts,
                    most=settings.ARCHWAY_REGISTRATION_MAX_ATTEMPTS,
                    jitter=self._jitter(),
                    can_find=Capability.FIND_CLIENT in work.adapter.capabilities,
                )
        self._checkpoint("answered")
        called = Called(
            work=work,
            operation=operation,
            attempt=attempt,
            doubt_before=doubt_before,
            exchanges=exchanges,
            milliseconds=round((time.monotonic() - started) * 1000),
        )
        if failure is not None:
            persist_failure(called, failure, self.now(), self._checkpoint)
        elif answer is not None:
            persist_success(called, answer, self.now(), self._checkpoint)
        self._checkpoint("recorded")


def due(now: datetime) -> Q:
    """Registrations on which the engine acts now."""
    return (
        Q(state__in=[state.value for state in WORKABLE])
        & (Q(next_try_at=None) | Q(next_try_at__lte=now))
        & lease_is_free(now)
    )


def _work_of(row: Registration, adapter: KeyManagerAdapter) -> Work:
    return ClientWork(row, adapter) if row.kind == RegistrationKind.CLIENT else KeptWork(row, adapter)


def _as_read(row: Registration) -> Q:
    return Q(pk=row.pk, state=row.state, wish=row.wish, wanted_version=row.wanted_version, attempts=row.attempts)


def _hold(row: Registration, until: datetime, reason: str) -> None:
    """Nothing is sent until then; the attempts are not used up."""
    state = S.HELD if row.wish == Wish.PRESENT else S.REMOVING
    Registration.objects.filter(_as_read(row)).update(
        state=state, next_try_at=until, dispatched_until=None, last_error_code="held", last_error=reason[:1000]
    )


def _refuse_unsent(row: Registration, error: ArchwayError | ConfigurationError, now: datetime) -> None:
    outcome = outcome_of(S.REFUSED, error.code)
    Registration.objects.filter(_as_read(row)).update(
        state=S.REFUSED,
        next_try_at=None,
        last_error_code=error.code,
        last_error=str(error)[:1000],
        outcome=outcome,
        outcome_at=row.outcome_at if outcome == row.outcome else now,
    )
