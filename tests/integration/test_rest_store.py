"""The store by REST: what is shown to whom, lifecycle effects, filters, subscriptions."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from keymanager.models import RefusedCall
from subscriptions.models import AuditEvent, ChangeEvent, Subscription
from tests.integration.rest_kit import World, fields_of, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def listed(answer: Any) -> list[str]:
    """Names of the listed APIs."""
    assert answer.status_code == 200, answer.content
    return sorted(row["name"] for row in answer.json()["results"])


def test_a_public_api_is_read_without_signing_in_with_the_gateways_url(world: World, client: Client) -> None:
    made = world.make_published(endpoints={"production": "http://10.0.0.7", "sandbox": "http://10.0.0.8"})
    assert listed(client.get("/api/v1/store/apis/")) == ["Museum"]
    shown = client.get(f"/api/v1/store/apis/{made['id']}/").json()
    url = f"{settings.ARCHWAY_GATEWAY_URL}/museum/1.0.0"
    assert shown["base_urls"] == {"production": url, "sandbox": url}
    definition = client.get(f"/api/v1/store/apis/{made['id']}/definition/")
    assert url in {server["url"] for server in definition.json()["servers"]}
    assert b"10.0.0." not in definition.content
    flows = definition.json()["components"]["securitySchemes"]["oauth"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == f"{settings.ARCHWAY_PUBLIC_URL}/token"


def test_an_api_says_at_which_key_managers_a_client_is_made_and_with_which_scopes(world: World, client: Client) -> None:
    world.add_key_manager("keycloak")
    world.add_key_manager("off", enabled=False)
    for listed_ones, slugs in (("all", ["keycloak", "resident"]), (["resident", "off"], ["resident"])):
        name = f"Museum {len(slugs)}"
        made = world.make_published(name=name, context=f"/museum{len(slugs)}", key_managers=listed_ones)
        shown = client.get(f"/api/v1/store/apis/{made['id']}/").json()
        assert [row["slug"] for row in shown["key_managers"]] == slugs
        assert all("client_credentials" in row["grant_types"] for row in shown["key_managers"])
        assert shown["scopes"] == [{"key": "tickets:buy", "description": "Buy tickets"}]


def test_an_api_that_is_not_public_is_shown_to_its_team_only(world: World, client: Client) -> None:
    made = world.make_published(public=False)
    path = f"/store/apis/{made['id']}/"
    for suffix in ("", "definition/"):
        assert client.get(f"/api/v1{path}{suffix}").status_code == 404
        assert world.developer.get(f"{path}{suffix}").status_code == 404
        assert world.publisher.get(f"{path}{suffix}").status_code == 200
    assert listed(client.get("/api/v1/store/apis/")) == []
    assert listed(world.publisher.get("/store/apis/")) == ["Museum"]
    body = {"application": world.make_application()["id"], "api": made["id"], "plan": "gold"}
    refused = world.developer.post("/store/subscriptions/", body)
    assert (refused.status_code, set(fields_of(refused))) == (400, {"api"})


@pytest.mark.parametrize(
    ("actions", "state", "shown", "subscribable"),
    [
        ([], "created", False, False),
        (["publish"], "published", True, True),
        (["publish", "block"], "blocked", True, False),
        (["publish", "block", "unblock"], "published", True, True),
        (["publish", "deprecate"], "deprecated", True, False),
        (["publish", "deprecate", "publish"], "published", True, True),
        (["publish", "deprecate", "retire"], "retired", False, False),
        (["publish", "block", "retire"], "retired", False, False),
        (["publish", "demote"], "created", False, False),
        (["publish", "block", "demote"], "created", False, False),
    ],
)
def test_each_lifecycle_state_has_its_effect_in_the_store(
    world: World, actions: list[str], state: str, shown: bool, subscribable: bool
) -> None:
    made = world.make_api()
    world.move(made, *actions)
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json()["state"] == state
    assert world.developer.get(f"/store/apis/{made['id']}/").status_code == (200 if shown else 404)
    assert listed(world.developer.get("/store/apis/")) == (["Museum"] if shown else [])
    body = {"application": world.make_application()["id"], "api": made["id"], "plan": "gold"}
    answer = world.developer.post("/store/subscriptions/", body)
    assert answer.status_code == (201 if subscribable else 409 if shown else 400)


@pytest.mark.parametrize("actions", [["block"], ["deprecate"], ["deprecate", "retire"], ["demote"]])
def test_subscriptions_outlive_every_lifecycle_action(world: World, actions: list[str]) -> None:
    made = world.make_published()
    subscription = world.subscribe(world.make_application(), made)
    world.move(made, *actions)
    assert world.developer.get(f"/store/subscriptions/{subscription['id']}/").json()["state"] == "unblocked"


def test_every_lifecycle_action_is_audited_and_announced(world: World) -> None:
    made = world.make_published()
    before = ChangeEvent.objects.filter(kind="api_version", object_id=made["id"]).count()
    world.move(made, "block")
    event = AuditEvent.objects.get(action="api.block")
    assert (event.actor_name, event.detail) == ("api-developer", {"from": "published", "to": "blocked"})
    assert ChangeEvent.objects.filter(kind="api_version", object_id=made["id"]).count() == before + 1


@pytest.fixture
def catalogue(world: World) -> World:
    """Three APIs: tags with odd characters, one at the resident key manager only, one at another only."""
    world.add_key_manager("other")
    world.make_published(tags=["culture", "Größe"], description="Opening hours of the house")
    world.make_published(name="Pets", context="/pets", tags=["art", 'say "hi"'], key_managers=["resident"])
    world.make_published(name="Rides", context="/rides", tags=["culture and art", "c:\\"], key_managers=["other"])
    return world


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Museum", "Pets", "Rides"]),
        ("q=museum", ["Museum"]),
        ("q=MUSEUM", ["Museum"]),
        ("q=opening hours", ["Museum"]),
        ("q=/rides", ["Rides"]),
        ("q=art", ["Pets", "Rides"]),
        ("q=größe", ["Museum"]),
        ("q=%25", []),
        ("q=_", []),
        ("q=[", []),
        ('q="', []),
        ("tag=culture", ["Museum"]),
        ("tag=CULTURE", ["Museum"]),
        ("tag=art", ["Pets"]),
        ("tag=größe", ["Museum"]),
        ("tag=GRÖSSE", []),
        ("tag=Größe", ["Museum"]),
        ('tag=say "hi"', ["Pets"]),
        ("tag=hi", []),
        ("tag=c:\\", ["Rides"]),
        ("tag=cul%25", []),
        ("tag=nothing", []),
        ("key_manager=resident", ["Museum", "Pets"]),
        ("key_manager=other", ["Museum", "Rides"]),
        ("key_manager=nobody", []),
        ("key_manager=resident&tag=art&q=pets", ["Pets"]),
    ],
)
def test_the_catalogue_is_filtered(catalogue: World, query: str, names: list[str]) -> None:
    assert listed(catalogue.developer.get(f"/store/apis/?{query}")) == names
    if "key_manager" not in query:
        assert listed(catalogue.publisher.get(f"/publisher/apis/?{query}")) == names


def test_a_key_manager_that_is_switched_off_lists_nothing(catalogue: World) -> None:
    catalogue.admin.patch("/admin/key-managers/other/", {"enabled": False})
    assert listed(catalogue.developer.get("/store/apis/?key_manager=other")) == []


def test_publishers_filter_by_state_and_version(catalogue: World) -> None:
    catalogue.make_api(version="2.0.0")
    assert listed(catalogue.publisher.get("/publisher/apis/?state=created")) == ["Museum"]
    assert listed(catalogue.publisher.get("/publisher/apis/?version=1.0.0")) == ["Museum", "Pets", "Rides"]
    wrong = catalogue.publisher.get("/publisher/apis/?state=sleeping")
    assert (wrong.status_code, set(fields_of(wrong))) == (400, {"state"})


def test_a_query_with_a_nul_is_refused(world: World) -> None:
    for path in (
        "/store/apis/?q=%00",
        "/store/apis/?tag=%00",
        "/store/apis/?key_manager=%00",
        "/publisher/apis/?q=%00",
    ):
        assert world.developer.get(path).status_code == 400


def test_a_subscription_is_made_read_moved_and_ended(world: World) -> None:
    made, application = world.make_published(), world.make_application()
    subscription = world.subscribe(application, made)
    path = f"/store/subscriptions/{subscription['id']}/"
    assert subscription["state"] == "unblocked"
    assert (subscription["api_name"], subscription["api_version"]) == ("Museum", "1.0.0")
    assert world.developer.get(path).json() == subscription
    assert world.developer.patch(path, {"plan": "unlimited"}).json()["plan"] == "unlimited"
    assert world.developer.delete(path).status_code == 204
    assert world.developer.get(path).status_code == 404
    assert AuditEvent.objects.filter(action="subscription.delete").count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"plan": "bronze"}, 409, "plan"),
        ({"plan": "nothing"}, 400, "plan"),
        ({"api": str(uuid.UUID(int=7))}, 400, "api"),
        ({"application": str(uuid.UUID(int=7))}, 400, "application"),
        ({"application": "seven"}, 400, "application"),
        ({"plan": ...}, 400, "plan"),
    ],
)
def test_a_wrong_subscription_names_its_field(world: World, changes: dict[str, Any], status: int, field: str) -> None:
    made, application = world.make_published(), world.make_application()
    body = {"application": application["id"], "api": made["id"], "plan": "gold", **changes}
    answer = world.developer.post("/store/subscriptions/", {k: v for k, v in body.items() if v is not ...})
    assert (answer.status_code, set(fields_of(answer))) == (status, {field})
    assert not Subscription.objects.exists()


def test_nobody_subscribes_twice_or_with_another_teams_application(world: World) -> None:
    made, application = world.make_published(), world.make_application()
    world.subscribe(application, made)
    body = {"application": application["id"], "api": made["id"], "plan": "gold"}
    twice = world.developer.post("/store/subscriptions/", body)
    assert (twice.status_code, set(fields_of(twice))) == (409, {"api"})
    stranger = make_caller("stranger", Role.APP_DEVELOPER)
    theirs = stranger.post("/store/subscriptions/", body)
    assert (theirs.status_code, set(fields_of(theirs))) == (400, {"application"})


def test_a_plan_that_a_subscription_uses_cannot_be_taken_off_the_api(world: World) -> None:
    made = world.make_published()
    world.subscribe(world.make_application(), made)
    answer = world.publisher.patch(f"/publisher/apis/{made['id']}/", {"plans": ["unlimited"]})
    assert (answer.status_code, set(fields_of(answer))) == (409, {"plans"})


def test_a_publisher_blocks_and_unblocks_a_subscription(world: World) -> None:
    made = world.make_published()
    subscription = world.subscribe(world.make_application(), made)
    rows = world.publisher.get(f"/publisher/apis/{made['id']}/subscriptions/").json()["results"]
    assert [(row["id"], row["application"]["name"]) for row in rows] == [(subscription["id"], "Guide")]
    path = f"/publisher/subscriptions/{subscription['id']}"
    for action, body, state in [
        ("block", {"scope": "production"}, "production_blocked"),
        ("block", {"scope": "all"}, "blocked"),
        ("block", {}, "blocked"),
        ("unblock", {}, "unblocked"),
        ("block", {}, "blocked"),
    ]:
        answer = world.publisher.post(f"{path}/{action}/", body)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert world.developer.get(f"/store/subscriptions/{subscription['id']}/").json()["state"] == state
    for action in ("block", "unblock"):
        wrong = world.publisher.post(f"{path}/{action}/", {"scope": "some"})
        assert (wrong.status_code, set(fields_of(wrong))) == (400, {"scope"})


def test_a_block_of_production_is_lifted_by_name_and_no_other_is(world: World) -> None:
    subscription = world.subscribe(world.make_application(), world.make_published())
    path = f"/publisher/subscriptions/{subscription['id']}"
    world.publisher.post(f"{path}/block/", {"scope": "all"})
    refused = world.publisher.post(f"{path}/unblock/", {"scope": "production"})
    assert (refused.status_code, set(fields_of(refused))) == (409, {"scope"})
    assert Subscription.objects.get().state == "blocked"
    world.publisher.post(f"{path}/block/", {"scope": "production"})
    lifted = world.publisher.post(f"{path}/unblock/", {"scope": "production"})
    assert (lifted.status_code, lifted.json()["state"]) == (200, "unblocked")


@pytest.mark.parametrize("state", ["on_hold", "rejected"])
@pytest.mark.parametrize("action", ["block", "unblock"])
def test_blocking_does_not_decide_about_approval(world: World, state: str, action: str) -> None:
    subscription = world.subscribe(world.make_application(), world.make_published())
    Subscription.objects.update(state=state)
    answer = world.publisher.post(f"/publisher/subscriptions/{subscription['id']}/{action}/")
    assert answer.status_code == 409
    assert Subscription.objects.get().state == state


def test_subscriptions_are_filtered(world: World) -> None:
    first, second = world.make_published(), world.make_published(name="Pets", context="/pets")
    application = world.make_application()
    world.subscribe(application, first)
    world.subscribe(application, second)
    results = world.developer.get(f"/store/subscriptions/?api={second['id']}").json()["results"]
    assert [row["api_name"] for row in results] == ["Pets"]
    assert world.developer.get(f"/store/subscriptions/?application={uuid.uuid4()}").json()["count"] == 0
    assert world.developer.get("/store/subscriptions/?state=blocked").json()["count"] == 0


def test_a_verdict_is_read_by_the_applications_team_with_the_step_that_failed(world: World) -> None:
    made, application = world.make_published(), world.make_application()
    RefusedCall.objects.create(
        reference="v-abc",
        at=timezone.now(),
        method="GET",
        path="/museum/1.0.0/hours",
        status=403,
        code="not_subscribed",
        steps=[
            {"name": "route", "outcome": "passed", "code": "", "message": ""},
            {"name": "subscription", "outcome": "failed", "code": "not_subscribed", "message": "No subscription."},
        ],
        application_id=application["id"],
        api_version_id=made["id"],
        key_manager_slug="resident",
    )
    answer = world.developer.get("/store/verdicts/v-abc/")
    assert answer.status_code == 200
    assert answer.json()["first_failed"] == "subscription"
    assert [step["name"] for step in answer.json()["steps"]] == ["route", "subscription"]
    assert world.admin.get("/store/verdicts/v-abc/").status_code == 200
    stranger = make_caller("stranger", Role.APP_DEVELOPER)
    unknown, theirs = stranger.get("/store/verdicts/v-zzz/"), stranger.get("/store/verdicts/v-abc/")
    assert unknown.status_code == theirs.status_code == 404
    assert {**unknown.json(), "reference": ""} == {**theirs.json(), "reference": ""}
