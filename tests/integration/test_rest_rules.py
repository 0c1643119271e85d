"""What holds for every call: who calls, problem documents, pages, what cannot be stored."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, IdempotentAnswer
from accounts.services import create_api_token, revoke_api_token
from accounts.teams import create_team
from subscriptions.models import Api, Application, Plan, Subscription
from tests.integration.rest_kit import Caller, World, api_body, fields_of, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


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
    assert body["type"] == f"{settings.ARCHWAY_PUBLIC_URL}/docs/reference/errors#invalid_input"
    assert body["status"] == 400


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
    assert team is not None
    Application.objects.bulk_create(Application(team_id=team, name=f"A{number}") for number in range(203))
    first = world.developer.get("/store/applications/").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (203, 25, None)
    second = world.developer.get("/store/applications/?page=2").json()
    assert {row["id"] for row in first["results"]}.isdisjoint(row["id"] for row in second["results"])
    assert len(world.developer.get("/store/applications/?page_size=1000").json()["results"]) == 200
    assert len(world.developer.get("/store/applications/?page_size=2").json()["results"]) == 2
    assert len(world.developer.get("/store/applications/?page_size=").json()["results"]) == 25
    for odd in ("0", "-1", "x", "1.5", "%C2%B2"):
        refused = world.developer.get(f"/store/applications/?page_size={odd}")
        assert (refused.status_code, set(fields_of(refused))) == (400, {"page_size"})


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
