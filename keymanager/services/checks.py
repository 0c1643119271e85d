"""The connection check of a key manager: asked for here, run by a job, read while it runs."""

import uuid
from collections.abc import Generator, Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from common.errors import ArchwayError, ConfigurationError
from keymanager.adapters.contract import CheckStep, StepState
from keymanager.models import KeyManager, KeyManagerCheck
from keymanager.registrations.dispatch import RUN_CHECK, send_job
from keymanager.services.adapters import adapter_for
from keymanager.services.trial_clients import note_trial, remove_leftovers
from subscriptions.recording import audit


@transaction.atomic
def start_check(*, actor: Actor, key_manager: KeyManager) -> KeyManagerCheck:
    """Ask for a check; the row's ``steps`` grow while a job runs it, ``finished_at`` ends it."""
    actor.require_role(Role.ADMINISTRATOR)
    row = KeyManagerCheck.objects.create(key_manager=key_manager)
    audit(actor, "key_manager.check", key_manager)
    transaction.on_commit(lambda: _ask_for_job(row.pk), robust=True)
    return row


def _ask_for_job(check_id: uuid.UUID) -> None:
    if not send_job(RUN_CHECK, str(check_id)):
        step = CheckStep(
            name="queue", state=StepState.FAILED, reason="The portal's own queue takes no jobs; try again."
        )
        KeyManagerCheck.objects.filter(pk=check_id).update(steps=[_stored(step)], finished_at=timezone.now())


def run_check(check_id: uuid.UUID) -> None:
    """Run a check that was asked for; every step is stored when it is done. A finished check is not run again."""
    row = KeyManagerCheck.objects.select_related("key_manager").filter(pk=check_id, finished_at=None).first()
    if row is not None:
        for _ in carry_out(row):
            pass


def check_now(*, actor: Actor, key_manager: KeyManager) -> Generator[CheckStep, None, None]:
    """Check without a job, for whoever waits; the check is on record as any other. Yields each step when it is done."""
    with transaction.atomic():
        actor.require_role(Role.ADMINISTRATOR)
        row = KeyManagerCheck.objects.create(key_manager=key_manager)
        audit(actor, "key_manager.check", key_manager)
    yield from carry_out(row)


def carry_out(row: KeyManagerCheck) -> Iterator[CheckStep]:
    """The steps of a check, each stored before it is yielded."""
    steps: list[dict[str, Any]] = []
    for step in _steps(row.key_manager):
        steps.append(_stored(step))
        KeyManagerCheck.objects.filter(pk=row.pk).update(steps=steps)
        if step.trial is not None:
            note_trial(row.pk, step.trial)
        yield step
    KeyManagerCheck.objects.filter(pk=row.pk).update(finished_at=timezone.now())


def _steps(key_manager: KeyManager) -> Iterator[CheckStep]:
    try:
        adapter = adapter_for(key_manager)
        yield from remove_leftovers(key_manager, adapter)
        yield from adapter.check()
    except (ArchwayError, ConfigurationError) as exc:
        yield CheckStep(name="configuration", state=StepState.FAILED, reason=str(exc))


def _stored(step: CheckStep) -> dict[str, Any]:
    return {
        "name": step.name,
        "state": step.state.value,
        "reason": step.reason,
        "milliseconds": step.milliseconds,
    }
