"""Waiting for a registration that a job carries out: only our own database is asked, and no transaction is open."""

import threading
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
# Each waiting request holds a thread of the web process; the others must go on serving tokens.
MOST_WAITING: Final = 8
_places = threading.BoundedSemaphore(MOST_WAITING)


def wait_until_applied(registration_id: uuid.UUID, wanted_version: int) -> Registration:
    """The registration once this version of its wish, or a newer one, is carried out.

    Raises ``MetadataRefused`` with the key manager's words when it said no, ``KeyManagerUnavailable`` when
    ``ARCHWAY_REGISTER_WAIT_SECONDS`` are over or too many requests wait already: the work goes on, and a repeat of the
    request finds it.
    """
    seconds = settings.ARCHWAY_REGISTER_WAIT_SECONDS
    has_place = _places.acquire(blocking=False)
    try:
        row = _poll(registration_id, wanted_version, seconds if has_place else 0)
    finally:
        if has_place:
            _places.release()
    if row.state == RegistrationState.REFUSED:
        raise MetadataRefused("", f"The key manager refused: {row.last_error or row.last_error_code}")
    if not _is_applied(row, wanted_version):
        raise KeyManagerUnavailable(
            "The key manager has not carried this out yet; repeat the request to go on waiting.",
            retry_after=_RETRY_SECONDS,
        )
    return row


def _poll(registration_id: uuid.UUID, wanted_version: int, seconds: float) -> Registration:
    end = time.monotonic() + seconds
    while True:
        row = Registration.objects.get(pk=registration_id)
        settled = row.state == RegistrationState.REFUSED or _is_applied(row, wanted_version)
        if settled or time.monotonic() >= end:
            return row
        time.sleep(_PAUSE_SECONDS)


def _is_applied(row: Registration, wanted_version: int) -> bool:
    return row.state == RegistrationState.ACTIVE and row.applied_version >= wanted_version
