"""Writes on plans."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, NotFound, RuleError
from subscriptions.models import ChangeKind, Plan
from subscriptions.recording import announce, audit
from subscriptions.rules import check_name


@transaction.atomic
def create_plan(
    *,
    actor: Actor,
    slug: str,
    name: str,
    requests: int | None = None,
    per_seconds: int | None = None,
    description: str = "",
) -> Plan:
    """A plan of ``requests`` calls in ``per_seconds`` seconds, or without a limit when both are ``None``."""
    actor.require_role(Role.ADMINISTRATOR)
    try:
        validate_slug(slug)
    except ValidationError as exc:
        raise InputError.of("slug", "Letters, digits, '-' and '_' only.") from exc
    _check_limit(requests, per_seconds)
    try:
        with transaction.atomic():
            plan = Plan.objects.create(
                slug=slug,
                name=check_name(name, longest=100),
                description=description,
                requests=requests,
                per_seconds=per_seconds,
            )
    except IntegrityError as exc:
        raise RuleError("slug: this plan exists.", fields={"slug": ["This plan exists."]}) from exc
    audit(actor, "plan.create", plan)
    announce(ChangeKind.PLAN, plan.pk)
    return plan


@transaction.atomic
def change_plan(*, actor: Actor, plan: Plan, changes: dict[str, Any]) -> Plan:
    """Change name, description or limit; it takes effect at the gateway for every subscription at once."""
    actor.require_role(Role.ADMINISTRATOR)
    # Read again under a lock: saving what the caller once read would undo a change in between.
    plan = _locked(plan)
    if "name" in changes:
        plan.name = check_name(changes["name"], longest=100)
    plan.description = changes.get("description", plan.description)
    plan.requests = changes.get("requests", plan.requests)
    plan.per_seconds = changes.get("per_seconds", plan.per_seconds)
    _check_limit(plan.requests, plan.per_seconds)
    plan.save()
    audit(actor, "plan.change", plan, detail={"changed": sorted(changes)})
    announce(ChangeKind.PLAN, plan.pk)
    return plan


@transaction.atomic
def delete_plan(*, actor: Actor, plan: Plan) -> Plan:
    """Delete a plan that nothing uses. Raises ``RuleError`` saying how many APIs and subscriptions use it."""
    actor.require_role(Role.ADMINISTRATOR)
    plan = _locked(plan)
    unmet = []
    if apis := plan.api_versions.count():
        unmet.append(f"{apis} API versions offer it.")
    if subscriptions := plan.subscriptions.count():
        unmet.append(f"{subscriptions} subscriptions use it.")
    if unmet:
        raise RuleError("The plan is in use.", unmet=unmet)
    audit(actor, "plan.delete", plan)
    plan.delete()
    return plan


def _locked(plan: Plan) -> Plan:
    row = Plan.objects.select_for_update().filter(pk=plan.pk).first()
    if row is None:
        raise NotFound
    return row


def _check_limit(requests: int | None, per_seconds: int | None) -> None:
    if (requests is None) != (per_seconds is None):
        missing = "requests" if requests is None else "per_seconds"
        raise InputError.of(missing, "Give both requests and per_seconds, or neither for no limit.")
    if requests is not None and not 0 < requests <= 1_000_000_000:
        raise InputError.of("requests", "A whole number from 1 to 1,000,000,000.")
    if per_seconds is not None and not 0 < per_seconds <= 31 * 86400:
        raise InputError.of("per_seconds", "From 1 second to 31 days.")
