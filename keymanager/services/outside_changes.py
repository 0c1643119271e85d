"""What others changed at a key manager: clients that were changed or removed there behind the portal's back.

Only key managers whose adapter has ``Capability.CHANGES`` tell. What is found is shown and never undone by itself: the
administrator of the identity provider may have had a reason. A person's retry makes it again what the portal says.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM
from common.errors import ArchwayError, ConfigurationError, KeyManagerUnavailable
from keymanager.adapters.contract import Capability, KeyManagerAdapter, RegisteredClient
from keymanager.adapters.rfc.answers import CLIENT_GONE
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.changed_outside import OFF, is_off, say_changed
from keymanager.registrations.client_facts import handle_of
from keymanager.registrations.mapped_clients import CLIENT_NOT_FOUND
from keymanager.registrations.states import CHANGED_OUTSIDE, RegistrationState, Wish, outcome_of
from keymanager.sealing import secret_digest
from keymanager.services.adapters import adapter_for
from subscriptions.recording import audit

logger = logging.getLogger(__name__)
S = RegistrationState
_GONE: Final = "Somebody removed this client at the key manager. A retry registers a new one."
# So many clients in one look that get no answer are taken for a key manager that gives none.
_MOST_UNANSWERED: Final = 3
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


def follow(key_manager_id: uuid.UUID, adapters: Callable[[KeyManager], KeyManagerAdapter] = adapter_for) -> int:
    """Look at every client of ours that others changed since the last time; returns how many were looked at.

    The place in the feed moves on only when all were looked at, so a crash repeats and never skips. A key manager that
    does not answer is asked again the next time; a client that it will not show is left out, with a line in the log.
    """
    row = KeyManager.objects.filter(pk=key_manager_id, enabled=True).first()
    if row is None or (row.circuit_open_until or timezone.now()) > timezone.now():
        return 0
    try:
        adapter = adapters(row)
        names, cursor = adapter.changes_since(row.changes_cursor)
        wanted = Credential.objects.filter(key_manager=row, client_id__in=names, removed_at=None)
        changed = list(wanted.values_list("pk", flat=True))
        _look_at_each(adapter, changed)
    except (ArchwayError, ConfigurationError) as exc:
        logger.info("Key manager %s does not say what others changed: %s", row.slug, exc)
        return 0
    KeyManager.objects.filter(pk=row.pk, changes_cursor=row.changes_cursor).update(changes_cursor=cursor)
    return len(changed)


def outside_warnings(credential: Credential) -> list[str]:
    """What the team should know of changes by others, in sentences; empty when there are none."""
    row = credential.registration
    return [row.last_error] if row.state == S.ACTIVE and row.last_error_code == CHANGED_OUTSIDE else []


def _look_at_each(adapter: KeyManagerAdapter, credential_ids: Iterable[uuid.UUID]) -> None:
    """One client that cannot be read hides no other. Raises ``KeyManagerUnavailable`` when any got no answer."""
    unanswered: list[KeyManagerUnavailable] = []
    for credential_id in credential_ids:
        try:
            _look(adapter, credential_id)
        except KeyManagerUnavailable as exc:
            unanswered.append(exc)
            if len(unanswered) == _MOST_UNANSWERED:
                break
        except ArchwayError as exc:
            logger.warning("The client of credential %s changed and cannot be read: %s", credential_id, exc)
    if unanswered:
        raise unanswered[-1]


def _look(adapter: KeyManagerAdapter, credential_id: uuid.UUID) -> None:
    # Read only now: looking at the clients before it can have taken long.
    rows = Credential.objects.select_related("application", "registration")
    credential = rows.filter(pk=credential_id, removed_at=None).first()
    if credential is None:
        return
    registration = credential.registration
    if registration.wish == Wish.PRESENT and registration.state == S.ACTIVE:
        _keep(registration, credential, adapter.read_client(handle_of(credential)))


@transaction.atomic
def _keep(seen: Registration, credential: Credential, found: RegisteredClient | None) -> None:
    """Say what was found, unless anything happened to the registration since it was ``seen``."""
    row = Registration.objects.select_for_update().get(pk=seen.pk)
    # A retry that is through by now left state and versions as they were.
    if row.state != S.ACTIVE or row.updated_at != seen.updated_at:
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
        if say_changed(row, changed):
            _record(row, credential, "credential.changed_outside", {"changed": changed})
    elif row.last_error_code == CHANGED_OUTSIDE or is_off(row):
        row.last_error_code = row.last_error = ""
        row.observed = dict(found.observed)
        row.save(update_fields=["last_error_code", "last_error", "observed", "updated_at"])


def _record(row: Registration, credential: Credential, action: str, detail: dict[str, Any]) -> None:
    row.save(update_fields=["state", "last_error_code", "last_error", "outcome", "outcome_at", "updated_at"])
    audit(SYSTEM, action, credential, team_id=credential.application.team_id, detail=detail)


def _changed(before: Mapping[str, Any], credential: Credential, found: RegisteredClient) -> list[str]:
    """Names of what is not as the last answer to us said; ``client_secret`` for one that is not ours."""
    seen = {**found.observed}
    # Switched on is as it should be, however it was before, and switched off is not.
    off = seen.pop(OFF, True) is False
    names = [name for name, value in seen.items() if name in before and _plain(before[name]) != _plain(value)]
    secret = found.handle.client_secret
    if secret and secret_digest(credential.pk, secret) != credential.secret_sha256:
        names.append("client_secret")
    if off:
        names.append(OFF)
    return sorted(names)


def _plain(value: Any) -> Any:
    """The order of a list, and of the words of a scope, means nothing."""
    if isinstance(value, str):
        return sorted(value.split())
    return sorted(value, key=str) if isinstance(value, list | tuple) else value
