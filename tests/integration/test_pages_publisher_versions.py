"""A version among its neighbours, and the page that leads to a test call."""

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import Role
from accounts.services import grant_role
from keymanager.models import Registration
from subscriptions.models import ApiVersion
from tests.integration.rest_kit import MUSEUM, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.publisher.user)
    return client


def page_at(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_deprecated_version_points_at_the_one_that_takes_its_place(world: World, browser: Client) -> None:
    old = world.make_published()
    world.subscribe(world.make_application(), old)
    world.move(old, "deprecate")
    alone = page_at(browser, f"/publisher/apis/{old['id']}/")
    assert "No newer version is published" in alone
    assert "1 subscriber still uses it." in alone

    browser.post(f"/publisher/apis/{old['id']}/versions/", {"version": "2.0.0"})
    new = ApiVersion.objects.get(version="2.0.0")
    assert "No newer version is published" in page_at(browser, f"/publisher/apis/{old['id']}/")
    world.move({"id": new.pk}, "publish")

    followed = page_at(browser, f"/publisher/apis/{old['id']}/")
    assert "2.0.0 is published and takes its place." in followed
    assert "Newer version" in followed
    newer = page_at(browser, f"/publisher/apis/{new.pk}/")
    assert "Replaces" in newer
    assert f'<a href="/publisher/apis/{old["id"]}/">1.0.0</a>, 1 subscriber' in newer


def test_a_draft_cannot_be_called_yet_and_the_test_page_says_why(world: World, browser: Client) -> None:
    api = world.make_api()
    page = page_at(browser, f"/publisher/apis/{api['id']}/test/")
    assert "It is draft. The gateway serves published and deprecated versions." in page
    assert "You have the role App developer" in page
    assert "Send a request" not in page


def test_each_operation_of_a_served_api_leads_to_its_panel_as_soon_as_a_client_is_there(
    world: World, browser: Client
) -> None:
    api = world.make_published()
    path = f"/publisher/apis/{api['id']}/test/"
    grant_role(user=world.publisher.user, role=Role.APP_DEVELOPER)
    assert "An application of your teams is subscribed" in page_at(browser, path)
    developer = world.publisher
    made = developer.post("/store/applications/", {"name": "Own", "credentials": [{"key_manager": "resident"}]}).json()
    world.work()
    assert "Send a request" not in page_at(browser, path)
    subscribed = {"application": made["id"], "api": api["id"], "plan": "gold"}
    assert developer.post("/store/subscriptions/", subscribed).status_code == 201
    world.work()
    page = page_at(browser, path)
    assert page.count("Send a request") == 2
    assert "Own, " in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("requested", "Requested"),
        ("unknown", "Looking for it"),
        ("refused", "Registration failed"),
        ("waiting", "Waiting"),
        ("held", "Held"),
    ],
)
def test_the_scope_matrix_says_where_each_scope_stands(world: World, browser: Client, state: str, words: str) -> None:
    api = world.make_api()
    world.work()
    changed = Registration.objects.filter(kind="scope", subject="tickets:buy").update(state=state)
    assert changed == 1
    page = page_at(browser, f"/publisher/apis/{api['id']}/design/")
    matrix = page[page.index('aria-label="Scopes at each key manager"') :]
    assert words in matrix
    assert "Ready" not in matrix.split("</table>")[0]


def test_what_needs_no_token_can_be_called_without_an_application(world: World, browser: Client) -> None:
    paths = {"/hours": {"get": {"security": [], "responses": {"200": {"description": "ok"}}}}}
    api = world.make_published(definition={**MUSEUM, "paths": {**MUSEUM["paths"], **paths}})
    assert page_at(browser, f"/publisher/apis/{api['id']}/test/").count("Send a request") == 1


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_path_without_a_slash_is_refused_in_plain_words(browser: Client, version: str) -> None:
    text = f"openapi: {version}\ninfo:\n  title: A\n  version: '1'\npaths:\n  hours:\n    get: {{}}\n"
    answer = browser.post("/publisher/new/text/", {"definition": text})
    assert "line 6, /paths/hours: &#x27;hours&#x27; is no path: a path begins with /" in answer.content.decode()
