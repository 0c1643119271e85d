"""Writing what shall exist at a key manager. Everything here runs in the transaction of the change behind the wish."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.correlation import current_correlation_id
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.dispatch import PATIENCE, process_after_commit
from keymanager.registrations.states import CHANGED_OUTSIDE, RegistrationKind, RegistrationState, Wish

S = RegistrationState


def new_registration(
    *,
    actor: Actor,
    key_manager: KeyManager,
    kind: RegistrationKind,
    subject: str,
    wanted: Mapping[str, Any],
    credential: Credential | None = None,
    api_version_id: uuid.UUID | None = None,
    kept: bool = True,
) -> Registration:
    """A wish for something that does not exist yet; ``kept`` False when the key manager cannot have it at all."""
    row = Registration(
        key_manager=key_manager,
        kind=kind,
        subject=subject,
        wanted=dict(wanted),
        credential=credential,
        api_version_id=api_version_id,
        actor_name=actor.name,
        correlation_id=current_correlation_id(),
    )
    if kept:
        _ask_for_job(row)
    else:
        row.state = S.NOT_KEPT
    row.save(force_insert=True)
    return row


def want_present(
    *,
    actor: Actor,
    registration_id: uuid.UUID,
    wanted: Mapping[str, Any] | None = None,
    rotation: bool = False,
    drop_old_secret: bool = False,
    kept: bool = True,
) -> Registration:
    """It shall exist, as ``wanted`` says (``None``: as before). The newest wish wins.

    ``rotation``: with a new secret. ``drop_old_secret``: with only one secret, where it has two.
    ``kept`` False: the key manager cannot have it; what never existed there needs no job.
    """
    row = Registration.objects.select_for_update().get(pk=registration_id)
    row.wish = Wish.PRESENT
    if wanted is not None:
        row.wanted = dict(wanted)
    row.wants_rotation = row.wants_rotation or rotation
    row.wants_old_secret_dropped = row.wants_old_secret_dropped or drop_old_secret
    if row.last_error_code == CHANGED_OUTSIDE and not rotation:
        # Else what was applied would be taken for what is there. Not before a rotation: an update takes a secret of
        # others over, and would be taken for the new one.
        row.applied = None
    removal_under_way = row.state == S.REMOVING and row.lease_until is not None
    # What is being sent, or may have been, is found out first; the job sees that the wish has moved on.
    if row.state not in (S.SENDING, S.UNKNOWN) and not removal_under_way:
        row.state = S.REQUESTED
    if not kept and never_sent(row):
        row.state = S.NOT_KEPT
        row.save()
        return row
    return _renewed(actor, row)


def never_sent(row: Registration) -> bool:
    """True when nothing of it can exist at the key manager."""
    return row.applied_version == 0 and not row.in_doubt and not row.remote_id


def want_absent(*, actor: Actor, registration_id: uuid.UUID) -> Registration:
    """It shall not exist any more."""
    row = Registration.objects.select_for_update().get(pk=registration_id)
    if row.state in (S.REMOVED, S.NOT_KEPT):
        row.wish = Wish.ABSENT
        row.state = S.REMOVED
        row.save(update_fields=["wish", "state"])
        return row
    if row.wish == Wish.ABSENT and row.state == S.REMOVING:
        return row
    row.wish = Wish.ABSENT
    row.wants_rotation = row.wants_old_secret_dropped = False
    row.state = S.REMOVING
    return _renewed(actor, row)


def try_now(*, actor: Actor, registration: Registration) -> Registration:
    """Try again at once, with fresh attempts. ``registration`` is locked by the caller."""
    if registration.wish == Wish.ABSENT:
        registration.state = S.REMOVING
    elif registration.state != S.UNKNOWN:
        registration.state = S.REQUESTED
    return _renewed(actor, registration, version=registration.wanted_version)


def wake_registrations(key_manager: KeyManager) -> None:
    """Make everything that waits for the key manager due now; the sweep asks for the jobs."""
    Registration.objects.filter(key_manager=key_manager, state__in=[S.HELD, S.WAITING, S.REMOVING]).update(
        next_try_at=timezone.now(), dispatched_until=None
    )


def _renewed(actor: Actor, row: Registration, *, version: int | None = None) -> Registration:
    row.wanted_version = row.wanted_version + 1 if version is None else version
    row.attempts = 0
    row.last_error_code = row.last_error = ""
    row.actor_name = actor.name
    row.correlation_id = current_correlation_id()
    _ask_for_job(row)
    row.save()
    return row


def _ask_for_job(row: Registration) -> None:
    row.next_try_at = timezone.now()
    row.dispatched_until = row.next_try_at + PATIENCE
    process_after_commit(row.pk)
