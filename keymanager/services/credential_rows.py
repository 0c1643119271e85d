"""What the services on credentials share: reading a row under its lock, and saying who changed it."""

from typing import Any

from accounts.actor import Actor
from common.errors import RuleError
from keymanager.models import Credential
from keymanager.registrations.states import Wish
from subscriptions.recording import audit


def locked(credential: Credential) -> Credential:
    """The row as it is now, locked until the caller's transaction ends."""
    return (
        Credential.objects.select_for_update(of=("self",))
        .select_related("application", "key_manager", "registration")
        .get(pk=credential.pk)
    )


def fresh(row: Credential) -> Credential:
    """The row as it is now."""
    return Credential.objects.select_related("application", "key_manager", "registration").get(pk=row.pk)


def require_wanted(row: Credential) -> None:
    """Raise ``RuleError`` when the client is going away."""
    if row.removed_at is not None or row.registration.wish == Wish.ABSENT:
        raise RuleError("The client is being removed.")


def require_own(row: Credential) -> None:
    """Raise ``RuleError`` when the client is going away, or is not the portal's to change."""
    require_wanted(row)
    if row.mapped:
        raise RuleError("The client was made elsewhere; the portal does not change it.")


def audit_credential(actor: Actor, action: str, row: Credential, **detail: Any) -> None:
    """Write who did ``action`` to the credential; ``detail`` holds no secret."""
    facts = {"key_manager": row.key_manager.slug, "environment": row.environment, **detail}
    audit(actor, action, row, team_id=row.application.team_id, detail=facts)
