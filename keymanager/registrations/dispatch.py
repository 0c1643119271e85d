"""Asking for jobs. A broker that is down delays the work and never loses it: the sweep finds what is due."""

import logging
import uuid
from datetime import timedelta
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError

from keymanager.models import Registration

PROCESS: Final = "keymanager.jobs.process_registration"
RUN_CHECK: Final = "keymanager.jobs.run_check"
FOLLOW_CHANGES: Final = "keymanager.jobs.follow_changes"
# How long the sweep leaves a registration alone for which a job was asked.
PATIENCE: Final = timedelta(seconds=15)

logger = logging.getLogger(__name__)


def send_job(name: str, argument: str) -> bool:
    """Ask for a job; False when the broker does not take it."""
    try:
        current_app.send_task(name, args=[argument], retry=False, ignore_result=True)
    except (OperationalError, ChannelError, OSError) as exc:
        logger.warning("The queue does not take %s for %s, the sweep will: %s", name, argument, type(exc).__name__)
        return False
    return True


def process_after_commit(registration_id: uuid.UUID) -> None:
    """Ask for the job of one registration as soon as the present transaction is committed."""
    transaction.on_commit(lambda: _process(registration_id), robust=True)


def _process(registration_id: uuid.UUID) -> None:
    if not send_job(PROCESS, str(registration_id)):
        # Nobody was asked, so the sweep need not wait.
        Registration.objects.filter(pk=registration_id).update(dispatched_until=None)
