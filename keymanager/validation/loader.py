"""Rows of the database -> facts. One query per table at start, one per object afterwards."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Q, QuerySet

from keymanager.adapters.token_rules import TokenRules
from keymanager.models import AcceptedKeyManagers, ClaimedIssuer, Credential, KeyManager, RevokedToken
from keymanager.registrations.states import Wish
from keymanager.validation.facts import (
    ApplicationFacts,
    CredentialFacts,
    Id,
    KeyManagerFacts,
    OperationFacts,
    PlanFacts,
    Route,
    SubscriptionFacts,
)
from keymanager.validation.matching import OperationMatcher
from keymanager.validation.snapshot import Snapshot
from subscriptions.models import ApiVersion, Application, Operation, Plan, Scope, Subscription
from subscriptions.states import ApiState, ApplicationState, Environment, OperationAuth, SubscriptionState

EVERYTHING = Q()
_RULES = TokenRules()
_CHUNK = 5000
_STATES = {state.value: state for state in SubscriptionState}
_ENVIRONMENTS = {environment.value: environment for environment in Environment}


def load_snapshot() -> Snapshot:
    """Everything, read anew."""
    snapshot = Snapshot()
    snapshot.put_plans(plans())
    snapshot.put_key_managers(key_managers())
    snapshot.put_routes(routes())
    snapshot.put_applications(applications())
    snapshot.put_credentials(credentials())
    snapshot.put_subscriptions(subscriptions())
    snapshot.put_revoked(revoked_tokens())
    return snapshot


def plans(where: Q = EVERYTHING) -> Iterator[PlanFacts]:
    """Plans that match."""
    rows = Plan.objects.filter(where).values_list("id", "slug", "name", "requests", "per_seconds")
    for pk, slug, name, requests, per_seconds in rows.iterator(_CHUNK):
        yield PlanFacts(id=pk.int, slug=slug, name=name, requests=requests or 0, per_seconds=per_seconds or 0)


def key_managers() -> list[KeyManagerFacts]:
    """All key managers, in the order in which opaque tokens are tried: the oldest first."""
    issuers: dict[uuid.UUID, set[str]] = defaultdict(set)
    for key_manager_id, issuer in ClaimedIssuer.objects.values_list("key_manager_id", "issuer"):
        issuers[key_manager_id].add(issuer)
    rows = KeyManager.objects.order_by("created_at", "slug")
    return [
        KeyManagerFacts(
            id=row.pk.int,
            slug=row.slug,
            issuers=frozenset(issuers[row.pk]),
            enabled=row.takes_tokens,
            revision=row.revision,
            position=position,
            audience_rule=row.config.get("audience_rule", _RULES.audience_rule),
            audiences=frozenset(row.config.get("expected_audiences", _RULES.expected_audiences)),
            shares_users=row.config.get("user_store", _RULES.user_store) == "shared",
        )
        for position, row in enumerate(rows.only("slug", "config", "enabled", "when_disabled", "revision"))
    ]


def routes(where: Q = EVERYTHING) -> list[Route]:
    """API versions that match, with operations, scopes and accepted key managers: five queries in all."""
    rows = ApiVersion.objects.filter(where)
    operations = _operations(rows)
    accepted = _accepted(rows)
    bound = _scope_roles(rows)
    columns = rows.values_list(
        "id", "api_id", "api__name", "api__context", "version", "state", "audiences",
        "production_url", "sandbox_url", "backend_jwt", "forward_token", "user_claims",
    )  # fmt: skip
    return [
        Route(
            id=pk.int,
            api_id=str(api_id),
            api_version_id=str(pk),
            name=name,
            context=context,
            version=version,
            state=ApiState(state),
            matcher=OperationMatcher((operation.method, operation.path, operation) for operation in operations[pk]),
            audiences=frozenset(audiences),
            accepted=accepted.get(pk),
            has_production=bool(production_url),
            has_sandbox=bool(sandbox_url),
            backend_jwt=backend_jwt,
            forward_token=forward_token,
            scope_roles=bound.get(pk, {}),
            user_claims=user_claims,
        )
        for (
            pk, api_id, name, context, version, state, audiences,
            production_url, sandbox_url, backend_jwt, forward_token, user_claims,
        ) in columns
    ]  # fmt: skip


def _operations(rows: QuerySet[ApiVersion]) -> dict[uuid.UUID, list[OperationFacts]]:
    """Equal scope sets are shared: most operations of most APIs have the same few."""
    query = (
        Operation.objects.filter(api_version__in=rows)
        .order_by("api_version_id", "position", "id")
        .values_list("id", "api_version_id", "method", "path", "auth", "scopes__key")
    )
    shared: dict[frozenset[str], frozenset[str]] = {}
    found: dict[uuid.UUID, list[OperationFacts]] = defaultdict(list)
    for _, group in itertools.groupby(query.iterator(_CHUNK), key=lambda row: row[0]):
        lines = list(group)
        _, api_version_id, method, path, auth, _ = lines[0]
        scopes = frozenset(line[5] for line in lines if line[5])
        found[api_version_id].append(
            OperationFacts(
                method=method,
                path=path,
                scopes=shared.setdefault(scopes, scopes),
                needs_token=auth != OperationAuth.NONE,
            )
        )
    return found


def _scope_roles(rows: QuerySet[ApiVersion]) -> dict[uuid.UUID, dict[str, frozenset[str]]]:
    found: dict[uuid.UUID, dict[str, frozenset[str]]] = defaultdict(dict)
    query = Scope.objects.filter(api_version__in=rows).exclude(roles=[])
    for api_version_id, key, roles in query.values_list("api_version_id", "key", "roles"):
        found[api_version_id][key] = frozenset(roles)
    return dict(found)


def _accepted(rows: QuerySet[ApiVersion]) -> dict[uuid.UUID, frozenset[Id]]:
    query = AcceptedKeyManagers.objects.filter(api_version__in=rows, accepts_all=False)
    listed: dict[uuid.UUID, set[Id]] = defaultdict(set)
    for api_version_id, key_manager_id in query.values_list("api_version_id", "key_managers"):
        listed[api_version_id].update(() if key_manager_id is None else (key_manager_id.int,))
    return {api_version_id: frozenset(ids) for api_version_id, ids in listed.items()}


def applications(where: Q = EVERYTHING) -> Iterator[ApplicationFacts]:
    """Applications that match and are not gone for good."""
    rows = Application.objects.filter(where).exclude(state=ApplicationState.REMOVED).values_list("id", "name", "state")
    for pk, name, state in rows.iterator(_CHUNK):
        yield ApplicationFacts(id=pk.int, uuid=str(pk), name=name, active=state == ApplicationState.ACTIVE)


def credentials(where: Q = EVERYTHING) -> Iterator[CredentialFacts]:
    """Usable credentials that match: with a client id, not removed, and no removal asked for."""
    rows = (
        Credential.objects.filter(where, removed_at=None)
        .exclude(client_id="")
        .exclude(registration__wish=Wish.ABSENT)
        .values_list("id", "application_id", "key_manager_id", "client_id", "environment")
    )
    for pk, application_id, key_manager_id, client_id, environment in rows.iterator(_CHUNK):
        yield CredentialFacts(
            id=pk.int,
            application_id=application_id.int,
            key_manager_id=key_manager_id.int,
            client_id=client_id,
            environment=_ENVIRONMENTS[environment],
        )


def subscriptions(where: Q = EVERYTHING) -> Iterator[SubscriptionFacts]:
    """Subscriptions that match; equal ids are shared between rows."""
    rows = Subscription.objects.filter(where).values_list("id", "application_id", "api_version_id", "plan_id", "state")
    shared: dict[Id, Id] = {}
    for pk, application_id, api_version_id, plan_id, state in rows.iterator(_CHUNK):
        yield SubscriptionFacts(
            id=pk.int,
            application_id=shared.setdefault(application_id.int, application_id.int),
            api_version_id=shared.setdefault(api_version_id.int, api_version_id.int),
            plan_id=shared.setdefault(plan_id.int, plan_id.int),
            state=_STATES[state],
        )


def revoked_tokens(where: Q = EVERYTHING) -> Iterator[tuple[bytes, float]]:
    """SHA-256 and natural end of revoked tokens that match."""
    rows = RevokedToken.objects.filter(where).values_list("token_sha256", "expires_at")
    for sha256, expires_at in rows.iterator(_CHUNK):
        yield bytes.fromhex(sha256), expires_at.timestamp()
