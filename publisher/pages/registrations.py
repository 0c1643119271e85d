"""Where an API's resource and scopes stand at its key managers, in the publisher's words."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.pages.polling import STOP_POLLING, delay_after, turn_of
from accounts.pages.views import own
from keymanager.models import KeyManager, Registration
from keymanager.pages.registration_look import look_of
from keymanager.registrations.states import SETTLED, RegistrationKind, RegistrationState
from keymanager.services import credentials
from keymanager.services.resources import registrations_of
from publisher.pages.shell import VersionAction, VersionPage
from subscriptions.models import ApiVersion

S = RegistrationState
# Of several registrations the first of these is what the reader must know.
_ORDER: Final = (
    S.REFUSED, S.UNKNOWN, S.WAITING, S.SENDING, S.REQUESTED, S.REMOVING, S.HELD, S.ACTIVE, S.NOT_KEPT, S.REMOVED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All registrations of one API version in one word. ``look``: as of ``registration_look``."""

    look: str
    words: str


def summary_of(rows: Sequence[Registration]) -> Summary:
    """How far the key managers are."""
    places = [_foremost(theirs).state for theirs in _by_key_manager(rows)]
    failed = places.count(S.REFUSED)
    done = places.count(S.ACTIVE) + places.count(S.NOT_KEPT)
    numbers = {"done": done, "all": len(places), "failed": failed}
    if not places:
        return Summary(look="off", words=_("No key manager"))
    if failed:
        return Summary(look="bad", words=_("Failed at %(failed)s of %(all)s") % numbers)
    if done < len(places):
        return Summary(look="wait", words=_("Registering %(done)s of %(all)s") % numbers)
    return Summary(look="ok", words=_("Registered at %(all)s") % numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyManagerRow:
    """One key manager: what the API is called there, how many of its scopes are there, what is not finished."""

    key_manager: KeyManager
    registered_as: str
    scopes: str
    look: str
    words: Any
    changed: datetime
    unfinished: tuple[Registration, ...]


def rows_of(version: ApiVersion) -> list[KeyManagerRow]:
    """One row for each key manager."""
    rows = registrations_of(version).exclude(state=S.REMOVED)
    return [_row(theirs) for theirs in _by_key_manager(rows)]


def _row(rows: list[Registration]) -> KeyManagerRow:
    look = look_of(_foremost(rows))
    scopes = [row for row in rows if row.kind == RegistrationKind.SCOPE]
    there = sum(1 for row in scopes if row.state in {S.ACTIVE, S.NOT_KEPT})
    resource = next((row for row in rows if row.kind == RegistrationKind.RESOURCE), None)
    kept = resource is not None and resource.state != S.NOT_KEPT
    return KeyManagerRow(
        key_manager=rows[0].key_manager,
        registered_as=(resource.remote_id or resource.wanted.get("identifier", "")) if resource and kept else "",
        scopes=_("%(done)s of %(all)s") % {"done": there, "all": len(scopes)} if there < len(scopes) else str(there),
        look=look.look,
        words=look.words,
        changed=max(row.updated_at for row in rows),
        unfinished=tuple(row for row in rows if row.state not in SETTLED or row.state == S.REFUSED),
    )


def _by_key_manager(rows: Iterable[Registration]) -> list[list[Registration]]:
    ordered = sorted(rows, key=lambda row: (row.key_manager.name, row.kind, row.subject))
    return [list(theirs) for _slug, theirs in groupby(ordered, lambda row: row.key_manager.name)]


def _foremost(rows: Iterable[Registration]) -> Registration:
    return min(rows, key=lambda row: _ORDER.index(S(row.state)))


def table_of(version: ApiVersion, *, turn: int = 0) -> dict[str, Any]:
    """The registration table for its template. ``delay``: seconds until it asks again, 0 when nothing will change."""
    rows = rows_of(version)
    moving = any(row.state not in SETTLED for each in rows for row in each.unfinished)
    return {"registrations": rows, "delay": delay_after(turn) if moving else 0, "round": turn + 1}


class RegistrationsTable(VersionPage):
    """The table alone, for a page that watches it."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Status 286 ends the asking (htmx)."""
        version = self.version(pk)
        table = table_of(version, turn=turn_of(request))
        status = 200 if table["delay"] else STOP_POLLING
        return self.show_version("publisher/registrations_table.html", version, table, status=status)


class RegistrationPage(VersionPage):
    """One registration with its attempts: what was sent and answered, secrets removed."""

    section = "key-managers"

    def get(self, request: HttpRequest, pk: uuid.UUID, registration: uuid.UUID) -> HttpResponse:
        """The page."""
        version = self.version(pk)
        row = own(registrations_of(version), pk=registration)
        heading = _("Registration at %(name)s") % {"name": row.key_manager.name}
        context = {
            "heading": heading,
            "registration": row,
            "look": look_of(row),
            "attempts": row.attempt_rows.all()[:20],
        }
        return self.show_version("publisher/registration.html", version, context)


class RetryRegistration(VersionAction):
    """Try one registration again."""

    roles = (Role.API_DEVELOPER,)

    def act(self, version: ApiVersion) -> str:
        """Now, with fresh attempts."""
        row = own(registrations_of(version), pk=self.kwargs["registration"])
        credentials.retry(actor=self.actor, registration=row)
        return _("%(subject)s is tried again at %(name)s now.") % {
            "subject": row.subject if row.kind == RegistrationKind.SCOPE else str(version),
            "name": row.key_manager.name,
        }
