"""What holds for every call: repeats, entity tags, problem documents, authentication, pages, what nobody may see."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, IdempotentAnswer, Role
from accounts.services import create_api_token, create_team, revoke_api_token
from subscriptions.models import Api, Application, AuditEvent, Plan, Subscription
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


@pytest.mark.parametrize("what", ["api", "application", "credential", "subscription", "plan", "key manager"])
def test_a_repeated_create_gets_the_first_answer_and_nothing_is_doubled(world: World, what: str) -> None:
    caller, path, body = creates(world)[what]
    first = caller.post(path, body, Idempotency_Key="k-1")
    assert first.status_code in {201, 202}, first.json()
    audited = AuditEvent.objects.count()
    again = caller.post(path, body, Idempotency_Key="k-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again["Idempotency-Replayed"] == "true"
    assert AuditEvent.objects.count() == audited
    other = caller.post(path, {**body, "name": "Another"}, Idempotency_Key="k-1")
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


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
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
    assert len({answer.content for answer in answers}) == 1
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


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
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


# --- who calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Bearer nonsense", "Bearer ", "Bearer awt_" + "x" * 43, "Basic YTpi", "Bearer \u00e9", "Token abc"]
)
def test_without_a_live_token_the_answer_is_401_with_a_challenge(client: Client, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = client.get("/api/v1/store/applications/", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="archway"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in {"not_authenticated", "authentication_failed"}
    assert header.removeprefix("Bearer ") not in answer.content.decode() or len(header) < 10


@pytest.mark.parametrize("fate", ["revoked", "expired", "inactive"])
def test_a_token_that_is_no_longer_live_is_refused(world: World, fate: str) -> None:
    token = ApiToken.objects.get(user=world.developer.user)
    if fate == "revoked":
        revoke_api_token(token=token)
    elif fate == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        type(world.developer.user).objects.update(is_active=False)
    assert world.developer.get("/store/applications/").status_code == 401


def test_a_session_may_read_and_needs_a_csrf_token_to_change(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.developer.user)
    assert browser.get("/api/v1/store/applications/").status_code == 200
    body = {"name": "Guide"}
    refused = browser.post("/api/v1/store/applications/", body, content_type="application/json")
    assert refused.status_code == 403
    browser.get("/api/v1/docs/")
    token = browser.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    done = browser.post("/api/v1/store/applications/", body, content_type="application/json", headers=headers)
    assert done.status_code == 201


def test_things_made_with_a_teams_token_belong_to_the_team_and_are_seen_by_its_members_only(world: World) -> None:
    team = create_team(name="Crew", members=[world.developer.user])
    token = create_api_token(user=world.developer.user, name="crew", team=team)
    crew = Caller(user=world.developer.user, actor=world.developer.actor, token=token.value)
    made = crew.post("/store/applications/", {"name": "Guide"}).json()
    assert made["team"] == "Crew"
    assert crew.get(f"/store/applications/{made['id']}/").status_code == 200
    # The token of the personal team reaches that team's things only.
    assert world.developer.get(f"/store/applications/{made['id']}/").status_code == 404
    team.memberships.all().delete()
    assert crew.get(f"/store/applications/{made['id']}/").status_code == 404
    assert crew.post("/store/applications/", {"name": "Other"}).status_code == 403


# --- answers --------------------------------------------------------------------------------------------------------


def test_errors_are_problem_documents_with_the_reference_of_the_request(world: World) -> None:
    answer = world.developer.post("/store/applications/", {"name": ""}, X_Request_ID="abcdef-1234567")
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["reference"] == answer["X-Request-ID"] == "abcdef-1234567"
    assert {"type", "title", "status", "detail", "code", "errors"} <= body.keys()
    assert (body["type"], body["status"]) == ("/docs/reference/errors#invalid_input", 400)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b'{"name": NaN}', 400),
        ("application/json", b"[" * 100_000, 400),
        ("text/plain", b"name=Guide", 415),
        ("application/x-www-form-urlencoded", b"name=Guide", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem_too(
    world: World, client: Client, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {world.developer.token}"}
    answer = client.post("/api/v1/store/applications/", body, content_type=content_type, headers=headers)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_a_method_that_is_not_there_is_405(world: World) -> None:
    answer = world.developer.call("PUT", "/store/applications/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer["Allow"]


def test_an_answer_in_another_format_is_not_offered(world: World) -> None:
    assert world.developer.get("/store/applications/", Accept="text/html").status_code == 406
    assert world.developer.get("/store/applications/?format=xml").status_code == 404


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_a_text_that_no_database_can_store_is_refused_everywhere(world: World, text: str) -> None:
    for caller, path, body in [
        (world.developer, "/store/applications/", {"name": text}),
        (world.developer, "/store/applications/", {"name": "A", "description": text}),
        (
            world.developer,
            "/store/applications/",
            {"name": "A", "credentials": [{"key_manager": "resident", "scopes": [text]}]},
        ),
        (world.developer, "/store/applications/", {"name": "A", "credentials": [{"key_manager": text}]}),
        (world.admin, "/admin/plans/", {"slug": "x", "name": text}),
        (world.admin, "/admin/plans/", {"slug": "x", "name": "X", "description": text}),
        (world.admin, "/admin/key-managers/", {"slug": "x", "name": "X", "adapter": "rfc", "config": {"issuer": text}}),
        (world.admin, "/admin/key-managers/", {"slug": "x", "name": "X", "adapter": "rfc", "config": {text: "a"}}),
        (world.admin, "/admin/key-managers/discover/", {"url": f"https://a.example/{text}"}),
        (world.publisher, "/publisher/apis/", api_body(name=text)),
        (world.publisher, "/publisher/apis/", api_body(description=text)),
        (world.publisher, "/publisher/apis/", api_body(tags=[text])),
        (world.publisher, "/publisher/apis/", api_body(audiences=[text])),
        (world.publisher, "/publisher/apis/", api_body(endpoints={"production": f"https://a.example/{text}"})),
        (
            world.publisher,
            "/publisher/apis/",
            api_body(definition=..., operations=[{"method": "GET", "path": "/", "summary": text}]),
        ),
    ]:
        answer = caller.post(path, body, Idempotency_Key="k")
        assert answer.status_code == 400, (path, body, answer.content)
        answer.json()


# --- pages ----------------------------------------------------------------------------------------------------------


def test_lists_come_in_pages_of_at_most_two_hundred(world: World) -> None:
    team = world.developer.actor.team_id
    Application.objects.bulk_create(Application(team_id=team, name=f"A{number}") for number in range(203))
    first = world.developer.get("/store/applications/").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (203, 25, None)
    second = world.developer.get("/store/applications/?page=2").json()
    assert {row["id"] for row in first["results"]}.isdisjoint(row["id"] for row in second["results"])
    assert len(world.developer.get("/store/applications/?page_size=1000").json()["results"]) == 200
    assert len(world.developer.get("/store/applications/?page_size=2").json()["results"]) == 2
    for odd in ("0", "-1", "x", ""):
        assert len(world.developer.get(f"/store/applications/?page_size={odd}").json()["results"]) == 25


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "9" * 30])
def test_a_page_that_is_not_there_is_404(world: World, page: str) -> None:
    answer = world.developer.get(f"/store/applications/?page={page}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_nothing_half_made_is_left_by_any_refusal_of_this_file(world: World) -> None:
    world.developer.post("/store/applications/", {"name": "A", "credentials": [{"key_manager": "resident"}, {}]})
    world.publisher.post("/publisher/apis/", api_body(key_managers=["nobody"]))
    assert (Api.objects.count(), Application.objects.count(), Subscription.objects.count()) == (0, 0, 0)
    assert Plan.objects.count() == 4
    assert not IdempotentAnswer.objects.exists()
