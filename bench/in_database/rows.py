"""Many rows in few statements: a portal as it looks after years, written past the services."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Role, Team, User
from accounts.queries import personal_team_of
from accounts.services import create_user
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.states import RegistrationKind, RegistrationState
from keymanager.services.key_managers import ensure_resident
from subscriptions.models import Api, ApiVersion, Application, AuditEvent, Operation, Plan, Scope, Subscription
from subscriptions.states import ApiState

OPERATIONS = 20
_BATCH = 2000
_TAGS = ("books", "events", "weather", "payments", "maps")
_WORDS = "A definition of the size that real ones have, so that a list that reads it by mistake shows. "


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows there shall be."""

    api_versions: int
    applications: int
    subscriptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owners:
    """``large`` owns nearly everything, ``small`` twenty applications."""

    large: Team
    small: Team


def person(username: str) -> User:
    """A person with every role, made when missing."""
    found = User.objects.filter(username=username).first()
    return found or create_user(username=username, password=f"{username}-of-the-bench-7391", roles=list(Role))


def fill(size: Size) -> None:
    """Add rows until there are as many as asked for."""
    key_manager = ensure_resident()
    owners = _Owners(large=personal_team_of(person("large")), small=personal_team_of(person("small")))
    versions = _versions(owners, range(ApiVersion.objects.count(), size.api_versions))
    _resources(key_manager, versions)
    _applications(owners, key_manager, range(Application.objects.count(), size.applications))
    _subscriptions(size.subscriptions)


def _versions(owners: _Owners, numbers: range) -> list[ApiVersion]:
    definition = {"openapi": "3.1.0", "info": {"title": "Bench", "version": "1"}, "x-words": _WORDS * 200}
    apis = [Api(team=owners.large, name=f"Bench API {n}", context=f"/bench{n}") for n in numbers]
    versions = [
        ApiVersion(
            api=api,
            version="1.0.0",
            state=ApiState.PUBLISHED,
            description=f"Number {n} of many. {_WORDS}",
            tags=["bench", _TAGS[n % len(_TAGS)]],
            definition=definition,
            production_url=f"http://127.0.0.1:9{n % 100:03}/",
        )
        for n, api in zip(numbers, apis, strict=True)
    ]
    Api.objects.bulk_create(apis, batch_size=_BATCH)
    ApiVersion.objects.bulk_create(versions, batch_size=200)
    plan = Plan.objects.get(slug="unlimited")
    offers = [ApiVersion.plans.through(apiversion=row, plan=plan) for row in versions]
    ApiVersion.plans.through.objects.bulk_create(offers, batch_size=_BATCH)
    _operations(versions)
    return versions


def _operations(versions: list[ApiVersion]) -> None:
    scopes = {row.pk: [Scope(api_version=row, key=f"{row.api.name[10:]}:{verb}") for verb in ("read", "write")]
              for row in versions}  # fmt: skip
    Scope.objects.bulk_create(itertools.chain.from_iterable(scopes.values()), batch_size=_BATCH)
    operations = [
        Operation(
            api_version=row,
            position=n,
            method=("GET", "POST")[n % 2],
            path=f"/things{n // 2}/{{id}}/parts",
            summary="Reads or writes a part",
        )
        for row in versions
        for n in range(OPERATIONS)
    ]
    Operation.objects.bulk_create(operations, batch_size=_BATCH)
    through: Any = Operation.scopes.through
    links = [through(operation=each, scope=scopes[each.api_version_id][each.position % 2]) for each in operations]
    through.objects.bulk_create(links, batch_size=_BATCH)


def _resources(key_manager: KeyManager, versions: list[ApiVersion]) -> None:
    rows = [
        Registration(
            key_manager=key_manager,
            kind=RegistrationKind.RESOURCE,
            api_version=row,
            subject=str(row.pk),
            state=RegistrationState.NOT_KEPT,
        )
        for row in versions
    ]
    Registration.objects.bulk_create(rows, batch_size=_BATCH)


def _applications(owners: _Owners, key_manager: KeyManager, numbers: range) -> None:
    applications = [
        Application(team=owners.small if n < 20 else owners.large, name=f"Application {n}") for n in numbers
    ]
    Application.objects.bulk_create(applications, batch_size=_BATCH)
    credentials = [
        Credential(
            application=row,
            key_manager=key_manager,
            environment="production",
            grant_types=["client_credentials"],
            scopes=["books:read"],
            client_id=f"client-{row.pk}",
        )
        for row in applications
    ]
    Credential.objects.bulk_create(credentials, batch_size=_BATCH)
    registrations = [
        Registration(
            key_manager=key_manager,
            kind=RegistrationKind.CLIENT,
            credential=row,
            subject=str(row.pk),
            state=RegistrationState.ACTIVE,
            wanted={"client_name": row.application.name},
            applied_version=1,
            attempts=1,
        )
        for row in credentials
    ]
    Registration.objects.bulk_create(registrations, batch_size=_BATCH)
    _audit(applications, owners.large)


def _audit(applications: list[Application], team: Team) -> None:
    """Ten lines an application: people do more than what is left of it."""
    actions = ("application.create", "credential.request", "subscription.create", "credential.reveal")
    rows = (
        AuditEvent(
            actor_name="large",
            team=team,
            action=actions[n % len(actions)],
            object_type="application",
            object_id=str(row.pk),
            object_name=row.name,
            detail={"name": row.name},
        )
        for row in applications
        for n in range(10)
    )
    for batch in _batches(rows):
        AuditEvent.objects.bulk_create(batch)


def _batches(rows: Iterator[AuditEvent]) -> Iterator[list[AuditEvent]]:
    while batch := list(itertools.islice(rows, _BATCH)):
        yield batch


def _subscriptions(total: int) -> None:
    """Every application gets as many as the others, to API versions that lie next to each other."""
    plan = Plan.objects.get(slug="unlimited")
    versions = list(ApiVersion.objects.order_by("created_at", "pk").values_list("pk", flat=True))
    applications = list(Application.objects.order_by("created_at", "pk").values_list("pk", flat=True))
    each = total // len(applications)
    known = set(Subscription.objects.values_list("application_id", "api_version_id"))
    wanted = (
        (application, versions[(n * each + k) % len(versions)])
        for n, application in enumerate(applications)
        for k in range(each)
    )
    missing = [pair for pair in wanted if pair not in known]
    start = timezone.now() - timedelta(days=365)
    rows = [
        Subscription(application_id=application, api_version_id=version, plan=plan) for application, version in missing
    ]
    Subscription.objects.bulk_create(rows, batch_size=_BATCH)
    _spread(start)


def _spread(start: Any) -> None:
    """Rows made by one statement have one time; real ones do not, and lists are sorted by it."""
    from django.db import connection

    tables = ("subscriptions_subscription", "subscriptions_application", "subscriptions_apiversion")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"UPDATE {table} SET created_at = %s::timestamptz + random() * interval '360 days'",  # noqa: S608
                [start],
            )
        cursor.execute(
            "UPDATE keymanager_registration SET updated_at = %s::timestamptz + random() * interval '360 days'", [start]
        )
        cursor.execute("UPDATE keymanager_registration SET outcome_at = updated_at WHERE credential_id IS NOT NULL")


def vacuum() -> None:
    """What PostgreSQL does by itself after a while: statistics for the planner, dead rows away."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def counts() -> str:
    """How many rows there are, as JSON."""
    models = (ApiVersion, Operation, Application, Credential, Registration, Subscription, AuditEvent)
    return json.dumps({model.__name__: model._default_manager.count() for model in models})
