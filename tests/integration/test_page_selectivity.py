"""A page reads what it shows: neither all rows of a team nor a whole definition a second time."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Subscription
from tests.integration.rest_kit import MUSEUM, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def asked(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def page_of(client: Client, path: str) -> str:
    text: str = client.get(path).content.decode()
    return text


def test_the_home_page_asks_for_subscriptions_of_the_shown_apis_alone(world: World, client: Client) -> None:
    world.subscribe(world.make_application(), world.make_published())
    client.force_login(world.developer.user)
    listing = [sql for sql in asked(client, "/") if f'FROM "{Subscription._meta.db_table}"' in sql]
    assert [sql for sql in listing if '"api_version_id" IN' in sql]
    assert not [sql for sql in listing if '"api_version_id" IN' not in sql and " LIMIT " not in sql]


@pytest.mark.parametrize(("path", "who"), [("/apps/", "developer"), ("/publisher/", "publisher")])
def test_a_list_counts_the_subscriptions_of_the_shown_rows_alone(
    world: World, client: Client, path: str, who: str
) -> None:
    world.subscribe(world.make_application(), world.make_published())
    client.force_login(getattr(world, who).user)
    counting = [sql for sql in asked(client, path) if Subscription._meta.db_table in sql]
    assert counting
    # A join would count for every row before the page is cut out.
    assert not [sql for sql in counting if f'JOIN "{Subscription._meta.db_table}"' in sql]


def test_a_key_managers_page_does_not_join_all_its_clients_to_its_own_row(world: World, client: Client) -> None:
    world.make_client()
    client.force_login(world.admin.user)
    joined = [sql for sql in asked(client, "/admin-portal/key-managers/resident/") if "GROUP BY" in sql]
    assert not [sql for sql in joined if 'JOIN "keymanager_credential"' in sql]


@pytest.fixture
def reference(world: World) -> Callable[[dict[str, Any]], str]:
    """Gives the API another definition when asked; the address of its reference."""
    api = world.make_published()

    def replaced(document: dict[str, Any]) -> str:
        answer = world.publisher.put(f"/publisher/apis/{api['id']}/definition/", {"definition": document})
        assert answer.status_code == 200, answer.json()
        return f"/apis/{api['id']}/reference/"

    return replaced


def described(words: str) -> dict[str, Any]:
    answers = {"responses": {"200": {"description": words}}}
    return {**MUSEUM, "paths": {**MUSEUM["paths"], "/hours": {"get": answers}}}


def test_a_definition_is_read_once_for_all_views_of_an_operation(
    client: Client, reference: Callable[[dict[str, Any]], str]
) -> None:
    path = reference(described("Opening hours"))

    def reads() -> list[str]:
        return [sql for sql in asked(client, path) if re.match(r'SELECT "\w+"\."definition"', sql)]

    assert len(reads()) == 1
    assert reads() == []


def test_the_reference_follows_the_definition_at_once(
    client: Client, reference: Callable[[dict[str, Any]], str]
) -> None:
    assert "Opening hours" in page_of(client, reference(described("Opening hours")))
    changed = page_of(client, reference(described("Hours of the day")))
    assert "Hours of the day" in changed
    assert "Opening hours" not in changed
