"""Writes on the guides of API versions. They decide nothing at the gateway, so no validator is told."""

from django.db import IntegrityError, transaction

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from subscriptions.models import ApiDocument, ApiVersion
from subscriptions.recording import audit
from subscriptions.rules import check_name

_LONGEST_TEXT = 200_000


@transaction.atomic
def create_document(
    *, actor: Actor, api_version: ApiVersion, title: str, text: str, position: int = 1, visible: bool = True
) -> ApiDocument:
    """A new guide. Raises ``InputError`` naming ``title`` or ``text``, ``RuleError`` for a title that is taken."""
    actor.require_role(Role.API_DEVELOPER, Role.PUBLISHER)
    row = ApiDocument(api_version=api_version, position=position, visible=visible)
    _write(row, title=title, text=text)
    _audit(actor, "document.create", row)
    return row


@transaction.atomic
def change_document(
    *, actor: Actor, document: ApiDocument, title: str, text: str, position: int, visible: bool
) -> ApiDocument:
    """Replace everything that a guide is. Raises as ``create_document``."""
    actor.require_role(Role.API_DEVELOPER, Role.PUBLISHER)
    document.position, document.visible = position, visible
    _write(document, title=title, text=text)
    _audit(actor, "document.change", document)
    return document


@transaction.atomic
def delete_document(*, actor: Actor, document: ApiDocument) -> None:
    """Delete a guide for good."""
    actor.require_role(Role.API_DEVELOPER, Role.PUBLISHER)
    _audit(actor, "document.delete", document)
    document.delete()


def _write(row: ApiDocument, *, title: str, text: str) -> None:
    row.title = check_name(title, longest=100, field="title")
    if not text.strip():
        raise InputError.of("text", "This must not be empty.")
    if len(text) > _LONGEST_TEXT:
        raise InputError.of("text", f"At most {_LONGEST_TEXT} characters, this has {len(text)}.")
    row.text = text
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        raise RuleError(f"title: {row.title} is taken.", fields={"title": ["This title is taken."]}) from exc


def _audit(actor: Actor, action: str, row: ApiDocument) -> None:
    version = row.api_version
    detail = {"document": row.title, "visible": row.visible}
    audit(actor, action, version, team_id=version.api.team_id, detail=detail)
