"""Clients that a team made elsewhere ("use my own"): the portal asks the key manager about them and changes nothing."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from keymanager.models import Credential, KeyManager
from keymanager.registrations import rules
from keymanager.registrations.mapped_clients import claim_secret
from keymanager.registrations.states import RegistrationKind
from keymanager.registrations.wishes import new_registration, want_present
from keymanager.services.adapters import stored_config
from keymanager.services.credential_rows import audit_credential, fresh, locked, require_wanted
from keymanager.services.credentials import place_taken, require_usable
from keymanager.services.offered_grants import grants_passed_on
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce
from subscriptions.states import Environment

_TAKEN: Final = "This client is used by a credential already."


@transaction.atomic
def map_client(
    *,
    actor: Actor,
    application: Application,
    key_manager: KeyManager,
    client_id: str,
    client_secret: str = "",
    environment: str = Environment.PRODUCTION.value,
    grant_types: Sequence[str] = ("client_credentials",),
    redirect_uris: Sequence[str] = (),
    scopes: Sequence[str] = (),
    token_endpoint_auth_method: str = "client_secret_basic",  # noqa: S107 - the name of a method (RFC 7591)
) -> Credential:
    """A credential for a client that exists at the key manager; a job verifies it, and only then does it count.

    What else is given says what the client may be used for through the portal; it is sent nowhere. Raises
    ``InputError`` naming the field, ``RuleError`` for a disabled key manager, for a client that another credential
    uses or that is the portal's own, and for a second client of the same application, key manager and environment.
    """
    actor.require_role(Role.APP_DEVELOPER)
    require_usable(application, key_manager)
    _refuse_taken(key_manager, rules.check_client_id(client_id))
    row = Credential(application=application, key_manager=key_manager, mapped=True, mapped_client_id=client_id)
    row.environment = rules.check_environment(environment).value
    row.grant_types = rules.check_grant_types(grant_types, offered=grants_passed_on(key_manager))
    row.redirect_uris = rules.check_redirect_uris(redirect_uris, grant_types=row.grant_types)
    row.scopes = rules.check_scopes(scopes)
    row.token_endpoint_auth_method = rules.check_auth_method(token_endpoint_auth_method, grant_types=row.grant_types)
    claim_secret(row, _checked_secret(row, client_secret))
    _save_new(row)
    new_registration(
        actor=actor,
        key_manager=key_manager,
        kind=RegistrationKind.CLIENT,
        subject=str(row.pk),
        wanted=_claim(row, number=1),
        credential=row,
    )
    audit_credential(actor, "credential.map", row, client_id=client_id)
    announce(ChangeKind.CREDENTIAL, row.pk)
    return row


@transaction.atomic
def correct_secret(*, actor: Actor, credential: Credential, client_secret: str) -> Credential:
    """Another secret for a mapped client; a job verifies it. One that was proved stays good until the new one is.

    Raises ``InputError`` naming ``client_secret``, ``RuleError`` for a client that the portal registered.
    """
    actor.require_role(Role.APP_DEVELOPER)
    row = locked(credential)
    require_wanted(row)
    if not row.mapped:
        raise RuleError(
            "The client was registered by the portal, which knows its secret; rotate it to get another.",
            fields={"client_secret": ["Only the secret of a client made elsewhere can be given."]},
        )
    if not client_secret:
        raise InputError.of("client_secret", "This is empty.")
    claim_secret(row, _checked_secret(row, client_secret))
    row.revision += 1
    row.save(update_fields=["sealed_mapped_secret", "revision", "updated_at"])
    number = int(row.registration.wanted.get("number", 1)) + 1
    want_present(actor=actor, registration_id=row.registration.pk, wanted=_claim(row, number=number))
    audit_credential(actor, "credential.correct_secret", row)
    return fresh(row)


def _claim(row: Credential, *, number: int) -> dict[str, Any]:
    """What the job shall verify; ``number`` tells one secret from the next."""
    return {"client_id": row.mapped_client_id, "number": number}


def _checked_secret(row: Credential, client_secret: str) -> str:
    if client_secret and row.token_endpoint_auth_method == rules.PUBLIC:
        raise InputError.of("client_secret", "A client with token_endpoint_auth_method none has no secret.")
    return rules.check_client_secret(client_secret)


def _refuse_taken(key_manager: KeyManager, client_id: str) -> None:
    rows = Credential.objects.filter(key_manager=key_manager, removed_at=None)
    if rows.filter(Q(client_id=client_id) | Q(mapped_client_id=client_id)).exists():
        raise _taken()
    own = {value for name, value in stored_config(key_manager).items() if name.endswith("client_id")}
    if client_id in own:
        raise RuleError(
            "The portal itself uses this client at the key manager.",
            fields={"client_id": ["The portal itself uses this client."]},
        )


def _save_new(row: Credential) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as exc:
        # Somebody was quicker: with the same client, or with another one for the same place.
        if Credential.objects.filter(
            key_manager=row.key_manager, mapped_client_id=row.mapped_client_id, removed_at=None
        ).exists():
            raise _taken() from exc
        raise place_taken(row) from exc


def _taken() -> RuleError:
    return RuleError(f"client_id: {_TAKEN}", fields={"client_id": [_TAKEN]})
