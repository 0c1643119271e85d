"""Audit rows and change events; both are written in the transaction of the change that they describe."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import models

from accounts.actor import Actor
from accounts.correlation import current_correlation_id
from common.redact import redact_mapping
from subscriptions.models import AuditEvent, ChangeEvent, ChangeKind
from subscriptions.push import announce_change


def audit(
    actor: Actor,
    action: str,
    row: models.Model,
    *,
    team_id: uuid.UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write who did ``action`` to ``row``. ``detail`` is redacted before it is stored."""
    return AuditEvent.objects.create(
        actor_id=actor.user_id,
        actor_name=actor.name,
        team_id=team_id or actor.team_id,
        action=action,
        object_type=row._meta.model_name or "",
        object_id=str(row.pk),
        object_name=str(row)[:200],
        detail=redact_mapping(detail or {}),
        correlation_id=current_correlation_id(),
    )


def announce(kind: ChangeKind, object_id: uuid.UUID | str) -> ChangeEvent:
    """Tell every validator and gateway that this object changed; pushed after commit, polled in any case."""
    event = ChangeEvent.objects.create(kind=kind, object_id=str(object_id))
    announce_change()
    return event
