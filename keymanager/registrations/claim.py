"""Owning a registration while its key manager is called: a lease with an end, taken by a conditional update."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q

from keymanager.models import Registration, RegistrationAttempt
from keymanager.registrations.plan import Operation
from keymanager.registrations.states import RegistrationState, Wish

S = RegistrationState
LOST = "lost"
CRASHED = "crashed"
LEASE_EXPIRED = "lease_expired"


def lease_is_free(now: datetime) -> Q:
    """Nobody works on it, or whoever did has been gone for too long."""
    return Q(lease_until=None) | Q(lease_until__lt=now)


@transaction.atomic
def claim(row: Registration, operation: Operation, now: datetime) -> RegistrationAttempt | None:
    """Take the registration as it was read; ``None`` when it has moved since, or somebody else works on it.

    The attempt is on record before the call is made, so that a crash leaves a trace.
    """
    holder = secrets.token_hex(16)
    state = S.SENDING if row.wish == Wish.PRESENT else S.REMOVING
    as_read = Registration.objects.filter(
        pk=row.pk, state=row.state, wish=row.wish, wanted_version=row.wanted_version, attempts=row.attempts
    )
    won = as_read.filter(lease_is_free(now)).update(
        state=state,
        lease_holder=holder,
        lease_until=now + timedelta(seconds=settings.ARCHWAY_REGISTRATION_LEASE_SECONDS),
        attempts=F("attempts") + 1,
        in_doubt=True,
        dispatched_until=None,
        next_try_at=None,
    )
    if not won:
        return None
    row.lease_holder = holder
    row.attempts += 1
    _close_lost_attempts(row.pk)
    last = row.attempt_rows.aggregate(last=Max("number"))["last"] or 0
    return RegistrationAttempt.objects.create(
        registration=row,
        number=last + 1,
        operation=operation.value,
        actor_name=row.actor_name,
        correlation_id=row.correlation_id,
    )


@transaction.atomic
def expire_lease(registration_pk: uuid.UUID, now: datetime) -> bool:
    """Say that what was being sent is unknown when its job is gone; True when that was so.

    The holder stays named: should its job still be alive and nobody have taken over, its answer counts.
    """
    moved = Registration.objects.filter(pk=registration_pk, state=S.SENDING, lease_until__lt=now).update(
        state=S.UNKNOWN,
        lease_until=None,
        next_try_at=now,
        last_error_code=LEASE_EXPIRED,
        last_error="The job that was sending this is gone; it is not known how far it came.",
    )
    if moved:
        _close_lost_attempts(registration_pk)
    return bool(moved)


def _close_lost_attempts(registration_pk: uuid.UUID) -> None:
    RegistrationAttempt.objects.filter(registration_id=registration_pk, outcome="").update(
        outcome=LOST, error_code=LEASE_EXPIRED, error="The job ended before it could record an answer."
    )


def note_crash(registration_pk: uuid.UUID, error: Exception) -> None:
    """Put on record that the code failed; the lease ends by itself, and then the registration is unknown."""
    RegistrationAttempt.objects.filter(registration_id=registration_pk, outcome="").update(
        outcome=CRASHED, error_code="internal_error", error=f"An error in the portal: {type(error).__name__}."
    )
