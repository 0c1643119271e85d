"""The verdict behind a refusal's reference: written in the background, read by those whom it concerns."""

import datetime
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q

from keymanager.models import RefusedCall
from keymanager.validation.step import Call, Outcome, VerdictEntry
from subscriptions.models import ApiVersion, Application


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStep:
    """One step of a stored verdict."""

    name: str
    outcome: Outcome
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """A refused call as its application's team sees it. ``failed_step``: name of the first step that failed."""

    reference: str
    at: datetime.datetime
    method: str
    path: str
    status: int
    code: str
    steps: tuple[StoredStep, ...]
    failed_step: str
    application_id: uuid.UUID | None
    api_version_id: uuid.UUID | None
    key_manager: str


def find_verdict(
    reference: str, team_ids: Collection[uuid.UUID], *, administrator: bool = False
) -> StoredVerdict | None:
    """The verdict behind ``reference``, or ``None`` when there is none or it is not for these teams (alike).

    Readable by the application's team; a call of which no application is known, by the API's team; by administrators.
    """
    row = RefusedCall.objects.filter(reference=reference).first()
    if row is None or not (administrator or _concerns(row, team_ids)):
        return None
    return _stored(row)


def _concerns(row: RefusedCall, team_ids: Collection[uuid.UUID]) -> bool:
    if row.application_id is not None:
        return Application.objects.filter(Q(pk=row.application_id), team_id__in=team_ids).exists()
    if row.api_version_id is not None:
        return ApiVersion.objects.filter(pk=row.api_version_id, api__team_id__in=team_ids).exists()
    return False


def _stored(row: RefusedCall) -> StoredVerdict:
    steps = tuple(
        StoredStep(
            name=step["name"],
            outcome=Outcome(step["outcome"]),
            code=step.get("code", ""),
            message=step.get("message", ""),
        )
        for step in row.steps
    )
    return StoredVerdict(
        reference=row.reference,
        at=row.at,
        method=row.method,
        path=row.path,
        status=row.status,
        code=row.code,
        steps=steps,
        failed_step=next((step.name for step in steps if step.outcome is Outcome.FAILED), ""),
        application_id=row.application_id,
        api_version_id=row.api_version_id,
        key_manager=row.key_manager_slug,
    )


def refused_call(
    *, reference: str, call: Call, entry: VerdictEntry, entries: Sequence[VerdictEntry], now: float
) -> RefusedCall:
    """The row of one refusal, not saved. Neither token nor query is in it."""
    return RefusedCall(
        reference=reference,
        at=datetime.datetime.fromtimestamp(now, tz=datetime.UTC),
        method=_storable(call.method, 10),
        path=_storable(call.path.partition("?")[0], 500),
        status=entry.status or 403,
        code=entry.code[:60],
        steps=[
            {"name": step.name, "outcome": step.outcome.value, "code": step.code, "message": step.message}
            for step in entries
        ],
        application_id=uuid.UUID(call.application.uuid) if call.application is not None else None,
        api_version_id=uuid.UUID(call.route.api_version_id) if call.route is not None else None,
        key_manager_slug=call.key_manager.slug if call.key_manager is not None else "",
    )


def _storable(text: str, longest: int) -> str:
    """What any database takes as text: a caller may send control characters and lone surrogates."""
    return text[:longest].encode("utf-8", "replace").decode().replace("\x00", "?")[:longest]
