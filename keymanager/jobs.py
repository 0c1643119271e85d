"""The jobs of the worker. Each is safe to run twice and to lose."""

import uuid

from celery import shared_task
from django.utils import timezone

from keymanager.registrations import forgetting, sweeping
from keymanager.registrations.claim import note_crash
from keymanager.registrations.dispatch import FOLLOW_CHANGES, send_job
from keymanager.registrations.engine import Engine
from keymanager.resident.client_services import forget_expired_tokens
from keymanager.resident.keys import forget_retired_keys
from keymanager.services import checks, outside_changes
from keymanager.services.adapters import adapter_for
from keymanager.services.key_manager_deletion import finish_deletions


@shared_task(name="keymanager.jobs.process_registration", ignore_result=True)
def process_registration(registration_id: str) -> None:
    """One step of one registration, with the newest wish."""
    try:
        Engine(adapters=adapter_for).process(uuid.UUID(registration_id))
    except Exception as exc:
        note_crash(uuid.UUID(registration_id), exc)
        raise


@shared_task(name="keymanager.jobs.sweep_registrations", ignore_result=True)
def sweep_registrations() -> int:
    """Ask for the jobs of everything that is due, and delete the key managers that only waited for their clients."""
    finish_deletions()
    return sweeping.sweep(timezone.now())


@shared_task(name="keymanager.jobs.look_for_changes", ignore_result=True)
def look_for_changes() -> None:
    """Ask for a job for each key manager that can say what others changed there."""
    for key_manager_id in outside_changes.key_managers_that_tell():
        send_job(FOLLOW_CHANGES, str(key_manager_id))


@shared_task(name=FOLLOW_CHANGES, ignore_result=True)
def follow_changes(key_manager_id: str) -> int:
    """Mark the registrations whose client somebody changed or removed there."""
    return outside_changes.follow(uuid.UUID(key_manager_id))


@shared_task(name="keymanager.jobs.run_check", ignore_result=True)
def run_check(check_id: str) -> None:
    """Run a connection check; its steps can be read while it runs."""
    checks.run_check(uuid.UUID(check_id))


@shared_task(name="keymanager.jobs.forget_what_is_old", ignore_result=True)
def forget_what_is_old() -> dict[str, int]:
    """Delete old attempts, verdicts, answers, change events, retired keys, and the resident's expired tokens."""
    now = timezone.now()
    forget_expired_tokens()
    forget_retired_keys(now)
    return forgetting.forget_what_is_old(now)
