"""``/introspect`` with a call: the subscription and what the gateway would decide."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from subscriptions.models import Api, ApiVersion, Operation, Plan, Scope, Subscription
from subscriptions.states import ApiState, SubscriptionState
from tests.integration.front_door_kit import Client, Person, Portal, fake, make_client, make_person

pytestmark = pytest.mark.django_db(transaction=True)
CALL = {"context": "/museum", "version": "1.0.0", "method": "GET", "path": "/museum-hours"}


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture
def client(person: Person) -> Iterator[Client]:
    with fake() as (_, key_manager):
        yield make_client(person, key_manager)


@pytest.fixture
def museum(person: Person) -> ApiVersion:
    assert person.actor.team_id is not None
    api = Api.objects.create(team_id=person.actor.team_id, name="Museum", context="/museum")
    version = ApiVersion.objects.create(
        api=api, version="1.0.0", state=ApiState.PUBLISHED, production_url="http://127.0.0.1:9"
    )
    operation = Operation.objects.create(api_version=version, position=0, method="GET", path="/museum-hours")
    operation.scopes.add(Scope.objects.create(api_version=version, key="museum:read"))
    return version


def subscribe(client: Client, version: ApiVersion) -> Subscription:
    plan, _ = Plan.objects.get_or_create(slug="basic", defaults={"name": "Basic"})
    return Subscription.objects.create(application=client.credential.application, api_version=version, plan=plan)


def test_the_verdict_of_an_allowed_call_has_every_step_passed(
    portal: Portal, client: Client, museum: ApiVersion
) -> None:
    subscribe(client, museum)
    token = portal.token(client, scope="museum:read")["access_token"]

    answer = portal.introspect(token, client, **CALL)

    assert answer["subscription"] == {"state": "unblocked", "plan": "basic"}
    assert answer["verdict"]["allowed"] is True
    assert {step["outcome"] for step in answer["verdict"]["steps"]} <= {"passed", "skipped"}


@pytest.mark.parametrize(
    ("scope", "state", "subscription", "code"),
    [
        ("museum:read", None, None, "not_subscribed"),
        ("museum:read", "blocked", {"state": "blocked", "plan": "basic"}, "subscription_blocked"),
        ("read", "unblocked", {"state": "unblocked", "plan": "basic"}, "insufficient_scope"),
    ],
)
def test_the_verdict_names_the_step_that_refuses(
    portal: Portal,
    client: Client,
    museum: ApiVersion,
    scope: str,
    state: SubscriptionState | None,
    subscription: dict[str, str] | None,
    code: str,
) -> None:
    if state is not None:
        Subscription.objects.filter(pk=subscribe(client, museum).pk).update(state=state)
    token = portal.token(client, scope=scope)["access_token"]

    answer = portal.introspect(token, client, **CALL)

    assert (answer["active"], answer["subscription"]) == (True, subscription)
    assert answer["verdict"]["allowed"] is False
    assert [step["code"] for step in answer["verdict"]["steps"] if step["outcome"] == "failed"] == [code]


def test_half_a_call_is_refused_and_names_what_is_missing(portal: Portal, client: Client) -> None:
    form = {"token": "t", "context": "/museum", "version": "1.0.0"}

    answer = portal.http.post("/introspect", data=form, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "method" in answer.json()["error_description"]
