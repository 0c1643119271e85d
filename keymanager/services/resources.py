"""What key managers must know of APIs: one resource per API version and key manager, one scope per key.

Everything here is called in the transaction of the change behind it and only writes wishes. A scope exists at a key
manager once, however many API versions use its key, and is removed with the last of them.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.actor import Actor
from common.errors import InputError
from keymanager.adapters.contract import Capability
from keymanager.models import AcceptedKeyManagers, KeyManager, Registration
from keymanager.registrations.states import RegistrationKind, RegistrationState, Wish
from keymanager.registrations.wishes import new_registration, want_absent, want_present
from keymanager.services.adapters import adapter_for
from subscriptions.models import ApiVersion, Scope
from subscriptions.rules import resource_identifier

NEEDED = {RegistrationKind.RESOURCE: Capability.RESOURCES, RegistrationKind.SCOPE: Capability.SCOPES}


@transaction.atomic
def sync_api_version(*, actor: Actor, api_version: ApiVersion) -> None:
    """Wish for the resource and the scopes of ``api_version`` wherever it is accepted, and away where it no longer is.

    Call it after creating the version and after every change of its scopes or of its accepted key managers. What is
    at a key manager that is switched off stays as it is.
    """
    scopes = dict(api_version.scopes.values_list("key", "description"))
    accepted = list(KeyManager.objects.filter(_accepting(api_version), enabled=True))
    for key_manager in accepted:
        _want(actor, key_manager, RegistrationKind.RESOURCE, {str(api_version.pk): resource_of(api_version, scopes)})
        _want(actor, key_manager, RegistrationKind.SCOPE, {key: scope_of(key, text) for key, text in scopes.items()})
    no_longer = Registration.objects.filter(
        kind=RegistrationKind.RESOURCE, subject=str(api_version.pk), wish=Wish.PRESENT, key_manager__enabled=True
    ).exclude(key_manager__in=accepted)
    _want_all_absent(actor, no_longer)
    _want_all_absent(actor, _unused_scopes())


@transaction.atomic
def forget_api_version(*, actor: Actor, api_version: ApiVersion) -> None:
    """Wish the resource away everywhere, and the scopes that no other API version uses. Call it before the deletion."""
    resources = Registration.objects.filter(kind=RegistrationKind.RESOURCE, subject=str(api_version.pk))
    _want_all_absent(actor, resources.filter(wish=Wish.PRESENT))
    _want_all_absent(actor, _unused_scopes(but=api_version))


@transaction.atomic
def sync_key_manager(*, actor: Actor, key_manager: KeyManager) -> None:
    """Wish for every API version that accepts a key manager which was added, switched on or configured anew."""
    versions = ApiVersion.objects.filter(
        Q(accepted_key_managers=None)
        | Q(accepted_key_managers__accepts_all=True)
        | Q(accepted_key_managers__key_managers=key_manager)
    ).distinct()
    resources: dict[str, dict[str, Any]] = {}
    scopes: dict[str, dict[str, Any]] = {}
    for version in versions.select_related("api").prefetch_related("scopes"):
        own = {scope.key: scope.description for scope in version.scopes.all()}
        resources[str(version.pk)] = resource_of(version, own)
        scopes.update({key: scope_of(key, text) for key, text in own.items()})
    _want(actor, key_manager, RegistrationKind.RESOURCE, resources)
    _want(actor, key_manager, RegistrationKind.SCOPE, scopes)


def registrations_of(api_version: ApiVersion) -> QuerySet[Registration]:
    """The registrations of the API version's resource and scopes at every key manager."""
    # Read first: with a subquery among alternatives PostgreSQL looks at every registration.
    keys = list(api_version.scopes.values_list("key", flat=True))
    accepting = KeyManager.objects.filter(_accepting(api_version)).values("pk")
    return (
        Registration.objects.filter(
            Q(kind=RegistrationKind.RESOURCE, subject=str(api_version.pk))
            | Q(kind=RegistrationKind.SCOPE, subject__in=keys, key_manager__in=accepting)
        )
        .select_related("key_manager")
        .order_by("key_manager__slug", "kind", "subject")
    )


def resource_of(api_version: ApiVersion, scopes: Iterable[str]) -> dict[str, Any]:
    """The resource that an API version is at a key manager."""
    return {
        "identifier": resource_identifier(api_version.pk),
        "name": str(api_version),
        "scopes": sorted(scopes),
    }


def scope_of(key: str, description: str) -> dict[str, Any]:
    """The scope as it shall be at a key manager."""
    return {"key": key, "description": description}


def keeps(key_manager: KeyManager, kind: RegistrationKind) -> bool:
    """Whether the key manager can have registrations of this kind; a broken configuration is left to the job."""
    try:
        return NEEDED[kind] in adapter_for(key_manager).capabilities
    except InputError:
        return True


def _accepting(api_version: ApiVersion) -> Q:
    row = AcceptedKeyManagers.objects.filter(api_version=api_version).first()
    if row is None or row.accepts_all:
        return Q()
    return Q(pk__in=row.key_managers.values("pk"))


def _want(
    actor: Actor, key_manager: KeyManager, kind: RegistrationKind, wanted: Mapping[str, Mapping[str, Any]]
) -> None:
    """Make the wishes of one kind at one key manager; what is wished for already in this form is left alone."""
    kept = keeps(key_manager, kind)
    rows = Registration.objects.filter(key_manager=key_manager, kind=kind, subject__in=list(wanted))
    present = {row.subject: row for row in rows}
    for subject, value in wanted.items():
        row = present.get(subject)
        if row is None:
            version_id = uuid.UUID(subject) if kind == RegistrationKind.RESOURCE else None
            new_registration(
                actor=actor,
                key_manager=key_manager,
                kind=kind,
                subject=subject,
                wanted=value,
                api_version_id=version_id,
                kept=kept,
            )
        elif row.wish == Wish.ABSENT or row.wanted != value or (kept and row.state == RegistrationState.NOT_KEPT):
            want_present(actor=actor, registration_id=row.pk, wanted=value, kept=kept)


def _want_all_absent(actor: Actor, rows: QuerySet[Registration]) -> None:
    for pk in list(rows.values_list("pk", flat=True)):
        want_absent(actor=actor, registration_id=pk)


def _unused_scopes(*, but: ApiVersion | None = None) -> QuerySet[Registration]:
    """Wished-for scopes whose key no API version (``but`` left out) uses at that key manager any more."""
    users = Scope.objects.filter(key=OuterRef("subject")).filter(
        Q(api_version__accepted_key_managers=None)
        | Q(api_version__accepted_key_managers__accepts_all=True)
        | Q(api_version__accepted_key_managers__key_managers=OuterRef("key_manager"))
    )
    if but is not None:
        users = users.exclude(api_version=but)
    return Registration.objects.filter(
        ~Exists(users), kind=RegistrationKind.SCOPE, wish=Wish.PRESENT, key_manager__enabled=True
    )
