"""The throw-away clients of connection checks: noted before they are made, removed by the next check if one is left."""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from django.db.models import Q
from django.utils import timezone

from keymanager.adapters.contract import Capability, CheckStep, ClientHandle, KeyManagerAdapter, StepState, TrialNote
from keymanager.adapters.rfc.check import timed
from keymanager.adapters.trial_client import remove_trial
from keymanager.models import KeyManager, KeyManagerCheck
from keymanager.sealing import seal, trial_context, unseal

# A check that has run for longer is taken for dead.
LONGEST_CHECK: Final = timedelta(minutes=15)


def note_trial(check_id: uuid.UUID, note: TrialNote) -> None:
    """Keep what is known of the throw-away client, or forget it when it is gone."""
    sealed = "" if note.gone else seal(_text_of(note), context=trial_context(check_id))
    KeyManagerCheck.objects.filter(pk=check_id).update(sealed_trial=sealed)


def remove_leftovers(key_manager: KeyManager, adapter: KeyManagerAdapter) -> Iterator[CheckStep]:
    """Remove what earlier checks of the key manager left there, a step for each; what fails is tried next time."""
    dead = Q(finished_at__isnull=False) | Q(started_at__lt=timezone.now() - LONGEST_CHECK)
    for row in key_manager.checks.exclude(sealed_trial="").filter(dead).order_by("started_at"):
        note = _note_of(unseal(row.sealed_trial, context=trial_context(row.pk)))
        step = timed("remove what an earlier check left", partial(remove_trial, adapter, note))
        if step.state is not StepState.FAILED:
            KeyManagerCheck.objects.filter(pk=row.pk).update(sealed_trial="")
        elif note.handle is None and Capability.FIND_CLIENT not in adapter.capabilities:
            # Nothing more can be found out from here: it is said once, and a person was told what to look for.
            KeyManagerCheck.objects.filter(pk=row.pk).update(sealed_trial="")
        yield step


def _text_of(note: TrialNote) -> str:
    handle = note.handle
    known = {} if handle is None else {name: getattr(handle, name) for name in _HANDLE}
    return json.dumps({"marker": note.marker, "handle": known})


def _note_of(text: str) -> TrialNote:
    stored = json.loads(text)
    handle = ClientHandle(**stored["handle"]) if stored["handle"] else None
    return TrialNote(marker=stored["marker"], handle=handle)


# What removing a client can need: never its secret.
_HANDLE: Final = ("client_id", "remote_id", "registration_access_token", "registration_client_uri")
