"""Rows that validation tests decide about: one API, one application, one client, one subscription."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Team
from keymanager.models import AcceptedKeyManagers, Credential, KeyManager
from keymanager.services.issuers import claim_issuers
from subscriptions.models import Api, ApiVersion, Application, ChangeKind, Operation, Plan, Scope, Subscription
from subscriptions.recording import announce
from subscriptions.services.subscribing import move_subscription
from subscriptions.states import ApiState, OperationAuth, SubscriptionState

ADMINISTRATOR = Actor(name="admin", roles=frozenset({Role.ADMINISTRATOR}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one small portal."""

    apis_team: Team
    apps_team: Team
    key_manager: KeyManager
    api_version: ApiVersion
    application: Application
    credential: Credential
    plan: Plan
    subscription: Subscription


def make_rows(issuer: str = "https://idp.example", **config: Any) -> Rows:
    """A published API ``/museum/1.0.0`` with a scoped, a plain and an open operation; ``client-1`` is subscribed."""
    apis_team, apps_team = Team.objects.create(name="apis"), Team.objects.create(name="apps")
    key_manager = KeyManager.objects.create(
        slug="idp", name="IdP", adapter="rfc", issuer=issuer, config={"issuer": issuer, **config}
    )
    claim_issuers(key_manager)
    api = Api.objects.create(team=apis_team, name="Museum", context="/museum")
    api_version = ApiVersion.objects.create(
        api=api,
        version="1.0.0",
        state=ApiState.PUBLISHED,
        production_url="http://127.0.0.1:9/",
        sandbox_url="http://127.0.0.1:9/",
    )
    AcceptedKeyManagers.objects.create(api_version=api_version)
    scope = Scope.objects.create(api_version=api_version, key="write")
    make_operation(api_version, 0, "GET", "/hours")
    make_operation(api_version, 1, "POST", "/tickets").scopes.add(scope)
    make_operation(api_version, 2, "GET", "/open", auth=OperationAuth.NONE)
    plan, _ = Plan.objects.get_or_create(slug="test-plan", defaults={"name": "Test plan"})
    application = Application.objects.create(team=apps_team, name="App")
    credential = Credential.objects.create(
        application=application, key_manager=key_manager, environment="production", client_id="client-1"
    )
    subscription = Subscription.objects.create(application=application, api_version=api_version, plan=plan)
    return Rows(
        apis_team=apis_team,
        apps_team=apps_team,
        key_manager=key_manager,
        api_version=api_version,
        application=application,
        credential=credential,
        plan=plan,
        subscription=subscription,
    )


def make_operation(api_version: ApiVersion, position: int, method: str, path: str, **values: Any) -> Operation:
    """One operation row."""
    return Operation.objects.create(api_version=api_version, position=position, method=method, path=path, **values)


def publish_prefixes(open_prefix: str, *prefixes: str) -> None:
    """An API version below each prefix, with one operation for every path; only the first one's needs no token."""
    team = Team.objects.create(name="apis")
    for prefix in (open_prefix, *prefixes):
        context, _, version = prefix.rpartition("/")
        api, _ = Api.objects.get_or_create(context=context, defaults={"team": team, "name": context})
        row = ApiVersion.objects.create(
            api=api, version=version, state=ApiState.PUBLISHED, production_url="http://127.0.0.1:9/"
        )
        auth = OperationAuth.NONE if prefix == open_prefix else OperationAuth.REQUIRED
        make_operation(row, 0, "GET", "/*", auth=auth)


def block_subscription() -> None:
    """As the publisher does it: the change and its event in one transaction."""
    for row in Subscription.objects.all():
        move_subscription(actor=ADMINISTRATOR, subscription=row, state=SubscriptionState.BLOCKED)


def remove_credential() -> None:
    """As the registration engine does it at the end of a removal."""
    for row in Credential.objects.filter(removed_at=None):
        with transaction.atomic():
            Credential.objects.filter(pk=row.pk).update(removed_at=timezone.now())
            announce(ChangeKind.CREDENTIAL, row.pk)
