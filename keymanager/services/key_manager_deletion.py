"""Deleting a key manager: at once when nothing uses it, else by what an administrator chose for its clients."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.actor import SYSTEM, Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from keymanager.models import AcceptedKeyManagers, Credential, KeyManager
from keymanager.registrations.states import RegistrationState, Wish
from keymanager.registrations.wishes import never_sent, want_absent
from keymanager.services.issuers import claim_issuers
from keymanager.services.key_manager_usage import usage_of
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.services.applications import finish_removal
from subscriptions.states import ApplicationState

S = RegistrationState
# Nothing of ours is there any more, or nothing that could be removed from here.
_DONE: Final = (S.REMOVED, S.NOT_KEPT)


class Clients(StrEnum):
    """What becomes of the clients, resources and scopes at the identity provider."""

    REMOVE = "remove"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Something that is left at the identity provider and that nobody manages from here any more."""

    kind: str
    name: str
    remote_id: str
    application: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """``deleted``: it is gone; else its clients are being removed first. ``orphans``: what was left there."""

    deleted: bool
    orphans: tuple[Orphan, ...] = ()


@transaction.atomic
def delete_key_manager(*, actor: Actor, key_manager: KeyManager, clients: str = "") -> Deletion:
    """Delete a key manager.

    ``clients`` "": only when nothing uses it, else ``RuleError`` listing who does. ``remove``: from now on its tokens
    are refused, its clients, scopes and resources are removed at the identity provider, and then it is deleted.
    ``forget``: it is deleted at once; what is left there is returned. Raises ``InputError`` naming ``clients``.
    """
    actor.require_role(Role.ADMINISTRATOR)
    if clients and clients not in list(Clients):
        raise InputError.of("clients", f"This must be one of: {', '.join(Clients)}.")
    row = KeyManager.objects.select_for_update().get(pk=key_manager.pk)
    if not clients:
        unmet = usage_of(row).sentences
        if unmet:
            raise RuleError(f"{row.name} is in use.", unmet=unmet)
        return _delete(actor, row)
    _stop(actor, row)
    if clients == Clients.FORGET:
        return _delete(actor, row)
    _remove_everything(actor, row)
    return finish_deletion(row)


def finish_deletions() -> int:
    """Delete the key managers whose deletion waited for the last of their clients; returns how many."""
    waiting = KeyManager.objects.filter(deletion_asked_at__isnull=False)
    return sum(finish_deletion(row).deleted for row in waiting)


@transaction.atomic
def finish_deletion(key_manager: KeyManager) -> Deletion:
    """Delete a key manager if it waits for that and nothing of ours is there any more."""
    row = KeyManager.objects.select_for_update().filter(pk=key_manager.pk, deletion_asked_at__isnull=False).first()
    if row is None:
        return Deletion(deleted=False)
    if row.registrations.exclude(state__in=_DONE).exists() or row.credentials.filter(removed_at=None).exists():
        return Deletion(deleted=False)
    return _delete(SYSTEM, row)


def _stop(actor: Actor, row: KeyManager) -> None:
    """Nothing new there, its tokens are refused, and no API names it any more."""
    row.enabled = False
    row.when_disabled = "refuse"
    row.deletion_asked_at = row.deletion_asked_at or timezone.now()
    row.revision += 1
    row.save()
    claim_issuers(row)
    audit(actor, "key_manager.stop_for_deletion", row)
    announce(ChangeKind.KEY_MANAGER, row.pk)
    for listed in AcceptedKeyManagers.objects.filter(accepts_all=False, key_managers=row):
        listed.key_managers.remove(row)
        announce(ChangeKind.API_VERSION, listed.api_version_id)


def _remove_everything(actor: Actor, row: KeyManager) -> None:
    wanted = row.registrations.exclude(state__in=_DONE).filter(wish=Wish.PRESENT)
    for pk, credential_id in list(wanted.values_list("pk", "credential_id")):
        want_absent(actor=actor, registration_id=pk)
        if credential_id is not None:
            Credential.objects.filter(pk=credential_id).update(revision=F("revision") + 1)
            announce(ChangeKind.CREDENTIAL, credential_id)


def _delete(actor: Actor, row: KeyManager) -> Deletion:
    orphans = _orphans(row)
    owners = list(row.credentials.filter(removed_at=None).values_list("application_id", flat=True))
    detail = {
        "left_there": len(orphans),
        "clients_left_there": [each.remote_id for each in orphans if each.application],
    }
    audit(actor, "key_manager.delete", row, detail=detail)
    announce(ChangeKind.KEY_MANAGER, row.pk)
    for pk in row.credentials.values_list("pk", flat=True):
        announce(ChangeKind.CREDENTIAL, pk)
    row.registrations.all().delete()
    row.credentials.all().delete()
    row.delete()
    _finish_applications(owners)
    return Deletion(deleted=True, orphans=orphans)


def _orphans(row: KeyManager) -> tuple[Orphan, ...]:
    left = row.registrations.exclude(state__in=_DONE).select_related("credential__application")
    found = []
    for item in left.order_by("kind", "subject"):
        credential = item.credential
        if credential is not None and credential.mapped:
            continue
        if never_sent(item) and not (credential is not None and credential.client_id):
            continue
        found.append(
            Orphan(
                kind=item.kind,
                name=str(item.wanted.get("client_name") or item.wanted.get("name") or item.subject),
                remote_id=(credential.client_id if credential else item.remote_id) or item.subject,
                application=credential.application.name if credential else "",
            )
        )
    return tuple(found)


def _finish_applications(owners: Sequence[uuid.UUID]) -> None:
    """Applications that were only waiting for these clients to go."""
    for application in Application.objects.filter(pk__in=owners, state=ApplicationState.REMOVING):
        if not application.credentials.filter(removed_at=None).exists():
            finish_removal(actor=SYSTEM, application=application)
