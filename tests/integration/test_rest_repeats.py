"""Repeated and simultaneous requests: ``Idempotency-Key``, ``ETag`` and ``If-Match``."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from accounts.models import IdempotentAnswer, Role
from subscriptions.models import Application, AuditEvent
from tests.integration.rest_kit import Caller, World, api_body, fields_of, make_caller, make_world, served_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


# --- Idempotency-Key ------------------------------------------------------------------------------------------------


def creates(world: World) -> dict[str, tuple[Caller, str, dict[str, Any]]]:
    """Every create, with a body that can be sent once."""
    api = world.make_published(name="Pets", context="/pets")
    application = world.make_application("Base")
    return {
        "api": (world.publisher, "/publisher/apis/", api_body()),
        "application": (
            world.developer,
            "/store/applications/",
            {"name": "A", "credentials": [{"key_manager": "resident"}]},
        ),
        "credential": (
            world.developer,
            f"/store/applications/{application['id']}/credentials/",
            {"key_manager": "resident"},
        ),
        "subscription": (
            world.developer,
            "/store/subscriptions/",
            {"application": application["id"], "api": api["id"], "plan": "gold"},
        ),
        "plan": (world.admin, "/admin/plans/", {"slug": "trial", "name": "Trial"}),
        "key manager": (
            world.admin,
            "/admin/key-managers/",
            {
                "slug": "other",
                "name": "Other",
                "adapter": "rfc",
                "config": {
                    "issuer": "https://a.example",
                    "introspection_client_id": "gateway",
                    "introspection_client_secret": "kept-out-of-answers-91",
                },
            },
        ),
    }


OTHER: dict[str, dict[str, Any]] = {"credential": {"environment": "sandbox"}, "subscription": {"plan": "silver"}}


@pytest.mark.parametrize("what", ["api", "application", "credential", "subscription", "plan", "key manager"])
def test_a_repeated_create_gets_the_first_answer_and_nothing_is_doubled(world: World, what: str) -> None:
    caller, path, body = creates(world)[what]
    first = caller.post(path, body, Idempotency_Key="k-1")
    assert first.status_code in {201, 202}, first.json()
    audited = AuditEvent.objects.count()
    again = caller.post(path, body, Idempotency_Key="k-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again["Idempotency-Replayed"] == "true"
    assert again.get("ETag") == first.get("ETag")
    assert AuditEvent.objects.count() == audited
    other = caller.post(path, {**body, **OTHER.get(what, {"name": "Another"})}, Idempotency_Key="k-1")
    assert (other.status_code, set(fields_of(other))) == (400, {"Idempotency-Key"})
    assert "kept-out-of-answers-91" not in str(IdempotentAnswer.objects.get().body)


def test_a_refused_create_may_be_repeated_with_the_same_key(world: World) -> None:
    body = {"name": "Guide", "credentials": [{"key_manager": "late"}]}
    assert world.developer.post("/store/applications/", body, Idempotency_Key="k-1").status_code == 400
    world.add_key_manager("late")
    assert world.developer.post("/store/applications/", body, Idempotency_Key="k-1").status_code == 201
    assert Application.objects.count() == 1


def test_a_repeat_does_not_fetch_the_definition_again(world: World) -> None:
    with served_text(json.dumps(api_body()["definition"])) as url:
        body = api_body(definition=..., definition_url=url)
        first = world.publisher.post("/publisher/apis/", body, Idempotency_Key="k-1")
    again = world.publisher.post("/publisher/apis/", body, Idempotency_Key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())


def test_a_key_belongs_to_its_user_and_path(world: World) -> None:
    other = make_caller("other-developer", Role.APP_DEVELOPER)
    for caller in (world.developer, other):
        answer = caller.post("/store/applications/", {"name": "Guide"}, Idempotency_Key="k-1")
        assert "Idempotency-Replayed" not in answer
    assert Application.objects.count() == 2


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_key_that_is_too_long_or_not_printable_is_refused(world: World, key: str) -> None:
    answer = world.developer.post("/store/applications/", {"name": "Guide"}, Idempotency_Key=key)
    assert (answer.status_code, set(fields_of(answer))) == (400, {"Idempotency-Key"})


@pytest.mark.django_db(transaction=True)
def test_two_creates_at_the_same_moment_make_one_thing() -> None:
    developer = make_caller("app-developer", Role.APP_DEVELOPER)

    def create(_: int) -> Any:
        try:
            return developer.post("/store/applications/", {"name": "Guide"}, Idempotency_Key="k-1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(create, range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert Application.objects.count() == 1


# --- ETag and If-Match ----------------------------------------------------------------------------------------------


def changeable(world: World) -> dict[str, tuple[Caller, str, dict[str, Any]]]:
    """Everything that has an entity tag, with a change."""
    api = world.make_published()
    client = world.make_client()
    subscription = world.subscribe({"id": client["application"]}, api)
    return {
        "api": (world.publisher, f"/publisher/apis/{api['id']}/", {"description": "New"}),
        "application": (world.developer, f"/store/applications/{client['application']}/", {"description": "New"}),
        "credential": (
            world.developer,
            f"/store/credentials/{client['id']}/",
            {"redirect_uris": ["https://a.example/b"]},
        ),
        "subscription": (world.developer, f"/store/subscriptions/{subscription['id']}/", {"plan": "unlimited"}),
        "key manager": (world.admin, "/admin/key-managers/resident/", {"description": "New"}),
    }


@pytest.mark.parametrize("what", ["api", "application", "credential", "subscription", "key manager"])
def test_a_change_needs_the_tag_that_was_read_when_one_is_given(world: World, what: str) -> None:
    caller, path, change = changeable(world)[what]
    tag = caller.get(path)["ETag"]
    stale = caller.patch(path, change, If_Match='"999"')
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert caller.delete(path, If_Match='"999"').status_code == 412
    assert caller.get(path)["ETag"] == tag
    done = caller.patch(path, change, If_Match=f'"998", {tag}')
    assert done.status_code in {200, 202}, done.json()
    assert done["ETag"] != tag
    assert caller.get(path)["ETag"] == done["ETag"]
    assert caller.patch(path, change, If_Match=tag).status_code == 412
    assert caller.patch(path, change, If_Match="*").status_code in {200, 202}
    assert caller.patch(path, change).status_code in {200, 202}


def test_a_definition_and_a_lifecycle_action_respect_the_tag_too(world: World) -> None:
    made = world.make_api()
    body = {"definition": api_body()["definition"]}
    assert world.publisher.put(f"/publisher/apis/{made['id']}/definition/", body, If_Match='"9"').status_code == 412
    action = {"action": "publish"}
    assert world.publisher.post(f"/publisher/apis/{made['id']}/lifecycle/", action, If_Match='"9"').status_code == 412


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_the_same_moment_with_the_same_tag_one_is_made() -> None:
    developer = make_caller("app-developer", Role.APP_DEVELOPER)
    made = developer.post("/store/applications/", {"name": "Guide"})
    path = f"/store/applications/{made.json()['id']}/"

    def change(number: int) -> int:
        try:
            answer = developer.patch(path, {"description": f"By {number}"}, If_Match=made["ETag"])
            return int(answer.status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert sorted(pool.map(change, range(4))) == [200, 412, 412, 412]
    assert AuditEvent.objects.filter(action="application.change").count() == 1
