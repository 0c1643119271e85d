"""Resources and scopes, and the definition behind them: changed one by one or as a whole, never half."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keymanager.models import Registration
from subscriptions.models import ApiVersion
from tests.integration.rest_kit import MUSEUM, World, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.publisher.user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def inspector(world: World, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An API with its operation ``POST /tickets``: the address of its inspector, and its form as it is."""
    world.make_api()
    row = ApiVersion.objects.get()
    operation = row.operations.get(path="/tickets")
    form = {
        "revision": row.revision,
        "summary": "",
        "description": "",
        "access": "scoped",
        "scopes": ["tickets:buy"],
        "new_scope": "",
    }
    return f"/publisher/apis/{row.pk}/design/{operation.pk}/", {**form, **changes}


def operation_now(path: str = "/tickets") -> tuple[str, list[str], str]:
    """Auth, scopes and summary of an operation as stored."""
    row = ApiVersion.objects.get().operations.get(path=path)
    return row.auth, [scope.key for scope in row.scopes.all()], row.summary


def test_the_page_opens_the_first_operation_and_shows_scopes_by_key_manager(world: World, browser: Client) -> None:
    url, _ = inspector(world)
    world.work()
    page = text_of(browser.get(url.rsplit("/", 2)[0] + "/"))
    assert 'id="inspector"' in page
    assert "/hours" in page
    assert ">Registered</span>" in page
    assert text_of(browser.get(url)).count('aria-selected="true"') == 1


def test_an_operation_gets_another_scope_a_summary_and_a_description(world: World, browser: Client) -> None:
    url, form = inspector(world, summary="Buy", description="**One** ticket", scopes=[], new_scope="tickets:all")
    page = text_of(browser.post(url, form, follow=True))
    assert "Saved." in page
    assert operation_now() == ("required", ["tickets:all"], "Buy")
    stored = ApiVersion.objects.get().definition or {}
    assert stored["paths"]["/tickets"]["post"]["description"] == "**One** ticket"
    assert stored["paths"]["/tickets"]["post"]["operationId"] == "buy"
    assert Registration.objects.filter(subject="tickets:all", wish="present").exists()


def test_the_save_bar_says_what_would_be_registered_anew_and_nothing_is_saved(world: World, browser: Client) -> None:
    url, form = inspector(world, new_scope="tickets:all", preview="1")
    page = text_of(browser.post(url, form))
    assert "1 resource changes." in page
    assert "Registered anew:" in page
    assert '<span class="chip scope">tickets:all</span>' in page
    assert operation_now() == ("required", ["tickets:buy"], "")


@pytest.mark.parametrize(("access", "auth"), [("public", "none"), ("subscriber", "required")])
def test_an_operation_without_scopes(world: World, browser: Client, access: str, auth: str) -> None:
    url, form = inspector(world, access=access)
    browser.post(url, form)
    assert operation_now() == (auth, [], "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scopes": []}, "Choose a scope, or give a new one."),
        ({"new_scope": "two words"}, "is not a scope"),
        ({"revision": 0}, "Somebody else changed the API in the meantime."),
    ],
)
def test_a_refused_change_is_said_and_changes_nothing(
    world: World, browser: Client, changes: dict[str, Any], said: str
) -> None:
    url, form = inspector(world, summary="Typed", **changes)
    answer = browser.post(url, form)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'value="Typed"' in text_of(answer)
    assert operation_now() == ("required", ["tickets:buy"], "")


def test_an_operation_is_added_and_removed(world: World, browser: Client) -> None:
    url, form = inspector(world, summary="One room", access="subscriber")
    design = url.rsplit("/", 2)[0]
    browser.post(f"{design}/new/", {**form, "method": "GET", "path": "/rooms/{room}"})
    assert operation_now("/rooms/{room}") == ("required", [], "One room")
    revision = ApiVersion.objects.get().revision
    again = browser.post(f"{design}/new/", {**form, "revision": revision, "method": "GET", "path": "/rooms/{room}"})
    assert again.status_code == 422
    assert "The API has this operation already." in text_of(again)

    row = ApiVersion.objects.get().operations.get(path="/rooms/{room}")
    page = text_of(browser.post(f"{design}/{row.pk}/remove/", follow=True))
    assert "GET /rooms/{room} is gone" in page
    assert ApiVersion.objects.get().operations.count() == 2


def test_the_last_operation_stays(world: World, browser: Client) -> None:
    world.make_api(definition={**MUSEUM, "paths": {"/hours": MUSEUM["paths"]["/hours"]}})
    row = ApiVersion.objects.get()
    url = f"/publisher/apis/{row.pk}/design/{row.operations.get().pk}/remove/"
    assert "At least one operation is needed." in text_of(browser.post(url, follow=True))
    assert row.operations.count() == 1


def test_roles_of_a_scope_are_kept_apart_from_those_of_others(world: World, browser: Client) -> None:
    world.admin.patch("/admin/key-managers/resident/", {"config": {"user_store": "shared"}})
    url, form = inspector(world, new_scope="tickets:all")
    browser.post(url, form)
    row = ApiVersion.objects.get()
    for key, roles in (("tickets:buy", "staff\ncurator"), ("tickets:all", "staff")):
        browser.post(f"/publisher/apis/{row.pk}/scopes/{row.scopes.get(key=key).pk}/", {"roles": roles})
    assert dict(row.scopes.values_list("key", "roles")) == {
        "tickets:buy": ["curator", "staff"],
        "tickets:all": ["staff"],
    }


def test_a_definition_is_compared_before_it_is_replaced(world: World, browser: Client) -> None:
    world.make_api()
    row = ApiVersion.objects.get()
    text = yaml.safe_dump({**MUSEUM, "paths": {"/hours": MUSEUM["paths"]["/hours"]}})
    page = text_of(browser.post(f"/publisher/apis/{row.pk}/definition/replace/text/", {"definition": text}))
    assert "1 resource goes." in page
    assert "<code>POST /tickets</code>" in page
    assert '<span class="del">-' in page
    assert row.operations.count() == 2

    form = {"source": "text", "definition_text": text, "revision": row.revision}
    browser.post(f"/publisher/apis/{row.pk}/definition/save/", form)
    assert [operation.path for operation in row.operations.all()] == ["/hours"]

    late = browser.post(f"/publisher/apis/{row.pk}/definition/save/", form)
    assert late.status_code == 422
    assert "Somebody else changed the API in the meantime." in text_of(late)


def test_an_invalid_replacement_keeps_its_text_and_the_stored_one(world: World, browser: Client) -> None:
    world.make_api()
    row = ApiVersion.objects.get()
    answer = browser.post(f"/publisher/apis/{row.pk}/definition/replace/text/", {"definition": "openapi: 3.0.3\n"})
    assert answer.status_code == 422
    assert "line 1" in text_of(answer)
    assert "openapi: 3.0.3\n</textarea>" in text_of(answer)
    assert row.operations.count() == 2


def test_the_stored_definition_is_shown_and_downloaded(world: World, browser: Client) -> None:
    world.make_api()
    row = ApiVersion.objects.get()
    url = f"/publisher/apis/{row.pk}/definition/"
    assert "&quot;operationId&quot;: &quot;buy&quot;" in text_of(browser.get(url))
    assert browser.get(f"{url}file/").json() == row.definition


@pytest.mark.parametrize("path", ["design/", "design/new/", "definition/", "definition/replace/text/"])
def test_an_api_of_another_team_is_not_there(world: World, client: Client, path: str) -> None:
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/{path}"
    assert client.get(url).status_code == 302
    client.force_login(world.developer.user)
    assert client.get(url).status_code == 403
    client.force_login(make_caller("eve", *world.publisher.actor.roles).user)
    assert client.get(url).status_code == 404


def test_the_design_costs_the_same_queries_with_many_operations(world: World, browser: Client) -> None:
    def queries(count: int) -> int:
        buy = {key: value for key, value in MUSEUM["paths"]["/tickets"]["post"].items() if key != "operationId"}
        paths = {f"/tickets/{n}": {"post": buy} for n in range(count)}
        api = world.make_api(name=f"Api {count}", context=f"/api{count}", definition={**MUSEUM, "paths": paths})
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(f"/publisher/apis/{api['id']}/design/").status_code == 200
        return len(seen)

    assert queries(30) == queries(1)
