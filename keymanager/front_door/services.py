"""Writes of the front door: registrations and revoked tokens. Nothing here calls a key manager."""

import hashlib
import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from keymanager.front_door.client_metadata import ClientWish
from keymanager.front_door.refusals import MetadataRefused
from keymanager.models import Credential, FrontDoorClient, KeyManager, RevokedToken
from keymanager.registrations.states import Wish
from keymanager.services import credentials
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.services import applications
from subscriptions.states import ApplicationState

_TOKEN_PREFIX: Final = "awr_"
_END_OF_TIME: Final = 32_503_680_000  # the year 3000, so that an absurd exp is still a date
# Where our services' field names and RFC 7591's members differ.
_LONGEST_TOLD_APART: Final = 91  # and a space and eight digits make 100
_MEMBERS: Final = {"scopes": "scope", "name": "client_name"}


def living_clients() -> QuerySet[FrontDoorClient]:
    """Clients made at ``/register`` that are wanted, whether or not they exist at their key manager yet."""
    return FrontDoorClient.objects.filter(
        credential__removed_at=None,
        credential__registration__wish=Wish.PRESENT,
        credential__application__state=ApplicationState.ACTIVE,
    ).select_related("credential__application", "credential__key_manager", "credential__registration")


def register_once(*, actor: Actor, team_id: uuid.UUID, wish: ClientWish, idempotency_key: str) -> FrontDoorClient:
    """The client of this registration; a repeat finds the one of the first time.

    A repeat is the same ``Idempotency-Key``, else the same ``software_id``, else the same document while the first
    request has not been answered. Raises ``MetadataRefused`` naming the member, ``NotAllowed``.
    """
    actor.require_role(Role.APP_DEVELOPER)
    known = _find_repeat(team_id, wish, idempotency_key)
    if known is not None:
        return known
    try:
        return _start(actor=actor, team_id=team_id, wish=wish, idempotency_key=idempotency_key)
    except (IntegrityError, RuleError, InputError) as exc:
        # The same request may have been carried out in the meantime by another process.
        known = _find_repeat(team_id, wish, idempotency_key)
        if known is not None:
            return known
        if isinstance(exc, IntegrityError):
            raise
        raise refused_metadata(exc) from exc


def refused_metadata(error: InputError | RuleError) -> MetadataRefused:
    """A refusal of our services in RFC 7591's words."""
    if isinstance(error, MetadataRefused):
        return error
    for name, messages in error.fields.items():
        return MetadataRefused(_MEMBERS.get(name, name), " ".join(messages))
    return MetadataRefused("", error.message)


def _find_repeat(team_id: uuid.UUID, wish: ClientWish, idempotency_key: str) -> FrontDoorClient | None:
    rows = living_clients().filter(team_id=team_id).order_by("id")
    if idempotency_key:
        known = rows.filter(idempotency_key=idempotency_key).first()
        if known is not None and known.fingerprint != wish.fingerprint:
            raise MetadataRefused("", "This Idempotency-Key was used with other client metadata.")
        if known is not None or not wish.software_id:
            return known
    if wish.software_id:
        return rows.filter(credential__application__software_id=wish.software_id).first()
    return rows.filter(fingerprint=wish.fingerprint, idempotency_key="", registration_access_token_sha256="").first()


@transaction.atomic
def _start(*, actor: Actor, team_id: uuid.UUID, wish: ClientWish, idempotency_key: str) -> FrontDoorClient:
    """Application, credential and what we must remember: all are saved, or none."""
    if idempotency_key:
        # What used the key before is gone, else it would have been found.
        FrontDoorClient.objects.filter(team_id=team_id, idempotency_key=idempotency_key).exclude(
            pk__in=living_clients().values("pk")
        ).update(idempotency_key="")
    credential = credentials.request_credential(
        actor=actor,
        application=_application(actor, team_id, wish),
        key_manager=_key_manager(wish.key_manager),
        environment=wish.environment,
        grant_types=wish.grant_types,
        redirect_uris=wish.redirect_uris,
        scopes=wish.scopes,
        token_endpoint_auth_method=wish.token_endpoint_auth_method,
    )
    return FrontDoorClient.objects.create(
        credential=credential,
        team_id=team_id,
        idempotency_key=idempotency_key,
        fingerprint=wish.fingerprint,
        remarks=dict(wish.remarks),
    )


def _application(actor: Actor, team_id: uuid.UUID, wish: ClientWish) -> Application:
    if wish.software_id:
        known = Application.objects.filter(
            team_id=team_id, software_id=wish.software_id, state=ApplicationState.ACTIVE
        ).first()
        if known is not None:
            return known
    name = _free_name(team_id, wish.client_name)
    return applications.create_application(actor=actor, team_id=team_id, name=name, software_id=wish.software_id)


def _free_name(team_id: uuid.UUID, wanted: str, *, present: str = "") -> str:
    """The wanted name, told apart where another application of the team has it; one of our own where it is "".

    RFC 7591 lets any number of clients have one ``client_name``, and section 3.2.1 lets the answer say another one.
    """
    others = Application.objects.filter(team_id=team_id, state=ApplicationState.ACTIVE).exclude(name=present)
    if wanted and not others.filter(name__iexact=wanted).exists():
        return wanted
    stem = (wanted or "client")[:_LONGEST_TOLD_APART]
    told_apart = re.fullmatch(rf"{re.escape(stem)} [0-9a-f]{{8}}", present)
    return present if told_apart else f"{stem} {secrets.token_hex(4)}"


def _key_manager(slug: str) -> KeyManager:
    """The named key manager, else the first one that was set up."""
    rows = KeyManager.objects.filter(enabled=True).order_by("created_at", "slug")
    row = rows.filter(slug=slug).first() if slug else rows.first()
    if row is None:
        raise MetadataRefused("key_manager", "There is no such enabled key manager.")
    return row


@transaction.atomic
def issue_management_token(*, client: FrontDoorClient) -> str:
    """A new registration access token (RFC 7592 section 3); only its hash is stored, the one before is dead."""
    value = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    FrontDoorClient.objects.filter(pk=client.pk).update(registration_access_token_sha256=hash_management_token(value))
    return value


def hash_management_token(value: str) -> str:
    """SHA-256 in hexadecimal; the tokens are long and random, so no slow hash is needed."""
    return hashlib.sha256(value.encode()).hexdigest()


@transaction.atomic
def change_client(*, actor: Actor, client: FrontDoorClient, wish: ClientWish) -> Credential:
    """Replace all metadata (RFC 7592 section 2.2); a job tells the key manager. Raises ``MetadataRefused``."""
    credential = client.credential
    _check_unchangeable(credential, wish)
    try:
        present = credential.application.name
        name = _free_name(client.team_id, wish.client_name, present=present) if wish.client_name else present
        if name != present:
            application = applications.change_application(actor=actor, application=credential.application, name=name)
            credentials.application_renamed(actor=actor, application=application)
        changed = credentials.change_credential(
            actor=actor,
            credential=credential,
            grant_types=wish.grant_types,
            redirect_uris=wish.redirect_uris,
            scopes=wish.scopes,
        )
    except (InputError, RuleError) as exc:
        raise refused_metadata(exc) from exc
    FrontDoorClient.objects.filter(pk=client.pk).update(remarks=dict(wish.remarks))
    return changed


def _check_unchangeable(credential: Credential, wish: ClientWish) -> None:
    if wish.key_manager and wish.key_manager != credential.key_manager.slug:
        raise MetadataRefused("key_manager", "A client cannot move to another key manager; register a new one.")
    if wish.environment != credential.environment:
        raise MetadataRefused("environment", "A client keeps its environment; register a new one.")
    if wish.token_endpoint_auth_method != credential.token_endpoint_auth_method:
        raise MetadataRefused("token_endpoint_auth_method", "A client keeps its method; register a new one.")
    if wish.software_id and wish.software_id != credential.application.software_id:
        raise MetadataRefused("software_id", "This cannot be changed.")


@transaction.atomic
def remove_client(*, actor: Actor, client: FrontDoorClient) -> None:
    """Refuse the client's tokens from now on and let a job remove it; its application goes with its last client."""
    credential = client.credential
    application = credential.application
    FrontDoorClient.objects.filter(pk=client.pk).update(idempotency_key="", registration_access_token_sha256="")
    if application.credentials.filter(removed_at=None).exclude(pk=credential.pk).exists():
        credentials.remove_credential(actor=actor, credential=credential)
        return
    row = applications.start_removal(actor=actor, application=application)
    if not credentials.remove_all_credentials(actor=actor, application=row):
        applications.finish_removal(actor=actor, application=row)


@transaction.atomic
def deny_token(*, credential: Credential, token: str, exp: int | None, actor: Actor | None = None) -> RevokedToken:
    """Refuse a token of this client at every gateway from now on, until it would have expired anyway.

    ``exp``: epoch seconds, ``None`` when nobody knows: then the longest lifetime that the settings allow. Only the
    SHA-256 of the token is stored. Repeating it changes nothing. ``actor``: the client itself unless given.
    """
    now = timezone.now()
    longest = now + timedelta(seconds=settings.ARCHWAY_LONGEST_TOKEN_SECONDS)
    expires_at = longest if exp is None else datetime.fromtimestamp(min(exp, _END_OF_TIME), tz=UTC)
    row, made = RevokedToken.objects.get_or_create(
        token_sha256=hashlib.sha256(token.encode()).hexdigest(), defaults={"expires_at": expires_at}
    )
    if made:
        who = actor or Actor(name=f"client {credential.client_id}"[:150])
        audit(who, "token.revoke", credential, team_id=credential.application.team_id)
        announce(ChangeKind.TOKEN, row.token_sha256)
    return row
