"""What app developers do: one transaction over applications, their credentials and subscriptions.

Nothing here calls a key manager but ``issue_token``, which is a token call and synchronous by design.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, KeyManagerRejected, RuleError
from keymanager.models import Credential, KeyManager
from keymanager.services import credentials
from keymanager.services.tokens import IssuedToken, application_token
from subscriptions.models import Application
from subscriptions.services import applications
from subscriptions.states import ApplicationState

__all__ = ["NewCredential", "create_application", "issue_token", "remove_application", "rename_application"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """One client that shall be registered; ``key_manager`` is a slug."""

    key_manager: str
    environment: str = "production"
    grant_types: Sequence[str] = ("client_credentials",)
    redirect_uris: Sequence[str] = ()
    scopes: Sequence[str] = ()
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - the name of a method (RFC 7591)


@transaction.atomic
def create_application(
    *, actor: Actor, team_id: uuid.UUID, name: str, description: str = "", wanted: Sequence[NewCredential] = ()
) -> Application:
    """An application and the credentials wished for with it: all are saved, or none."""
    row = applications.create_application(actor=actor, team_id=team_id, name=name, description=description)
    for position, credential in enumerate(wanted):
        try:
            add_credential(actor=actor, application=row, new=credential)
        except InputError as exc:
            fields = {f"credentials[{position}].{field}": texts for field, texts in exc.fields.items()}
            raise InputError(f"credentials[{position}]: {exc.message}", fields=fields) from exc
        except RuleError as exc:
            fields = {f"credentials[{position}].{field}": texts for field, texts in exc.fields.items()}
            raise RuleError(f"credentials[{position}]: {exc.message}", fields=fields, unmet=exc.unmet) from exc
    return row


def add_credential(*, actor: Actor, application: Application, new: NewCredential) -> Credential:
    """Wish for a client; a job registers it. Raises ``InputError`` naming the field, ``RuleError``."""
    actor.require_role(Role.APP_DEVELOPER)
    applications.require_active(application)
    key_manager = KeyManager.objects.filter(slug=new.key_manager).first()
    if key_manager is None:
        raise InputError.of("key_manager", f"There is no key manager {new.key_manager!r}.")
    return credentials.request_credential(
        actor=actor,
        application=application,
        key_manager=key_manager,
        environment=new.environment,
        grant_types=new.grant_types,
        redirect_uris=new.redirect_uris,
        scopes=new.scopes,
        token_endpoint_auth_method=new.token_endpoint_auth_method,
    )


@transaction.atomic
def rename_application(
    *, actor: Actor, application: Application, name: str | None, description: str | None
) -> Application:
    """Change name or description; a new name goes to every active client at its identity provider."""
    actor.require_role(Role.APP_DEVELOPER)
    before = application.name
    row = applications.change_application(actor=actor, application=application, name=name, description=description)
    if row.name != before:
        credentials.application_renamed(actor=actor, application=row)
    return row


@transaction.atomic
def remove_application(*, actor: Actor, application: Application) -> Application:
    """Refuse its calls from now on and remove each of its clients; it is gone when the last client is."""
    actor.require_role(Role.APP_DEVELOPER)
    row = applications.start_removal(actor=actor, application=application)
    if not credentials.remove_all_credentials(actor=actor, application=row):
        applications.finish_removal(actor=actor, application=row)
        row.refresh_from_db()
    return row


def issue_token(*, actor: Actor, credential: Credential, scopes: Sequence[str]) -> IssuedToken:
    """A client_credentials token for the credential; it is stored nowhere.

    Raises ``RuleError`` when the client is not registered or its secret is not kept, ``KeyManagerRejected`` with the
    key manager's words, ``KeyManagerUnavailable``.
    """
    actor.require_role(Role.APP_DEVELOPER)
    if credential.application.state != ApplicationState.ACTIVE:
        raise RuleError("The application is being removed.")
    answer = application_token(credential=credential, scopes=scopes)
    if answer.access_token:
        return answer
    raise KeyManagerRejected(
        f"{credential.key_manager.name} refused: {answer.error} {answer.error_description}".strip(),
        remote_code=answer.error,
        remote_status=answer.status,
        remote_description=answer.error_description,
    )
