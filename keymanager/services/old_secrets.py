"""Two secrets of a client in overlap, and the end of the older one."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from common.errors import RuleError
from keymanager.adapters.contract import Capability
from keymanager.models import Credential
from keymanager.registrations.wishes import want_present
from keymanager.services.adapters import adapter_for
from keymanager.services.credential_rows import audit_credential, fresh, locked, require_own

_WARNED_BEFORE: Final = timedelta(days=30)


@transaction.atomic
def drop_old_secret(*, actor: Actor, credential: Credential) -> Credential:
    """Wish for the end of the secret before the present one; a job tells the key manager.

    Raises ``NotSupported`` where the key manager has no two secrets, ``RuleError`` when the client has only one.
    """
    actor.require_role(Role.APP_DEVELOPER)
    row = locked(credential)
    require_own(row)
    adapter_for(row.key_manager).require(Capability.OVERLAPPING_SECRETS)
    if not row.old_secret_sha256:
        raise RuleError("The client has only one secret.")
    Credential.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
    want_present(actor=actor, registration_id=row.registration.pk, drop_old_secret=True)
    audit_credential(actor, "credential.drop_old_secret", row)
    return fresh(row)


def has_two_secrets(credential: Credential) -> bool:
    """True while the secret before the present one is good too."""
    until = credential.old_secret_until
    return bool(credential.old_secret_sha256) and (until is None or until > timezone.now())


def secret_warnings(credential: Credential) -> list[str]:
    """What the team should do about the client's secrets, in sentences; empty when nothing."""
    warnings = []
    if credential.client_secret_expires_at:
        end = datetime.fromtimestamp(credential.client_secret_expires_at, UTC)
        if end <= timezone.now():
            warnings.append(f"The secret ended on {end:%Y-%m-%d}: rotate it.")
        elif end - timezone.now() <= _WARNED_BEFORE:
            warnings.append(f"The secret ends on {end:%Y-%m-%d}: rotate it before.")
    if has_two_secrets(credential):
        warnings.append("Two secrets are good: drop the old one when nothing uses it any more.")
    return warnings
