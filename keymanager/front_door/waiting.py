"""Waiting for a registration that a job carries out: only our own database is asked, and no transaction is open."""

import time
import uuid
from typing import Final

from django.conf import settings

from common.errors import KeyManagerUnavailable
from keymanager.front_door.refusals import MetadataRefused
from keymanager.models import Registration
from keymanager.registrations.states import RegistrationState

_PAUSE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 5


def wait_until_applied(registration_id: uuid.UUID, wanted_version: int) -> Registration:
    """The registration once this version of its wish, or a newer one, is carried out.

    Raises ``MetadataRefused`` with the key manager's words when it said no, ``KeyManagerUnavailable`` when
    ``ARCHWAY_REGISTER_WAIT_SECONDS`` are over: the work goes on, and a repeat of the request finds it.
    """
    end = time.monotonic() + settings.ARCHWAY_REGISTER_WAIT_SECONDS
    while True:
        row = Registration.objects.get(pk=registration_id)
        if row.state == RegistrationState.ACTIVE and row.applied_version >= wanted_version:
            return row
        if row.state == RegistrationState.REFUSED:
            raise MetadataRefused("", f"The key manager refused: {row.last_error or row.last_error_code}")
        if time.monotonic() >= end:
            raise KeyManagerUnavailable(
                "The key manager has not carried this out yet; repeat the request to go on waiting.",
                retry_after=_RETRY_SECONDS,
            )
        time.sleep(_PAUSE_SECONDS)
