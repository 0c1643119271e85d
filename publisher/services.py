"""What publishers do: each function is one transaction over the shared database and the key managers' wishes.

Nothing here calls a key manager; registrations are carried out by jobs after commit.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from accounts.actor import Actor
from common.errors import RuleError
from keymanager.models import AcceptedKeyManagers
from keymanager.services.acceptance import ALL, accept_key_managers, accepted_key_managers
from keymanager.services.allowances import follow_subscriptions, subscribed_applications
from keymanager.services.resources import forget_api_version, sync_api_version
from keymanager.services.user_stores import require_shared_users
from publisher.definitions import Definition
from subscriptions.models import ApiVersion, Subscription
from subscriptions.rules import NO_KEY_MANAGER
from subscriptions.services import apis
from subscriptions.services.apis import VersionFacts
from subscriptions.services.copying import copy_api_version
from subscriptions.services.designs import DesignInput, OperationInput
from subscriptions.services.subscribing import move_subscription
from subscriptions.states import BLOCKABLE, ROUTED, LifecycleAction, OperationAuth, SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApi:
    """What is needed to create an API version."""

    name: str
    version: str
    context: str
    definition: Definition
    facts: VersionFacts = field(default_factory=VersionFacts)
    key_managers: str | Sequence[str] = "all"


def design_of(definition: Definition) -> DesignInput:
    """The stored design of a parsed definition."""
    return DesignInput(
        operations=tuple(
            OperationInput(
                method=operation.method,
                path=operation.path,
                operation_id=operation.operation_id,
                summary=operation.summary,
                auth=OperationAuth(operation.auth),
                scopes=tuple(operation.scopes),
            )
            for operation in definition.operations
        ),
        scopes={scope.key: scope.description for scope in definition.scopes},
        definition=definition.document,
    )


@transaction.atomic
def create_api(*, actor: Actor, team_id: uuid.UUID, new: NewApi) -> ApiVersion:
    """Create an API version; its resource and scopes are wished for at every accepted key manager from now on."""
    row = apis.create_api_version(
        actor=actor,
        team_id=team_id,
        name=new.name,
        context=new.context,
        version=new.version,
        facts=new.facts,
        design=design_of(new.definition),
    )
    accept_key_managers(actor=actor, api_version=row, slugs=new.key_managers)
    require_shared_users(row)
    sync_api_version(actor=actor, api_version=row)
    return row


@transaction.atomic
def copy_api(*, actor: Actor, api_version: ApiVersion, version: str) -> ApiVersion:
    """A new version of the same API with the design, facts and accepted key managers of ``api_version``.

    The copy is a draft without subscriptions. Raises ``InputError`` or ``RuleError`` naming ``version``.
    """
    row = copy_api_version(actor=actor, api_version=api_version, version=version)
    accepted = AcceptedKeyManagers.objects.filter(api_version=api_version).first()
    listed = accepted is not None and not accepted.accepts_all
    slugs = list(accepted.key_managers.values_list("slug", flat=True)) if accepted and listed else ALL
    accept_key_managers(actor=actor, api_version=row, slugs=slugs)
    require_shared_users(row)
    sync_api_version(actor=actor, api_version=row)
    return row


@transaction.atomic
def change_api(
    *, actor: Actor, api_version: ApiVersion, facts: VersionFacts, key_managers: str | Sequence[str] | None = None
) -> ApiVersion:
    """Change facts and, when given, the accepted key managers.

    Raises ``RuleError`` with the unmet checks when a version at the gateway would no longer be publishable.
    """
    row = apis.change_api_version(actor=actor, api_version=api_version, facts=facts)
    if key_managers is not None:
        accept_key_managers(actor=actor, api_version=row, slugs=key_managers)
        if row.state in ROUTED and not accepted_key_managers(row).exists():
            raise RuleError(f"A {row.state} API cannot lose this.", unmet=[NO_KEY_MANAGER])
        sync_api_version(actor=actor, api_version=row)
        follow_subscriptions(actor=actor, application_ids=subscribed_applications(row))
    depends = facts.scope_roles is not None or facts.user_claims is not None
    require_shared_users(row, changed="" if depends or key_managers is None else "key_managers")
    return row


@transaction.atomic
def replace_definition(
    *, actor: Actor, api_version: ApiVersion, definition: Definition, revision: int | None = None
) -> ApiVersion:
    """Replace the definition; operations, scopes, the key managers' scopes and what clients may have follow it.

    ``revision``: the one that the new definition was made from; ``RuleError`` when there is a newer one.
    """
    row = apis.lock_api_version(api_version.pk)
    if revision is not None and row.revision != revision:
        raise RuleError("Somebody else changed the API in the meantime. Look at it again before you save.")
    row = apis.replace_design(actor=actor, api_version=row, design=design_of(definition))
    sync_api_version(actor=actor, api_version=row)
    follow_subscriptions(actor=actor, application_ids=subscribed_applications(row))
    return row


@transaction.atomic
def move_api(*, actor: Actor, api_version: ApiVersion, action: LifecycleAction) -> ApiVersion:
    """Carry out a lifecycle action. Raises ``RuleError`` with the unmet checks."""
    # Locked before the checks: what they find must still be so when the state moves.
    row = apis.lock_api_version(api_version.pk)
    accepted = accepted_key_managers(row).count()
    return apis.move_api_version(actor=actor, api_version=row, action=action, accepted_key_managers=accepted)


@transaction.atomic
def delete_api(*, actor: Actor, api_version: ApiVersion, end_subscriptions: bool = False) -> None:
    """Delete an API version, where said so with its subscriptions, and take its resource and its last-used scopes away
    from the key managers.
    """
    subscribed = list(subscribed_applications(api_version))
    forget_api_version(actor=actor, api_version=api_version)
    apis.delete_api_version(actor=actor, api_version=api_version, end_subscriptions=end_subscriptions)
    follow_subscriptions(actor=actor, application_ids=subscribed)


@transaction.atomic
def block_subscription(*, actor: Actor, subscription: Subscription, production_only: bool) -> Subscription:
    """Refuse every call, or production calls only. Raises ``RuleError`` for one that is on hold or rejected."""
    state = SubscriptionState.PRODUCTION_BLOCKED if production_only else SubscriptionState.BLOCKED
    return _moved(actor, subscription, state)


@transaction.atomic
def unblock_subscription(*, actor: Actor, subscription: Subscription, production_only: bool = False) -> Subscription:
    """Let the calls through again. ``production_only``: lift a block of production calls, and no other.

    Raises ``RuleError`` for one that is on hold or rejected, and naming ``scope`` for one that is blocked whole when
    only production shall be let through: sandbox calls alone cannot stay blocked.
    """
    among = BLOCKABLE - {SubscriptionState.BLOCKED} if production_only else BLOCKABLE
    if production_only and subscription.state == SubscriptionState.BLOCKED:
        words = "The subscription is blocked whole; sandbox calls alone cannot stay blocked."
        raise RuleError(f"scope: {words}", fields={"scope": [words]})
    return _moved(actor, subscription, SubscriptionState.UNBLOCKED, among)


def _moved(
    actor: Actor,
    subscription: Subscription,
    state: SubscriptionState,
    among: Collection[SubscriptionState] = BLOCKABLE,
) -> Subscription:
    row = move_subscription(actor=actor, subscription=subscription, state=state, among=among)
    follow_subscriptions(actor=actor, application_ids=[row.application_id])
    return row
