"""Writes on credentials: each writes a wish in the caller's transaction; a job carries it out after commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.actor import Actor
from accounts.models import Role
from common.errors import NotSupported, OutcomeUnknown, RuleError
from keymanager.adapters.contract import Capability
from keymanager.adapters.rfc.answers import CLIENT_GONE, MANAGEMENT_TOKEN_LOST
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations import rules
from keymanager.registrations.changed_outside import OFF
from keymanager.registrations.client_facts import forget_client, metadata_of
from keymanager.registrations.states import CHANGED_OUTSIDE, RegistrationKind, RegistrationState, Wish
from keymanager.registrations.wishes import new_registration, try_now, want_absent, want_present
from keymanager.sealing import unseal_secret
from keymanager.services.adapters import adapter_for
from keymanager.services.allowances import wanted_access
from keymanager.services.client_fields import checked_extra
from keymanager.services.credential_rows import audit_credential, fresh, locked, require_own, require_wanted
from keymanager.services.offered_grants import grants_passed_on, offered_grant_types
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.services.applications import require_active
from subscriptions.states import Environment

S = RegistrationState
_RETRYABLE: Final = frozenset({S.REQUESTED, S.WAITING, S.REFUSED, S.UNKNOWN, S.HELD, S.REMOVING})
_CLIENT_IS_LOST: Final = frozenset({MANAGEMENT_TOKEN_LOST, CLIENT_GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedSecret:
    """A client's id and secret, for its team's eyes."""

    client_id: str
    client_secret: str = field(repr=False)


@transaction.atomic
def request_credential(
    *,
    actor: Actor,
    application: Application,
    key_manager: KeyManager,
    environment: str = Environment.PRODUCTION.value,
    grant_types: Sequence[str] = ("client_credentials",),
    redirect_uris: Sequence[str] = (),
    scopes: Sequence[str] = (),
    token_endpoint_auth_method: str = "client_secret_basic",  # noqa: S107 - the name of a method (RFC 7591)
    extra: Mapping[str, Any] | None = None,
) -> Credential:
    """Wish for a client of the application at the key manager.

    Raises ``InputError`` naming the field, ``RuleError`` for a disabled key manager and for a second client of the
    same application, key manager and environment.
    """
    actor.require_role(Role.APP_DEVELOPER)
    require_usable(application, key_manager)
    kind = rules.check_environment(environment)
    row = Credential(application=application, key_manager=key_manager, environment=kind.value)
    row.grant_types = rules.check_grant_types(grant_types, offered=offered_grant_types(key_manager))
    row.redirect_uris = rules.check_redirect_uris(redirect_uris, grant_types=row.grant_types)
    row.scopes = rules.check_scopes(scopes)
    row.token_endpoint_auth_method = rules.check_auth_method(token_endpoint_auth_method, grant_types=row.grant_types)
    row.extra = checked_extra(key_manager, extra or {})
    adapter_for(key_manager).require_possible(metadata_of(row, wanted_client(row)))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as exc:
        raise place_taken(row) from exc
    new_registration(
        actor=actor,
        key_manager=key_manager,
        kind=RegistrationKind.CLIENT,
        subject=str(row.pk),
        wanted=wanted_client(row),
        credential=row,
    )
    audit_credential(actor, "credential.request", row)
    announce(ChangeKind.CREDENTIAL, row.pk)
    return row


@transaction.atomic
def change_credential(
    *,
    actor: Actor,
    credential: Credential,
    grant_types: Sequence[str] | None = None,
    redirect_uris: Sequence[str] | None = None,
    scopes: Sequence[str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Credential:
    """Wish for other metadata; what is ``None`` stays. Raises as ``request_credential`` does.

    Of a client made elsewhere it only changes what the portal lets it do; nothing is sent.
    """
    actor.require_role(Role.APP_DEVELOPER)
    Application.objects.select_for_update().get(pk=credential.application_id)
    row = locked(credential)
    require_wanted(row)
    before = _chosen(row)
    if grant_types is not None:
        offered = grants_passed_on(row.key_manager) if row.mapped else offered_grant_types(row.key_manager)
        row.grant_types = rules.check_grant_types(grant_types, offered=offered)
        rules.check_auth_method(row.token_endpoint_auth_method, grant_types=row.grant_types)
    uris = row.redirect_uris if redirect_uris is None else redirect_uris
    row.redirect_uris = rules.check_redirect_uris(uris, grant_types=row.grant_types)
    if scopes is not None:
        row.scopes = rules.check_scopes(scopes)
    if extra is not None:
        row.extra = checked_extra(row.key_manager, extra, mapped=row.mapped)
    chosen = _chosen(row)
    if chosen == before:
        return row
    row.revision += 1
    row.save(update_fields=[*chosen, "revision", "updated_at"])
    if not row.mapped:
        wanted = wanted_client(row)
        adapter_for(row.key_manager).require_possible(metadata_of(row, wanted))
        want_present(actor=actor, registration_id=row.registration.pk, wanted=wanted)
    changed = sorted(name for name in chosen if chosen[name] != before[name])
    audit_credential(actor, "credential.change", row, changed=changed)
    announce(ChangeKind.CREDENTIAL, row.pk)
    return fresh(row)


@transaction.atomic
def rotate_secret(*, actor: Actor, credential: Credential) -> Credential:
    """Wish for a new secret. Raises ``NotSupported`` where the key manager cannot, ``RuleError`` without a secret."""
    actor.require_role(Role.APP_DEVELOPER)
    row = locked(credential)
    require_own(row)
    if not row.client_id:
        raise RuleError(f"The client is not registered yet; it is {row.registration.state}.")
    if row.token_endpoint_auth_method == rules.PUBLIC:
        raise RuleError("A public client has no secret.")
    adapter_for(row.key_manager).require(Capability.ROTATE_SECRET)
    Credential.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
    want_present(actor=actor, registration_id=row.registration.pk, rotation=True)
    audit_credential(actor, "credential.rotate_secret", row)
    return fresh(row)


@transaction.atomic
def remove_credential(*, actor: Actor, credential: Credential) -> Credential:
    """Refuse its tokens from now on and wish its client away. Repeating it changes nothing."""
    actor.require_role(Role.APP_DEVELOPER)
    row = locked(credential)
    if row.removed_at is None and row.registration.wish != Wish.ABSENT:
        Credential.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
        want_absent(actor=actor, registration_id=row.registration.pk)
        audit_credential(actor, "credential.remove", row)
        announce(ChangeKind.CREDENTIAL, row.pk)
    return fresh(row)


@transaction.atomic
def remove_all_credentials(*, actor: Actor, application: Application) -> list[Registration]:
    """One removal registration per credential that is left; empty when there is nothing to wait for."""
    rows = Credential.objects.filter(application=application, removed_at=None).order_by("created_at")
    return [remove_credential(actor=actor, credential=row).registration for row in rows]


@transaction.atomic
def application_renamed(*, actor: Actor, application: Application) -> None:
    """Tell every key manager where the application has a client its new name."""
    rows = Credential.objects.filter(
        application=application, removed_at=None, mapped=False, registration__wish=Wish.PRESENT
    ).select_related("application", "registration")
    for row in rows:
        row.application = application
        Credential.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
        want_present(actor=actor, registration_id=row.registration.pk, wanted=wanted_client(row))


@transaction.atomic
def retry(*, actor: Actor, registration: Registration) -> Registration:
    """Try a registration again now. Raises ``RuleError`` when there is nothing to retry.

    After "it is not known whether a client exists there", or when the portal can no longer manage the client, a retry
    means that a person has looked: a new client is registered, or, for a removal, the old one is forgotten.
    """
    actor.require_role(Role.APP_DEVELOPER, Role.API_DEVELOPER, Role.PUBLISHER)
    if registration.credential_id is not None:
        Credential.objects.select_for_update().get(pk=registration.credential_id)
    row = Registration.objects.select_for_update().get(pk=registration.pk)
    changed_outside = row.state == S.ACTIVE and row.last_error_code == CHANGED_OUTSIDE
    if not (row.state in _RETRYABLE or changed_outside) or row.lease_until is not None:
        raise RuleError(f"There is nothing to retry: the registration is {row.state}.")
    detail: dict[str, Any] = {}
    if changed_outside:
        tells = Capability.CHANGES in adapter_for(row.key_manager).capabilities
        if OFF in row.last_error and tells:
            raise RuleError("Somebody switched this client off at the key manager: it has to be switched on there.")
        # Else what was applied would be taken for what is there.
        row.applied = None
    if row.state == S.REFUSED and _starts_over(row):
        row.in_doubt = False
        row.applied, row.applied_version = None, 0
        if row.credential is not None:
            detail["left_behind"] = forget_client(row.credential)
            announce(ChangeKind.CREDENTIAL, row.credential.pk)
        else:
            row.remote_id = ""
    try_now(actor=actor, registration=row)
    team_id = row.credential.application.team_id if row.credential is not None else None
    audit(actor, "registration.retry", row, team_id=team_id, detail=detail)
    return row


def _starts_over(row: Registration) -> bool:
    """Whether a retry by a person means: what may be left at the key manager is dealt with."""
    code, credential = row.last_error_code, row.credential
    if credential is not None and credential.mapped:
        return False
    if row.wish == Wish.ABSENT and code == NotSupported.code:
        return True
    if credential is None:
        return False
    if code == OutcomeUnknown.code and row.in_doubt and not credential.client_id:
        return Capability.FIND_CLIENT not in adapter_for(row.key_manager).capabilities
    return code in _CLIENT_IS_LOST


@transaction.atomic
def reveal_secret(*, actor: Actor, credential: Credential) -> RevealedSecret:
    """The client's secret; every reading is audited.

    Where the key manager is set to keep none, it is shown exactly once after it arrived and then erased. Raises
    ``RuleError`` naming the setting when there is nothing to show.
    """
    actor.require_role(Role.APP_DEVELOPER)
    row = locked(credential)
    if row.removed_at is not None or not row.client_id:
        raise RuleError(f"The client is not registered; it is {row.registration.state}.")
    if row.token_endpoint_auth_method == rules.PUBLIC:
        raise RuleError("A public client has no secret.")
    if row.mapped and not row.sealed_secret:
        raise RuleError("The client was made elsewhere, and the portal does not keep its secret.")
    keeps = row.key_manager.keep_secrets
    if keeps and not row.sealed_secret:
        raise RuleError("The secret of this client was not kept when it arrived. Rotate the secret to get a new one.")
    if not row.sealed_secret or not (keeps or row.secret_unseen):
        raise RuleError(
            f"The setting keep_secrets of the key manager {row.key_manager.name} is keep none: a secret is shown once "
            "and not kept. Rotate the secret to get a new one."
        )
    secret = unseal_secret(row)
    kept = row.sealed_secret if keeps else ""
    Credential.objects.filter(pk=row.pk).update(secret_unseen=False, sealed_secret=kept)
    audit_credential(actor, "credential.reveal_secret", row)
    return RevealedSecret(client_id=row.client_id, client_secret=secret)


def _chosen(row: Credential) -> dict[str, Any]:
    chosen = {name: list(getattr(row, name)) for name in ("grant_types", "redirect_uris", "scopes")}
    return {**chosen, "extra": dict(row.extra)}


def require_usable(application: Application, key_manager: KeyManager) -> None:
    """Raise ``RuleError`` unless the application may get a credential there; the application is locked."""
    # A removal of the application that runs at this moment must see the new credential, or be seen here.
    require_active(Application.objects.select_for_update().get(pk=application.pk))
    if not key_manager.enabled:
        raise RuleError(f"The key manager {key_manager.name} is switched off; it takes no new registrations.")


def place_taken(row: Credential) -> RuleError:
    """The refusal of a second client for the same application, key manager and environment."""
    return RuleError(
        f"The application already has a {row.environment} client at {row.key_manager.name}.",
        fields={"key_manager": [f"There is a {row.environment} client already."]},
    )


def wanted_client(credential: Credential) -> dict[str, Any]:
    """The metadata that the client shall have (RFC 7591 section 2), as it is stored with the wish.

    The application is locked by the caller: its subscriptions are part of it.
    """
    name = credential.application.name
    return {
        "client_name": name
        if credential.environment == Environment.PRODUCTION
        else f"{name} ({credential.environment})",
        "grant_types": list(credential.grant_types),
        "response_types": ["code"] if "authorization_code" in credential.grant_types else [],
        "redirect_uris": list(credential.redirect_uris),
        "token_endpoint_auth_method": credential.token_endpoint_auth_method,
        **wanted_access(credential),
        **({"extra": dict(credential.extra)} if credential.extra else {}),
    }
