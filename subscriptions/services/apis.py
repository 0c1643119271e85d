"""Writes on APIs and their versions. What a key manager must know of them is ``keymanager``'s."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.actor import Actor
from accounts.models import Role
from common.errors import InputError, NotFound, RuleError
from subscriptions.models import Api, ApiVersion, ChangeKind, Plan, Subscription
from subscriptions.recording import announce, audit
from subscriptions.rules import (
    PublishFacts,
    check_audiences,
    check_context,
    check_endpoint,
    check_name,
    check_scope_roles,
    check_tags,
    check_user_claims,
    check_version,
    unmet_for_publishing,
)
from subscriptions.services.designs import DesignInput, store_design
from subscriptions.states import ROUTED, ApiState, LifecycleAction, available_actions, next_state

_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """What a publisher may set on an API version besides its design; ``None`` leaves it as it is."""

    description: str | None = None
    tags: Collection[str] | None = None
    production_url: str | None = None
    sandbox_url: str | None = None
    plans: Sequence[Plan] | None = None
    public: bool | None = None
    forward_token: bool | None = None
    backend_jwt: bool | None = None
    audiences: Sequence[str] | None = None
    scope_roles: Mapping[str, Sequence[str]] | None = None
    user_claims: Mapping[str, str] | None = None


@transaction.atomic
def create_api_version(
    *,
    actor: Actor,
    team_id: uuid.UUID,
    name: str,
    context: str,
    version: str,
    facts: VersionFacts,
    design: DesignInput,
) -> ApiVersion:
    """An API with its first version, or one more version of an API of the same team, name and context."""
    actor.require_role(Role.API_DEVELOPER)
    api = _api_for(actor, team_id=team_id, name=name, context=context)
    try:
        with transaction.atomic():
            row = ApiVersion.objects.create(api=api, version=check_version(version))
    except IntegrityError as exc:
        raise RuleError(f"version: {api.name} {version} exists.", fields={"version": ["This version exists."]}) from exc
    _apply_facts(row, facts)
    row.save()
    store_design(row, design)
    _bind_roles(row, facts.scope_roles)
    audit(actor, "api.create", row, team_id=team_id)
    announce(ChangeKind.API_VERSION, row.pk)
    return row


def lock_api_version(pk: uuid.UUID) -> ApiVersion:
    """The row as it is now, which nobody else changes until the transaction ends. Raises ``NotFound``."""
    row = ApiVersion.objects.select_for_update(of=("self",)).select_related("api").filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


@transaction.atomic
def change_api_version(*, actor: Actor, api_version: ApiVersion, facts: VersionFacts) -> ApiVersion:
    """Change what is given. A version at the gateway must stay publishable: ``RuleError`` with the unmet checks."""
    actor.require_role(Role.API_DEVELOPER)
    # Read again under a lock: saving what the caller once read would undo a lifecycle action in between.
    row = lock_api_version(api_version.pk)
    _apply_facts(row, facts)
    _bind_roles(row, facts.scope_roles)
    row.revision += 1
    row.save()
    if row.state in ROUTED:
        unmet = unmet_for_publishing(publish_facts(row, accepted_key_managers=1))
        if unmet:
            raise RuleError(f"A {row.state} API cannot lose this.", unmet=unmet)
    audit(actor, "api.change", row, team_id=row.api.team_id)
    announce(ChangeKind.API_VERSION, row.pk)
    return row


@transaction.atomic
def replace_design(*, actor: Actor, api_version: ApiVersion, design: DesignInput) -> ApiVersion:
    """Replace operations, scopes and document together; the old ones stay when anything is wrong."""
    actor.require_role(Role.API_DEVELOPER)
    store_design(api_version, design)
    ApiVersion.objects.filter(pk=api_version.pk).update(revision=F("revision") + 1)
    api_version.refresh_from_db()
    audit(actor, "api.design", api_version, team_id=api_version.api.team_id)
    announce(ChangeKind.API_VERSION, api_version.pk)
    return api_version


@transaction.atomic
def move_api_version(
    *, actor: Actor, api_version: ApiVersion, action: LifecycleAction, accepted_key_managers: int
) -> ApiVersion:
    """Carry out a lifecycle action. Raises ``RuleError`` with the unmet checks, or the actions that are possible."""
    actor.require_role(Role.PUBLISHER)
    state = ApiState(api_version.state)
    target = next_state(state, action)
    if target is None:
        possible = ", ".join(available_actions(state)) or "nothing"
        raise RuleError(f"action: a {state} API cannot {action}; possible: {possible}.", unmet=[f"The API is {state}."])
    if target is ApiState.PUBLISHED:
        unmet = unmet_for_publishing(publish_facts(api_version, accepted_key_managers=accepted_key_managers))
        if unmet:
            raise RuleError("The API cannot be published yet.", unmet=unmet)
    moved = ApiVersion.objects.filter(pk=api_version.pk, state=state).update(state=target, revision=F("revision") + 1)
    if not moved:
        raise RuleError("Somebody else changed the API in this moment; look again.")
    api_version.refresh_from_db()
    audit(
        actor,
        f"api.{action}",
        api_version,
        team_id=api_version.api.team_id,
        detail={"from": state.value, "to": target.value},
    )
    announce(ChangeKind.API_VERSION, api_version.pk)
    return api_version


@transaction.atomic
def delete_api_version(*, actor: Actor, api_version: ApiVersion, end_subscriptions: bool = False) -> None:
    """Delete a version that is not at the gateway; its API goes with its last version.

    Raises ``RuleError`` with the unmet checks; one of them names who is subscribed, unless ``end_subscriptions``.
    """
    actor.require_role(Role.API_DEVELOPER)
    unmet = []
    if api_version.state not in {ApiState.CREATED, ApiState.RETIRED}:
        unmet.append(f"The API is {api_version.state}; demote or retire it first.")
    hit = list(api_version.subscriptions.select_related("application").order_by("application__name", "pk"))
    if hit and not end_subscriptions:
        unmet.append(f"{len(hit)} subscriptions use it and would end: {_subscribers(hit)}.")
    if unmet:
        raise RuleError("The API cannot be deleted.", unmet=unmet)
    for row in hit:
        audit(actor, "subscription.delete", row, team_id=row.application.team_id, detail={"api": str(api_version)})
        announce(ChangeKind.SUBSCRIPTION, row.pk)
        row.delete()
    api = api_version.api
    audit(actor, "api.delete", api_version, team_id=api.team_id)
    announce(ChangeKind.API_VERSION, api_version.pk)
    api_version.delete()
    if not api.versions.exists():
        api.delete()


def _subscribers(rows: Sequence[Subscription]) -> str:
    """The applications, as many as a sentence can hold."""
    names = list(dict.fromkeys(row.application.name for row in rows))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def publish_facts(api_version: ApiVersion, *, accepted_key_managers: int) -> PublishFacts:
    """What decides whether ``api_version`` can be published."""
    return PublishFacts(
        operations=api_version.operations.count(),
        plans=api_version.plans.count(),
        production_url=api_version.production_url,
        sandbox_url=api_version.sandbox_url,
        accepted_key_managers=accepted_key_managers,
    )


def _api_for(actor: Actor, *, team_id: uuid.UUID, name: str, context: str) -> Api:
    name = check_name(name, longest=60)
    context = check_context(context.rstrip("/") if len(context) > 1 else context)
    same_name = Api.objects.filter(name__iexact=name).first()
    if same_name and same_name.team_id == team_id and same_name.context == context:
        return same_name
    if same_name:
        raise RuleError(f"name: {name!r} is taken.", fields={"name": ["This name is taken."]})
    _refuse_overlapping_context(context)
    try:
        with transaction.atomic():
            return Api.objects.create(team_id=team_id, name=name, context=context)
    except IntegrityError as exc:
        raise RuleError("name or context is taken.", fields={"context": ["This context is taken."]}) from exc


def _refuse_overlapping_context(context: str) -> None:
    """``/a`` with version ``b`` and ``/a/b`` would share a gateway path, so one context may not lie inside another."""
    parts = context.split("/")
    above = ["/".join(parts[:end]) for end in range(2, len(parts))]
    for other in above:
        if Api.objects.filter(context__iexact=other).exists():
            raise RuleError(f"context: it lies inside {other}.", fields={"context": [f"It lies inside {other}."]})
    inside = Api.objects.filter(context__istartswith=context + "/").first()
    if inside:
        raise RuleError(
            f"context: {inside.context} lies inside it.", fields={"context": [f"{inside.context} lies inside it."]}
        )
    if Api.objects.filter(context__iexact=context).exists():
        raise RuleError(f"context: {context} is taken.", fields={"context": ["This context is taken."]})


def _apply_facts(row: ApiVersion, facts: VersionFacts) -> None:
    for name in ("description", "public", "forward_token", "backend_jwt"):
        value = getattr(facts, name)
        if value is not None:
            setattr(row, name, value)
    if facts.tags is not None:
        row.tags = check_tags(facts.tags)
    if facts.user_claims is not None:
        row.user_claims = check_user_claims(facts.user_claims)
    if facts.audiences is not None:
        row.audiences = check_audiences(facts.audiences)
    if facts.production_url is not None:
        row.production_url = check_endpoint(facts.production_url, "endpoints.production")
    if facts.sandbox_url is not None:
        row.sandbox_url = check_endpoint(facts.sandbox_url, "endpoints.sandbox")
    if facts.plans is not None:
        _require_unused_plans_only(row, facts.plans)
        row.plans.set(facts.plans)


def _bind_roles(row: ApiVersion, scope_roles: Mapping[str, Sequence[str]] | None) -> None:
    """Bind the scopes to these roles and every other scope to none; ``None`` leaves all as they are."""
    if scope_roles is None:
        return
    wanted = check_scope_roles(scope_roles)
    scopes = {scope.key: scope for scope in row.scopes.all()}
    unknown = sorted(set(wanted) - set(scopes))
    if unknown:
        raise InputError.of("scope_roles", f"The API has no scope {', '.join(unknown)}.")
    for key, scope in scopes.items():
        if scope.roles != wanted.get(key, []):
            scope.roles = wanted.get(key, [])
            scope.save(update_fields=["roles"])


def _require_unused_plans_only(row: ApiVersion, kept: Sequence[Plan]) -> None:
    used = row.subscriptions.exclude(plan__in=kept).values_list("plan__slug", flat=True).distinct()
    if used:
        raise RuleError(
            f"plans: subscriptions use {', '.join(sorted(used))}.",
            fields={"plans": [f"Subscriptions use {', '.join(sorted(used))}."]},
        )
