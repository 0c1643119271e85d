"""The circuit of a key manager: after several calls in a row that it did not take, nothing is sent for a while.

Then one registration is let through as a probe; its outcome closes the circuit or opens it again.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from keymanager.models import KeyManager, Registration
from keymanager.registrations.states import RegistrationState

_NOTE_SUCCESS_EVERY = timedelta(seconds=10)


def held_until(key_manager: KeyManager, now: datetime) -> datetime | None:
    """Until when nothing may be sent, or ``None``. When the time is over, the first who asks gets to probe."""
    until = key_manager.circuit_open_until
    if until is None:
        return None
    if until > now:
        return until
    probe_until = now + timedelta(seconds=settings.ARCHWAY_REGISTRATION_LEASE_SECONDS)
    won = KeyManager.objects.filter(pk=key_manager.pk, circuit_open_until=until).update(circuit_open_until=probe_until)
    return None if won else probe_until


def note_success(key_manager: KeyManager, now: datetime) -> None:
    """It answered: close the circuit and let everything that was held go on. ``key_manager``: as it was just read."""
    stale = key_manager.last_success_at is None or now - key_manager.last_success_at > _NOTE_SUCCESS_EVERY
    if not key_manager.consecutive_failures and not stale:
        return
    changed = KeyManager.objects.filter(pk=key_manager.pk, consecutive_failures__gt=0).update(
        consecutive_failures=0, circuit_open_until=None, last_success_at=now
    )
    if changed:
        Registration.objects.filter(key_manager=key_manager, state=RegistrationState.HELD).update(
            next_try_at=now, dispatched_until=None
        )
    elif stale:
        KeyManager.objects.filter(pk=key_manager.pk).update(last_success_at=now)


def note_failure(key_manager: KeyManager, message: str, now: datetime) -> None:
    """It did not take a call: count it, and open the circuit when there are too many."""
    rows = KeyManager.objects.filter(pk=key_manager.pk)
    rows.update(consecutive_failures=F("consecutive_failures") + 1, last_failure_at=now, last_failure=message[:500])
    rows.filter(consecutive_failures__gte=settings.ARCHWAY_CIRCUIT_FAILURES).update(
        circuit_open_until=now + timedelta(seconds=settings.ARCHWAY_CIRCUIT_SECONDS)
    )
