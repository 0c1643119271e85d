"""Writes on subscriptions."""

import uuid
from collections.abc import Collection
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F, Model, QuerySet

from accounts.actor import Actor
from accounts.models import Role
from common.errors import NotFound, RuleError
from subscriptions.models import ApiVersion, Application, ChangeKind, Plan, Subscription
from subscriptions.recording import announce, audit
from subscriptions.services.applications import require_active
from subscriptions.states import SUBSCRIBABLE, ApiState, SubscriptionState

RowT = TypeVar("RowT", bound=Model)


@transaction.atomic
def subscribe(*, actor: Actor, application: Application, api_version: ApiVersion, plan: Plan) -> Subscription:
    """Let an application call an API version.

    Raises ``RuleError`` with the reason when that is not possible, ``NotFound`` when either is gone.
    """
    actor.require_role(Role.APP_DEVELOPER)
    # A removal of either that runs at this moment must see the subscription, or be seen here.
    # The API first, as whoever changes it and then its subscribers does.
    api_version = _locked(ApiVersion.objects.select_related("api"), api_version.pk)
    application = _locked(Application.objects.all(), application.pk)
    require_active(application)
    if ApiState(api_version.state) not in SUBSCRIBABLE:
        raise RuleError(
            f"api: {api_version} is {api_version.state}; only a published API can be subscribed to.",
            fields={"api": [f"This API is {api_version.state}."]},
        )
    _require_offered(api_version, plan)
    try:
        with transaction.atomic():
            row = Subscription.objects.create(application=application, api_version=api_version, plan=plan)
    except IntegrityError as exc:
        raise RuleError(
            f"api: {application} is already subscribed to {api_version}.", fields={"api": ["Already subscribed."]}
        ) from exc
    audit(actor, "subscription.create", row, team_id=application.team_id, detail={"plan": plan.slug})
    announce(ChangeKind.SUBSCRIPTION, row.pk)
    return row


@transaction.atomic
def change_subscription_plan(*, actor: Actor, subscription: Subscription, plan: Plan) -> Subscription:
    """Move a subscription to another plan that the API offers."""
    actor.require_role(Role.APP_DEVELOPER)
    _require_offered(subscription.api_version, plan)
    Subscription.objects.filter(pk=subscription.pk).update(plan=plan, revision=F("revision") + 1)
    subscription.refresh_from_db()
    team_id = subscription.application.team_id
    audit(actor, "subscription.change", subscription, team_id=team_id, detail={"plan": plan.slug})
    announce(ChangeKind.SUBSCRIPTION, subscription.pk)
    return subscription


@transaction.atomic
def unsubscribe(*, actor: Actor, subscription: Subscription) -> None:
    """End a subscription; the gateway refuses its calls from the next change on."""
    actor.require_role(Role.APP_DEVELOPER)
    audit(actor, "subscription.delete", subscription, team_id=subscription.application.team_id)
    announce(ChangeKind.SUBSCRIPTION, subscription.pk)
    Subscription.objects.filter(pk=subscription.pk).delete()


@transaction.atomic
def move_subscription(
    *,
    actor: Actor,
    subscription: Subscription,
    state: SubscriptionState,
    among: Collection[SubscriptionState] = tuple(SubscriptionState),
) -> Subscription:
    """Block, unblock, hold or reject a subscription; repeating it changes nothing.

    Raises ``RuleError`` when its state is not ``among`` those that may be left this way, ``NotFound`` when it ended.
    """
    actor.require_role(Role.PUBLISHER)
    moved = (
        Subscription.objects.filter(pk=subscription.pk, state__in=among)
        .exclude(state=state)
        .update(state=state, revision=F("revision") + 1)
    )
    before = subscription.state
    try:
        subscription.refresh_from_db()
    except Subscription.DoesNotExist as exc:
        raise NotFound from exc
    if not moved and subscription.state not in among:
        raise RuleError(f"The subscription is {subscription.state.replace('_', ' ')}; that is decided by approval.")
    if moved:
        audit(
            actor,
            "subscription.move",
            subscription,
            team_id=subscription.api_version.api.team_id,
            detail={"from": before, "to": state.value},
        )
        announce(ChangeKind.SUBSCRIPTION, subscription.pk)
    return subscription


def _require_offered(api_version: ApiVersion, plan: Plan) -> None:
    if not api_version.plans.filter(pk=plan.pk).exists():
        offered = ", ".join(api_version.plans.values_list("slug", flat=True)) or "none"
        raise RuleError(
            f"plan: {api_version} does not offer {plan.slug}; it offers: {offered}.",
            fields={"plan": [f"Not offered. Offered: {offered}."]},
        )


def _locked(rows: QuerySet[RowT], pk: uuid.UUID) -> RowT:
    row = rows.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
