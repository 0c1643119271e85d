"""The try-it panel without its script: what it offers, the token that it lends, and the verdict that it fetches."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from keymanager.models import Credential, RefusedCall
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.developer.user)
    return client


@pytest.fixture
def api(world: World) -> dict[str, Any]:
    made = world.make_published()
    world.work()
    return made


def operations(api: dict[str, Any], browser: Client) -> list[str]:
    """Addresses of the pages of ``GET /hours`` (any token) and ``POST /tickets`` (scope ``tickets:buy``)."""
    page = browser.get(f"/apis/{api['id']}/reference/").content.decode()
    return list(dict.fromkeys(re.findall(rf"/apis/{api['id']}/reference/[0-9a-f-]+/", page)))


def subscribed_client(world: World, api: dict[str, Any], name: str = "Guide") -> dict[str, Any]:
    client = world.make_client(name, scopes=["tickets:buy"])
    world.subscribe({"id": client["application"]}, api)
    world.work()
    return client


def shown(browser: Client, url: str) -> str:
    return browser.get(url).content.decode()


def test_the_panel_says_what_is_missing_step_by_step(world: World, api: dict[str, Any], browser: Client) -> None:
    url = operations(api, browser)[0]
    assert "Sign in to send a request" in shown(Client(), url)
    assert "No application of yours is subscribed" in shown(browser, url)
    application = world.make_application("Guide")
    world.subscribe(application, api)
    assert "No client of yours is ready" in shown(browser, url)
    publisher = Client()
    publisher.force_login(world.publisher.user)
    assert "Only app developers can send requests" in shown(publisher, url)


def test_the_panel_offers_ready_clients_of_subscribed_applications_only(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    ready = subscribed_client(world, api)
    world.make_client("Unsubscribed")
    late = world.make_application("Late", {"key_manager": "resident"})
    world.subscribe(late, api)
    other = make_caller("eve", Role.APP_DEVELOPER)
    url = operations(api, browser)[0]

    offered = re.findall(r'<option value="([0-9a-f-]+)"\s+data-application', shown(browser, url))

    assert offered == [ready["id"]]
    stranger = Client()
    stranger.force_login(other.user)
    assert ready["id"] not in shown(stranger, url)


def test_a_token_for_the_panel_carries_the_operations_scope_alone_and_no_secret(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    client = subscribed_client(world, api)
    answer = browser.post(f"{operations(api, browser)[1]}token/", {"credential": client["id"]})
    body = answer.json()
    assert answer.status_code == 200, body
    assert answer["Cache-Control"] == "no-store"
    assert sorted(body) == ["access_token", "expires_in", "scope"]
    assert body["scope"] == "tickets:buy"


def test_a_token_that_cannot_be_had_is_refused_with_a_reason(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    client = world.make_client("Unsubscribed")
    url = f"{operations(api, browser)[1]}token/"
    refused = browser.post(url, {"credential": client["id"]})
    assert refused.status_code == 400
    assert "tickets:buy" in refused.json()["message"]
    assert browser.post(url, {"credential": "x"}).status_code == 422
    Credential.objects.filter(pk=client["id"]).update(sealed_secret="")
    kept_nowhere = browser.post(f"{operations(api, browser)[0]}token/", {"credential": client["id"]})
    assert kept_nowhere.status_code == 409
    assert "keep_secrets" in kept_nowhere.json()["message"]


def test_a_token_of_another_teams_client_is_not_lent(world: World, api: dict[str, Any], browser: Client) -> None:
    client = subscribed_client(world, api)
    stranger = Client()
    stranger.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    url = f"{operations(api, browser)[0]}token/"
    assert stranger.post(url, {"credential": client["id"]}).status_code == 404
    publisher = Client()
    publisher.force_login(world.publisher.user)
    assert publisher.post(url, {"credential": client["id"]}).status_code == 403
    assert Client(enforce_csrf_checks=True).post(url, {"credential": client["id"]}).status_code == 403


def test_a_token_is_lent_only_to_a_page_of_the_portal(world: World, api: dict[str, Any], browser: Client) -> None:
    client = subscribed_client(world, api)
    url = f"{operations(api, browser)[0]}token/"
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(world.developer.user)
    assert foreign.post(url, {"credential": client["id"]}).status_code == 403
    assert browser.get(url).status_code == 405


@pytest.mark.parametrize(
    ("code", "step", "words"),
    [
        ("not_subscribed", "subscription", "Subscribe the application"),
        ("subscription_blocked", "subscription", "See the subscription"),
        ("insufficient_scope", "scopes", "Get a token with the scope"),
        ("plan_limit_reached", "plan", "Wait, or change the plan"),
        ("token_expired", "token", "data-renew"),
        ("audience_mismatch", "audience", "What this code means"),
    ],
)
def test_each_refusal_has_one_way_to_mend_it(
    world: World, api: dict[str, Any], browser: Client, code: str, step: str, words: str
) -> None:
    made = world.make_application("Guide")
    RefusedCall.objects.create(
        reference="ref-1", at=timezone.now(), method="GET", path="/museum/1.0.0/hours", status=403, code=code,
        steps=[{"name": "route", "outcome": "passed"}, {"name": step, "outcome": "failed", "code": code}],
        application_id=made["id"], api_version_id=api["id"],
    )  # fmt: skip
    piece = browser.get("/refusals/ref-1/verdict/")
    page = piece.content.decode()
    assert piece["Cache-Control"] == "no-store"
    assert words in page
    assert page.count("<a ") == 1
    assert "<html" not in page


def test_a_call_that_went_through_is_judged_again_for_its_own_team(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    client = subscribed_client(world, api)
    buying = operations(api, browser)[-1]
    token = browser.post(f"{buying}token/", {"credential": client["id"]}).json()["access_token"]
    call = {"path": "/tickets", "token": token}

    answer = browser.post(f"{buying}checks/", call)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert "The application is subscribed" in page
    assert "failed" not in page
    assert "What mends it" not in page
    assert token not in page
    stranger = Client()
    stranger.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    assert stranger.post(f"{buying}checks/", call).status_code == 404
    assert browser.post(f"{buying}checks/", {"path": "/../other/1"}).status_code == 404
    assert browser.post(f"{buying}checks/", {"path": ""}).status_code == 422


def test_a_verdict_that_is_not_there_or_not_ones_own_is_not_there(world: World, browser: Client) -> None:
    made = world.make_application("Guide")
    RefusedCall.objects.create(
        reference="ref-1", at=timezone.now(), method="GET", path="/x", status=403, code="not_subscribed", steps=[],
        application_id=made["id"],
    )  # fmt: skip
    stranger = Client()
    stranger.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    for answer in (stranger.get("/refusals/ref-1/verdict/"), browser.get("/refusals/ref-2/verdict/")):
        assert answer.status_code == 404


def test_parameters_become_fields_and_the_body_its_example(world: World, browser: Client) -> None:
    definition = {
        "openapi": "3.0.3",
        "info": {"title": "Museum", "version": "1.0.0"},
        "paths": {
            "/rooms/{room}/tours": {
                "post": {
                    "parameters": [
                        {"name": "room", "in": "path", "required": True, "schema": {"type": "string"}, "example": "7b"},
                        {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["short", "long"]}},
                        {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                        {"name": "X-Branch", "in": "header", "schema": {"type": "string"}},
                        {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                        {"name": "crumb", "in": "cookie", "schema": {"type": "string"}},
                    ],
                    "requestBody": {"content": {"application/json": {"example": {"people": 2}}}},
                    "security": [],
                    "responses": {"201": {"description": "booked"}},
                }
            }
        },
    }
    api = world.make_published(name="Tours", context="/tours", definition=definition)
    page = shown(browser, f"/apis/{api['id']}/reference/")
    named = re.findall(r'data-name="([^"]+)"\s+data-where="([^"]+)"', page)
    assert named == [("room", "path"), ("kind", "query"), ("tag", "query"), ("X-Branch", "header")]
    assert 'value="7b" required' in " ".join(page.split())
    assert '<option value="short">short</option>' in page
    assert page.count("data-repeats") == 1
    assert "&quot;people&quot;: 2" in page
    assert "Needs no token" in page
    assert "try-credential" not in page


def test_an_api_without_a_definition_still_has_a_field_for_each_part_of_the_path(world: World, browser: Client) -> None:
    bare = [{"method": "GET", "path": "/rooms/{room}", "auth": "none"}]
    api = world.make_published(name="Tours", context="/tours", definition=..., operations=bare)
    page = shown(browser, f"/apis/{api['id']}/reference/")
    assert re.findall(r'data-name="([^"]+)"\s+data-where="([^"]+)"', page) == [("room", "path")]


def test_an_operations_page_costs_the_same_queries_with_many_clients(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    subscribed_client(world, api)
    url = operations(api, browser)[0]

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(url).status_code == 200
        return len(seen)

    first = queries()
    for number in range(4):
        subscribed_client(world, api, f"More {number}")
    assert queries() == first


def test_subscribing_by_page_tells_the_clients_of_the_application(
    world: World, api: dict[str, Any], browser: Client
) -> None:
    client = world.make_client("Guide")
    row = Credential.objects.get(pk=client["id"])
    before = row.registration.wanted
    browser.post(f"/apis/{api['id']}/subscribe/", {"application": client["application"], "plan": "gold"})
    row.registration.refresh_from_db()
    assert row.registration.wanted != before
