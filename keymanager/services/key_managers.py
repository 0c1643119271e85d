"""Writes on key managers. Every one is a transaction with its audit row and its change event."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.actor import SYSTEM, Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from keymanager.models import KeyManager, WhenDisabled
from keymanager.registrations.wishes import wake_registrations
from keymanager.resident.issuer import issuer as resident_issuer
from keymanager.sealing import seal_config
from keymanager.services.adapters import RESIDENT, adapter_for, stored_config
from keymanager.services.checks import start_check
from keymanager.services.configuration import MASK, SplitConfig, checked_config, config_fields, shown_config
from keymanager.services.discovery import Discovered, discover
from keymanager.services.issuers import claim_issuers
from keymanager.services.key_manager_deletion import delete_key_manager
from keymanager.services.key_manager_usage import usage_of
from keymanager.services.resources import sync_key_manager
from keymanager.services.user_stores import require_users_kept
from subscriptions.models import AuditEvent, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.rules import check_name

__all__ = [
    "MASK",
    "Discovered",
    "adapter_for",
    "config_fields",
    "create_key_manager",
    "delete_key_manager",
    "disable_key_manager",
    "discover",
    "enable_key_manager",
    "ensure_resident",
    "resident_was_deleted",
    "shown_config",
    "start_check",
    "update_key_manager",
    "usage_of",
]


@transaction.atomic
def create_key_manager(
    *,
    actor: Actor,
    slug: str,
    name: str,
    adapter: str,
    config: Mapping[str, Any],
    description: str = "",
    enabled: bool = True,
    when_disabled: str = WhenDisabled.REFUSE,
    keep_secrets: bool = True,
) -> KeyManager:
    """A new key manager; when enabled, existing API versions that accept it are wished for there.

    ``config`` may name a ``preset``. Raises ``InputError`` naming ``slug``, ``name``, ``adapter``, ``issuer`` or
    ``config.<field>``, ``RuleError`` naming the ``slug`` or ``name`` that is taken, ``NotAllowed``.
    """
    actor.require_role(Role.ADMINISTRATOR)
    if not slug or len(slug) > 60 or slugify(slug) != slug:
        raise InputError.of("slug", "At most 60 lower-case letters, digits and hyphens.")
    row = KeyManager(
        slug=slug,
        name=check_name(name, longest=100),
        description=_description(description),
        adapter=adapter,
        enabled=enabled,
        when_disabled=_when_disabled(when_disabled),
        keep_secrets=keep_secrets,
    )
    return _create(actor, row, checked_config(adapter, config))


def _create(actor: Actor, row: KeyManager, config: SplitConfig) -> KeyManager:
    _apply_config(row, config)
    _save(row)
    audit(actor, "key_manager.create", row, detail={"adapter": row.adapter, "config": sorted(config.open)})
    announce(ChangeKind.KEY_MANAGER, row.pk)
    if row.enabled:
        sync_key_manager(actor=actor, key_manager=row)
    return row


@transaction.atomic
def update_key_manager(
    *,
    actor: Actor,
    key_manager: KeyManager,
    name: str | None = None,
    description: str | None = None,
    adapter: str | None = None,
    config: Mapping[str, Any] | None = None,
    enabled: bool | None = None,
    when_disabled: str | None = None,
    keep_secrets: bool | None = None,
) -> KeyManager:
    """Change what is given; ``config`` is laid over the stored one, and the mask of a secret keeps it.

    Raises as ``create_key_manager`` does, ``InputError`` naming ``adapter`` for another adapter, and ``RuleError``
    while it is being deleted.
    """
    actor.require_role(Role.ADMINISTRATOR)
    row = KeyManager.objects.select_for_update().get(pk=key_manager.pk)
    if adapter is not None and adapter != row.adapter:
        raise InputError.of("adapter", "The adapter cannot be changed; make another key manager.")
    changed = []
    if name is not None:
        row.name = check_name(name, longest=100)
        changed.append("name")
    if description is not None:
        row.description = _description(description)
        changed.append("description")
    if config is not None:
        _apply_config(row, checked_config(row.adapter, config, stored=stored_config(row)))
        changed += [f"config.{field}" for field in sorted(config)]
    changed += _switch(row, enabled, when_disabled)
    if keep_secrets is not None:
        row.keep_secrets = keep_secrets
        if not keep_secrets:
            # Those that nobody has seen yet can still be shown, once.
            row.credentials.filter(secret_unseen=False).update(sealed_secret="")
        changed.append("keep_secrets")
    row.revision += 1
    _save(row)
    audit(actor, "key_manager.change", row, detail={"changed": changed})
    announce(ChangeKind.KEY_MANAGER, row.pk)
    if row.enabled:
        sync_key_manager(actor=actor, key_manager=row)
        wake_registrations(row)
    return row


def _switch(row: KeyManager, enabled: bool | None, when_disabled: str | None) -> list[str]:
    """Set what is given; returns the names of what that changed."""
    if row.deletion_asked_at is not None and (enabled or when_disabled == WhenDisabled.ACCEPT):
        raise RuleError(f"{row.name} is being deleted; it cannot be switched on again.")
    changed = []
    if enabled is not None and enabled != row.enabled:
        row.enabled = enabled
        changed.append("enabled")
    if when_disabled is not None and when_disabled != row.when_disabled:
        row.when_disabled = _when_disabled(when_disabled)
        changed.append("when_disabled")
    return changed


def enable_key_manager(*, actor: Actor, key_manager: KeyManager) -> KeyManager:
    """Accept its tokens and register there again."""
    return update_key_manager(actor=actor, key_manager=key_manager, enabled=True)


def disable_key_manager(
    *, actor: Actor, key_manager: KeyManager, when_disabled: str = WhenDisabled.REFUSE
) -> KeyManager:
    """Register nothing new there; its tokens are refused at once, or still accepted. Removals are still carried out."""
    return update_key_manager(actor=actor, key_manager=key_manager, enabled=False, when_disabled=when_disabled)


@transaction.atomic
def ensure_resident() -> KeyManager:
    """The embedded authorization server as a key manager, made (slug ``resident``) or brought up to date.

    Repeat it freely. It is made even when an administrator has deleted it before; see ``resident_was_deleted``.
    """
    row = KeyManager.objects.filter(adapter=RESIDENT).order_by("created_at").first()
    if row is None:
        row = KeyManager(
            slug=RESIDENT, name="Resident", adapter=RESIDENT, description="The authorization server inside."
        )
        return _create(SYSTEM, row, checked_config(RESIDENT, {}))
    if row.issuer != resident_issuer():
        row.issuer = resident_issuer()
        row.revision += 1
        _save(row)
        audit(SYSTEM, "key_manager.change", row, detail={"changed": ["issuer"]})
        announce(ChangeKind.KEY_MANAGER, row.pk)
    return row


def resident_was_deleted() -> bool:
    """Whether the embedded authorization server was a key manager once and somebody has deleted it."""
    if KeyManager.objects.filter(adapter=RESIDENT).exists():
        return False
    return AuditEvent.objects.filter(action="key_manager.create", detail__adapter=RESIDENT).exists()


def _apply_config(row: KeyManager, config: SplitConfig) -> None:
    row.config = config.open
    row.sealed_config = seal_config(row.pk, config.secret)
    row.issuer = config.issuer


def _save(row: KeyManager) -> None:
    """Save; the database's uniqueness decides, and its refusal gets the name of the field."""
    others = KeyManager.objects.exclude(pk=row.pk)
    if others.filter(slug=row.slug).exists():
        raise _taken("slug", "This slug is taken.")
    if others.filter(name=row.name).exists():
        raise _taken("name", "This name is taken.")
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        raise _taken("slug", "Another key manager with this slug or name was made just now.") from exc
    claim_issuers(row)
    require_users_kept(row)


def _taken(field: str, words: str) -> RuleError:
    return RuleError(f"{field}: {words}", fields={field: [words]})


def _when_disabled(text: str) -> WhenDisabled:
    if text not in WhenDisabled.values:
        raise InputError.of("when_disabled", f"This must be one of: {', '.join(WhenDisabled.values)}.")
    return WhenDisabled(text)


def _description(text: str) -> str:
    if len(text) > 256:
        raise InputError.of("description", "At most 256 characters.")
    return text
