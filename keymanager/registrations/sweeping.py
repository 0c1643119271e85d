"""Finding what is due although nobody asked for it: lost broker messages, retries, jobs that died."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q

from keymanager.models import Registration
from keymanager.registrations.claim import expire_lease
from keymanager.registrations.dispatch import PATIENCE, PROCESS, send_job
from keymanager.registrations.engine import due
from keymanager.registrations.states import RegistrationState

BATCH = 200


def sweep(now: datetime, *, send: Callable[[str, str], bool] = send_job) -> int:
    """Ask for the jobs of at most 200 due registrations; returns how many. What was asked for lately is left alone."""
    gone = Registration.objects.filter(state=RegistrationState.SENDING, lease_until__lt=now)
    for pk in list(gone.values_list("pk", flat=True)[:BATCH]):
        expire_lease(pk, now)
    waiting = Registration.objects.filter(due(now)).filter(Q(dispatched_until=None) | Q(dispatched_until__lt=now))
    ids = list(waiting.order_by("next_try_at").values_list("pk", flat=True)[:BATCH])
    Registration.objects.filter(pk__in=ids).update(dispatched_until=now + PATIENCE)
    for pk in ids:
        send(PROCESS, str(pk))
    return len(ids)
