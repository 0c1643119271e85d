"""The bell counts what became of one's registrations since one last looked; the page leads to the cards."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from keymanager.models import Registration
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.developer.user)
    return client


def bell(browser: Client) -> str:
    return " ".join(browser.get("/notifications/bell/").content.decode().split())


def test_a_client_that_became_ready_is_new_until_the_page_was_opened(world: World, browser: Client) -> None:
    assert "new" not in bell(browser)
    made = world.make_client()
    assert "1 new" in bell(browser)

    page = browser.get("/notifications/").content.decode()

    assert f"/apps/{made['application']}/credentials/" in page
    assert ">new<" in page
    assert "new" not in bell(browser)
    assert ">new<" not in browser.get("/notifications/").content.decode()


def test_other_teams_hear_nothing_and_nobody_is_not_asked_again(world: World) -> None:
    world.make_client()
    stranger = Client()
    stranger.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    assert "new" not in bell(stranger)
    assert "Nothing has happened yet" in stranger.get("/notifications/").content.decode()
    assert Client().get("/notifications/bell/").status_code == 286


def test_the_list_costs_the_same_queries_with_many_rows(world: World, browser: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get("/notifications/").status_code == 200
        return len(seen)

    world.make_client("One")
    queries()
    first = queries()
    for number in range(4):
        world.make_client(f"More {number}")
    assert queries() == first


def test_a_ready_client_that_is_told_of_a_change_is_not_ready_anew(world: World, browser: Client) -> None:
    made = world.make_client()
    browser.get("/notifications/")
    row = Registration.objects.get(credential=made["id"])
    since = row.outcome_at

    browser.post(f"/apps/{made['application']}/settings/", {"name": "Night train", "description": ""})
    world.work()

    row.refresh_from_db()
    assert (row.state, row.applied_version) == ("active", row.wanted_version)
    assert row.wanted_version > 1
    assert row.outcome_at == since
    assert "new" not in bell(browser)
