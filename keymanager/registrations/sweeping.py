"""Finding what is due although nobody asked for it: lost broker messages, retries, jobs that died."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from keymanager.models import Registration
from keymanager.registrations.claim import expire_lease
from keymanager.registrations.dispatch import PATIENCE, PROCESS, send_job
from keymanager.registrations.engine import due
from keymanager.registrations.states import RegistrationState

BATCH = 200
# The longest time between two asks for the same job, however long the queue is.
_LONGEST_PATIENCE: Final = timedelta(minutes=2)


def sweep(now: datetime, *, send: Callable[[str, str], bool] = send_job) -> int:
    """Ask for the jobs of at most 200 due registrations; returns how many. What was asked for lately is left alone.

    The longer a registration has been due, the longer it is left alone: its job is more likely late than lost, and a
    queue that is behind must not be filled with the same jobs again and again.
    """
    gone = Registration.objects.filter(state=RegistrationState.SENDING, lease_until__lt=now)
    for pk in list(gone.values_list("pk", flat=True)[:BATCH]):
        expire_lease(pk, now)
    waiting = Registration.objects.filter(due(now)).filter(Q(dispatched_until=None) | Q(dispatched_until__lt=now))
    rows = waiting.order_by("next_try_at").only("pk", "state", "next_try_at", "dispatched_until")[:BATCH]
    with transaction.atomic():
        mine = [row.pk for row in rows if _leave_alone(row, now)]
    for number, pk in enumerate(mine):
        if not send(PROCESS, str(pk)):
            # Nobody was asked: the next sweep need not wait, and the queue takes no more of them now.
            Registration.objects.filter(pk__in=mine[number:]).update(dispatched_until=None)
            return number
    return len(mine)


def _leave_alone(row: Registration, now: datetime) -> bool:
    """False when the row has moved since it was read: another sweep asked, or its job runs and sets its own time."""
    overdue = now - (row.next_try_at or now)
    as_read = Registration.objects.filter(
        pk=row.pk, state=row.state, next_try_at=row.next_try_at, dispatched_until=row.dispatched_until
    )
    return as_read.update(dispatched_until=now + min(max(overdue, PATIENCE), _LONGEST_PATIENCE)) == 1
