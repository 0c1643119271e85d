"""What others changed at a key manager: clients that were changed or removed there behind the portal's back.

Only key managers whose adapter has ``Capability.CHANGES`` tell. What is found is shown and never undone by itself: the
administrator of the identity provider may have had a reason. A person's retry makes it again what the portal says.
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM
from common.errors import ArchwayError, ConfigurationError
from keymanager.adapters.contract import Capability, KeyManagerAdapter, RegisteredClient
from keymanager.adapters.rfc.answers import CLIENT_GONE
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.client_facts import handle_of
from keymanager.registrations.mapped_clients import CLIENT_NOT_FOUND
from keymanager.registrations.states import CHANGED_OUTSIDE, RegistrationState, Wish, outcome_of
from keymanager.sealing import secret_digest
from keymanager.services.adapters import adapter_for
from subscriptions.recording import audit

logger = logging.getLogger(__name__)
S = RegistrationState
_GONE: Final = "Somebody removed this client at the key manager. A retry registers a new one."
_MAPPED_GONE: Final = "Somebody removed this client at the key manager."


def key_managers_that_tell() -> list[uuid.UUID]:
    """Ids of the enabled key managers that can say what others changed. No call is made."""
    found = []
    for row in KeyManager.objects.filter(enabled=True):
        try:
            if Capability.CHANGES in adapter_for(row).capabilities:
                found.append(row.pk)
        except (ArchwayError, ConfigurationError):
            # Its settings do not fit its adapter; whatever else is done with it says so.
            continue
    return found


def follow(key_manager_id: uuid.UUID) -> int:
    """Look at every client of ours that others changed since the last time; returns how many were looked at.

    The place in the feed moves on only when all were looked at, so a crash repeats and never skips. A key manager that
    does not answer is asked again the next time.
    """
    row = KeyManager.objects.filter(pk=key_manager_id, enabled=True).first()
    if row is None or (row.circuit_open_until or timezone.now()) > timezone.now():
        return 0
    try:
        adapter = adapter_for(row)
        names, cursor = adapter.changes_since(row.changes_cursor)
        wanted = Credential.objects.filter(key_manager=row, client_id__in=names, removed_at=None)
        changed = list(wanted.select_related("application", "registration"))
        for credential in changed:
            _look(adapter, credential)
    except (ArchwayError, ConfigurationError) as exc:
        logger.info("Key manager %s does not say what others changed: %s", row.slug, exc)
        return 0
    KeyManager.objects.filter(pk=row.pk, changes_cursor=row.changes_cursor).update(changes_cursor=cursor)
    return len(changed)


def outside_warnings(credential: Credential) -> list[str]:
    """What the team should know of changes by others, in sentences; empty when there are none."""
    row = credential.registration
    return [row.last_error] if row.state == S.ACTIVE and row.last_error_code == CHANGED_OUTSIDE else []


def _look(adapter: KeyManagerAdapter, credential: Credential) -> None:
    registration = credential.registration
    if registration.wish == Wish.PRESENT and registration.state == S.ACTIVE:
        _keep(registration, credential, adapter.read_client(handle_of(credential)))


@transaction.atomic
def _keep(seen: Registration, credential: Credential, found: RegisteredClient | None) -> None:
    """Say what was found, unless somebody wishes for something else by now."""
    row = Registration.objects.select_for_update().get(pk=seen.pk)
    if (row.state, row.wanted_version, row.applied_version) != (S.ACTIVE, seen.wanted_version, seen.applied_version):
        return
    if found is None:
        row.state = S.REFUSED
        row.last_error_code = CLIENT_NOT_FOUND if credential.mapped else CLIENT_GONE
        row.last_error = _MAPPED_GONE if credential.mapped else _GONE
        row.outcome, row.outcome_at = outcome_of(S.REFUSED, row.last_error_code), timezone.now()
        detail: dict[str, Any] = {"client_id": credential.client_id}
        _record(row, credential, "credential.gone_outside", detail)
        return
    if credential.mapped:
        return
    changed = _changed(row.observed or {}, credential, found)
    if changed:
        words = f"Somebody changed this client at the key manager: {', '.join(changed)}. A retry makes it as it was."
        if row.last_error != words:
            row.last_error_code, row.last_error = CHANGED_OUTSIDE, words
            _record(row, credential, "credential.changed_outside", {"changed": changed})
    elif row.last_error_code == CHANGED_OUTSIDE or (row.observed or {}).get("enabled") is False:
        row.last_error_code = row.last_error = ""
        row.observed = dict(found.observed)
        row.save(update_fields=["last_error_code", "last_error", "observed", "updated_at"])


def _record(row: Registration, credential: Credential, action: str, detail: dict[str, Any]) -> None:
    row.save(update_fields=["state", "last_error_code", "last_error", "outcome", "outcome_at", "updated_at"])
    audit(SYSTEM, action, credential, team_id=credential.application.team_id, detail=detail)


def _changed(before: Mapping[str, Any], credential: Credential, found: RegisteredClient) -> list[str]:
    """Names of what is not as the last answer to us said; ``client_secret`` for one that is not ours."""
    seen = {**found.observed}
    if seen.get("enabled") is True:
        # Switched on again is as it should be, however it was before.
        del seen["enabled"]
    names = [name for name, value in seen.items() if name in before and _plain(before[name]) != _plain(value)]
    secret = found.handle.client_secret
    if secret and secret_digest(credential.pk, secret) != credential.secret_sha256:
        names.append("client_secret")
    return sorted(names)


def _plain(value: Any) -> Any:
    """The order of a list, and of the words of a scope, means nothing."""
    if isinstance(value, str):
        return sorted(value.split())
    return sorted(value, key=str) if isinstance(value, list | tuple) else value
