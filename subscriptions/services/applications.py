"""Writes on applications. The clients of an application are ``keymanager``'s."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, RuleError
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.rules import check_name
from subscriptions.states import ApplicationState


@transaction.atomic
def create_application(
    *, actor: Actor, team_id: uuid.UUID, name: str, description: str = "", software_id: str = ""
) -> Application:
    """A new application of a team. Raises ``InputError`` naming the field, ``RuleError`` when the name is taken."""
    actor.require_role(Role.APP_DEVELOPER)
    cleaned = check_name(name, longest=100)
    _check_description(description)
    try:
        with transaction.atomic():
            row = Application.objects.create(
                team_id=team_id, name=cleaned, description=description, software_id=software_id
            )
    except IntegrityError as exc:
        raise RuleError(
            f"name: your team already has an application {cleaned!r}.", fields={"name": ["This name is taken."]}
        ) from exc
    audit(actor, "application.create", row, team_id=team_id)
    announce(ChangeKind.APPLICATION, row.pk)
    return row


@transaction.atomic
def change_application(
    *, actor: Actor, application: Application, name: str | None = None, description: str | None = None
) -> Application:
    """Change what is given. Raises as ``create_application`` does, and ``RuleError`` while it is being removed."""
    require_active(application)
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = check_name(name, longest=100)
    if description is not None:
        _check_description(description)
        changes["description"] = description
    try:
        with transaction.atomic():
            Application.objects.filter(pk=application.pk).update(**changes, revision=F("revision") + 1)
    except IntegrityError as exc:
        raise RuleError("name: this name is taken in your team.", fields={"name": ["This name is taken."]}) from exc
    application.refresh_from_db()
    audit(actor, "application.change", application, team_id=application.team_id, detail={"changed": sorted(changes)})
    announce(ChangeKind.APPLICATION, application.pk)
    return application


@transaction.atomic
def start_removal(*, actor: Actor, application: Application) -> Application:
    """From now on every call of the application is refused; ``finish_removal`` follows when its clients are gone."""
    moved = Application.objects.filter(pk=application.pk, state=ApplicationState.ACTIVE).update(
        state=ApplicationState.REMOVING, revision=F("revision") + 1
    )
    application.refresh_from_db()
    if moved:
        audit(actor, "application.remove", application, team_id=application.team_id)
        announce(ChangeKind.APPLICATION, application.pk)
    return application


@transaction.atomic
def finish_removal(*, actor: Actor, application: Application) -> bool:
    """Mark a removing application as removed and end its subscriptions. Repeating it changes nothing."""
    moved = Application.objects.filter(pk=application.pk, state=ApplicationState.REMOVING).update(
        state=ApplicationState.REMOVED, revision=F("revision") + 1
    )
    if not moved:
        return False
    application.refresh_from_db()
    for subscription in application.subscriptions.all():
        announce(ChangeKind.SUBSCRIPTION, subscription.pk)
    application.subscriptions.all().delete()
    audit(actor, "application.removed", application, team_id=application.team_id)
    announce(ChangeKind.APPLICATION, application.pk)
    return True


def require_active(application: Application) -> None:
    """Raise ``RuleError`` unless the application is active."""
    if application.state != ApplicationState.ACTIVE:
        raise RuleError("The application is being removed.")


def _check_description(description: str) -> None:
    if len(description) > 512:
        raise InputError.of("description", "At most 512 characters.")
