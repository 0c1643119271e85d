"""Recording what came of a call: answer, success and attempt in one transaction, or none of it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from common.errors import OutcomeUnknown
from common.exchanges import HttpExchange
from keymanager.models import Registration, RegistrationAttempt
from keymanager.registrations.backoff import backoff_seconds
from keymanager.registrations.changed_outside import OFF, is_off, say_changed
from keymanager.registrations.circuit import note_failure, note_success
from keymanager.registrations.dispatch import PATIENCE, process_after_commit
from keymanager.registrations.failures import Failure
from keymanager.registrations.plan import REMOVALS, Operation, Settled
from keymanager.registrations.states import RegistrationState, Wish, may_move, outcome_of
from keymanager.registrations.work import Answer, Work

S = RegistrationState
logger = logging.getLogger(__name__)
SUPERSEDED = "superseded"
METADATA_IGNORED = "metadata_ignored"
# Completing a client is an update each time, which replaces its secret at some key managers.
_COMPLETING_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call that was made. ``doubt_before``: whether it was unknown before if something exists there."""

    work: Work
    operation: Operation
    attempt: RegistrationAttempt
    doubt_before: bool
    exchanges: Sequence[HttpExchange] = field(default=(), repr=False)
    milliseconds: int = 0


@transaction.atomic
def persist_success(called: Called, answer: Answer, now: datetime, checkpoint: Callable[[str], None]) -> bool:
    """Keep everything that the answer said. False when somebody else has taken the registration over."""
    called.work.lock()
    row = _owned(called)
    if row is None:
        return _superseded(called, answer)
    row.in_doubt = False
    row.last_error_code = row.last_error = ""
    if answer.found:
        called.work.keep(row, called.operation, answer)
    checkpoint("kept")
    state, delay = _next_state(row, called, answer), 0.0
    if answer.refusal is not None and state == S.ACTIVE:
        state = S.REFUSED
        row.last_error_code, row.last_error = answer.refusal.code, answer.refusal.message[:1000]
    if answer.ignored:
        row.last_error_code = METADATA_IGNORED
        row.last_error = f"The key manager did not keep: {', '.join(answer.ignored)}."
    if answer.incomplete and state == S.ACTIVE:
        state = S.WAITING if row.attempts < _COMPLETING_TRIES else S.REFUSED
        delay = backoff_seconds(row.attempts, jitter=0.5)
    else:
        row.attempts = 0
    _move(row, state, now, called.work, delay=delay)
    _finish_answered(called, answer)
    note_success(row.key_manager, now)
    checkpoint("committing")
    return True


@transaction.atomic
def persist_failure(called: Called, failure: Failure, now: datetime, checkpoint: Callable[[str], None]) -> bool:
    """Keep why it failed and when it is tried next. False when somebody else has taken the registration over."""
    row = _owned(called)
    if row is None:
        return _superseded(called, None)
    row.in_doubt = called.doubt_before if failure.in_doubt is None else failure.in_doubt
    row.last_error_code = failure.code[:60]
    row.last_error = failure.message[:1000]
    state, delay = failure.state, failure.delay
    wish_moved = row.wanted_version != called.work.row.wanted_version
    if row.wish == Wish.ABSENT and state != S.REFUSED:
        state = S.REMOVING
    elif row.wish == Wish.ABSENT and called.operation not in REMOVALS:
        state, delay = S.REMOVING, 0.0
    elif wish_moved and state == S.REFUSED:
        # What was refused is no longer what is wanted.
        state, delay = S.REQUESTED, 0.0
    _move(row, state, now, called.work, delay=delay)
    _finish_attempt(called, outcome=failure.state.value, code=failure.code, message=failure.message)
    if failure.unreachable:
        note_failure(row.key_manager, failure.message, now)
    elif any(exchange.status for exchange in called.exchanges):
        note_success(row.key_manager, now)
    checkpoint("committing")
    return True


@transaction.atomic
def settle(work: Work, settled: Settled, now: datetime) -> bool:
    """Move a registration that needs no call; False when it has moved since it was read."""
    work.lock()
    read = work.row
    row = Registration.objects.select_for_update().get(pk=read.pk)
    if (row.state, row.wish, row.wanted_version) != (read.state, read.wish, read.wanted_version):
        return False
    if row.lease_until is not None and row.lease_until >= now:
        return False
    row.last_error_code, row.last_error = settled.code, settled.message
    if settled.state == S.ACTIVE:
        row.applied_version = row.wanted_version
        row.attempts = 0
    _move(row, settled.state, now, work)
    return True


def _owned(called: Called) -> Registration | None:
    """The registration, locked, when this job still owns it."""
    mine = called.work.row
    rows = Registration.objects.select_for_update(of=("self",)).select_related("key_manager")
    return rows.filter(pk=mine.pk, lease_holder=mine.lease_holder).first()


def _next_state(row: Registration, called: Called, answer: Answer) -> RegistrationState:
    if row.wish == Wish.ABSENT:
        return S.REMOVED if called.operation in REMOVALS else S.REMOVING
    if called.operation in REMOVALS:
        # It is wanted again since; it does not exist any more.
        called.work.forget(row)
        return S.REQUESTED
    moved = row.wanted_version != called.work.row.wanted_version
    if called.operation == Operation.FIND or moved or row.wants_rotation or row.wants_old_secret_dropped:
        return S.REQUESTED
    return S.ACTIVE


def _move(row: Registration, state: RegistrationState, now: datetime, work: Work, *, delay: float | None = 0.0) -> None:
    """Give the lease back and go to ``state``; where there is more to do, that is asked for after commit."""
    if not may_move(S(row.state), state):
        raise RuntimeError(f"a registration cannot move from {row.state} to {state}")
    row.state = state
    if state == S.ACTIVE and is_off(row):
        # It is as wished but for this, and would look ready while every token request fails.
        say_changed(row, [OFF])
    outcome = outcome_of(state, row.last_error_code)
    if outcome and outcome != row.outcome:
        row.outcome, row.outcome_at = outcome, now
    row.lease_until = None
    if row.last_error_code != OutcomeUnknown.code:
        # Else the last holder stays named: should its job be alive after all, the answer that it brings counts.
        row.lease_holder = ""
    row.next_try_at = None
    row.dispatched_until = None
    if state == S.REMOVED:
        work.removed(row)
    elif state not in (S.ACTIVE, S.REFUSED, S.NOT_KEPT):
        row.next_try_at = now + timedelta(seconds=delay or 0.0)
        if not delay:
            row.dispatched_until = now + PATIENCE
            process_after_commit(row.pk)
    row.save()


def _finish_answered(called: Called, answer: Answer) -> None:
    if answer.refusal is None:
        _finish_attempt(called, outcome="succeeded")
    else:
        _finish_attempt(called, outcome=S.REFUSED, code=answer.refusal.code, message=answer.refusal.message)


def _finish_attempt(called: Called, *, outcome: str, code: str = "", message: str = "") -> None:
    RegistrationAttempt.objects.filter(pk=called.attempt.pk).update(
        outcome=outcome,
        error_code=code[:60],
        error=message[:1000],
        milliseconds=called.milliseconds,
        exchanges=[asdict(exchange) for exchange in called.exchanges],
    )


def _superseded(called: Called, answer: Answer | None) -> bool:
    """Another job took over while this one was away too long: say what it may have left at the key manager."""
    left = answer.handle.client_id if answer is not None and answer.handle is not None else ""
    text = f"Another job had taken over; the answer was not kept. Client left at the key manager: {left or 'none'}."
    logger.error("Registration %s: %s", called.work.row.pk, text)
    _finish_attempt(called, outcome=SUPERSEDED, code=SUPERSEDED, message=text)
    return False
