"""What app developers do: one transaction over applications, their credentials and subscriptions.

Nothing here calls a key manager but ``issue_token``, which is a token call and synchronous by design.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, KeyManagerRejected, RuleError
from keymanager.adapters.contract import Capability
from keymanager.models import Credential, KeyManager
from keymanager.services import credentials, mapped_credentials
from keymanager.services.acceptance import accepted_key_managers
from keymanager.services.adapters import adapter_for
from keymanager.services.allowances import follow_subscriptions
from keymanager.services.tokens import IssuedToken, application_token
from subscriptions.models import ApiVersion, Application, Plan, Subscription
from subscriptions.services import applications, subscribing
from subscriptions.states import ApplicationState

__all__ = [
    "NewCredential",
    "change_credential",
    "create_application",
    "issue_token",
    "remove_application",
    "rename_application",
    "subscribe",
    "subscribe_new_application",
    "unsubscribe",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """One client that shall be registered; ``key_manager`` is a slug.

    ``client_id``: it exists there already and shall be used as it is; ``client_secret``: its secret, if it is told.
    """

    key_manager: str
    environment: str = "production"
    grant_types: Sequence[str] = ("client_credentials",)
    redirect_uris: Sequence[str] = ()
    scopes: Sequence[str] = ()
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - the name of a method (RFC 7591)
    extra: Mapping[str, Any] = field(default_factory=dict)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


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
    """Wish for a client, or map one that exists; a job does the rest. Raises ``InputError`` naming the field."""
    actor.require_role(Role.APP_DEVELOPER)
    applications.require_active(application)
    key_manager = KeyManager.objects.filter(slug=new.key_manager).first()
    if key_manager is None:
        raise InputError.of("key_manager", f"There is no key manager {new.key_manager!r}.")
    if new.client_secret and not new.client_id:
        raise InputError.of("client_secret", "Only a client that exists has one; give its client_id too.")
    if new.client_id and new.extra:
        raise InputError.of("extra", "Nothing is changed at a client made elsewhere.")
    if new.client_id:
        return mapped_credentials.map_client(
            actor=actor,
            application=application,
            key_manager=key_manager,
            client_id=new.client_id,
            client_secret=new.client_secret,
            environment=new.environment,
            grant_types=new.grant_types,
            redirect_uris=new.redirect_uris,
            scopes=new.scopes,
            token_endpoint_auth_method=new.token_endpoint_auth_method,
        )
    return credentials.request_credential(
        actor=actor,
        application=application,
        key_manager=key_manager,
        environment=new.environment,
        grant_types=new.grant_types,
        redirect_uris=new.redirect_uris,
        scopes=new.scopes,
        token_endpoint_auth_method=new.token_endpoint_auth_method,
        extra=new.extra,
    )


@transaction.atomic
def change_credential(
    *,
    actor: Actor,
    credential: Credential,
    grant_types: Sequence[str] | None = None,
    redirect_uris: Sequence[str] | None = None,
    scopes: Sequence[str] | None = None,
    extra: Mapping[str, Any] | None = None,
    client_secret: str | None = None,
) -> Credential:
    """Change what is given; ``client_secret`` only of a client made elsewhere. Raises ``InputError``, ``RuleError``."""
    row = credentials.change_credential(
        actor=actor,
        credential=credential,
        grant_types=grant_types,
        redirect_uris=redirect_uris,
        scopes=scopes,
        extra=extra,
    )
    if client_secret is None:
        return row
    return mapped_credentials.correct_secret(actor=actor, credential=row, client_secret=client_secret)


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


@transaction.atomic
def subscribe(*, actor: Actor, application: Application, api_version: ApiVersion, plan: Plan) -> Subscription:
    """Let an application call an API version; its clients may have that API's scopes. Raises ``RuleError``."""
    row = subscribing.subscribe(actor=actor, application=application, api_version=api_version, plan=plan)
    follow_subscriptions(actor=actor, application_ids=[row.application_id])
    return row


@transaction.atomic
def subscribe_new_application(*, actor: Actor, name: str, api_version: ApiVersion, plan: Plan) -> Subscription:
    """An application of the actor's own team, subscribed; both are saved, or none.

    Where the API version accepts one key manager alone, a client is wished for there. Raises ``InputError`` naming
    ``name``, ``RuleError``.
    """
    if actor.team_id is None:
        raise RuleError("You belong to no team that could own an application.")
    accepted = list(accepted_key_managers(api_version)[:2])
    wanted = [NewCredential(key_manager=row.slug) for row in accepted if len(accepted) == 1 and _registers(row)]
    application = create_application(actor=actor, team_id=actor.team_id, name=name, wanted=wanted)
    return subscribe(actor=actor, application=application, api_version=api_version, plan=plan)


def _registers(key_manager: KeyManager) -> bool:
    return Capability.CREATE_CLIENT in adapter_for(key_manager).capabilities


@transaction.atomic
def unsubscribe(*, actor: Actor, subscription: Subscription) -> None:
    """End a subscription, and what the application's clients may have by it."""
    subscribing.unsubscribe(actor=actor, subscription=subscription)
    follow_subscriptions(actor=actor, application_ids=[subscription.application_id])


def issue_token(*, actor: Actor, credential: Credential, scopes: Sequence[str]) -> IssuedToken:
    """A client_credentials token for the credential; it is stored nowhere.

    Raises ``InputError`` naming ``scopes`` when the client may have none, ``RuleError`` when it is not registered or
    its secret is not kept, ``KeyManagerRejected`` with the key manager's words, ``KeyManagerUnavailable``.
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
