"""Guides: written by the publisher in Markdown, read in the store."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from subscriptions.models import ApiDocument, AuditEvent
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db
GUIDE = {"title": "First call", "text": "# Start\n\n<script>x</script> **now**", "position": 1, "visible": "on"}


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


def test_a_guide_is_written_and_read_in_the_store_without_its_html(world: World, browser: Client) -> None:
    api = world.make_published()
    assert "No guides yet." in text_of(Client().get(f"/apis/{api['id']}/guides/"))
    assert "No document yet." in text_of(browser.get(f"/publisher/apis/{api['id']}/documents/"))

    page = text_of(browser.post(f"/publisher/apis/{api['id']}/documents/new/", GUIDE, follow=True))

    assert "The document First call was added." in page
    read = text_of(Client().get(f"/apis/{api['id']}/guides/"))
    assert "<strong>now</strong>" in read
    assert "<script>x" not in read
    assert "Added a document" in text_of(browser.get(f"/publisher/apis/{api['id']}/history/"))


def test_a_hidden_guide_is_not_in_the_store(world: World, browser: Client) -> None:
    api = world.make_published()
    browser.post(f"/publisher/apis/{api['id']}/documents/new/", GUIDE)
    row = ApiDocument.objects.get()
    url = f"/publisher/apis/{api['id']}/documents/{row.pk}/"
    browser.post(url, {**GUIDE, "title": "Later", "visible": ""})
    row.refresh_from_db()
    assert (row.title, row.visible) == ("Later", False)
    assert Client().get(f"/apis/{api['id']}/guides/{row.pk}/").status_code == 404
    assert "Later" not in text_of(Client().get(f"/apis/{api['id']}/guides/"))
    assert "Later" in text_of(browser.get(url))


def test_a_title_is_there_once_and_a_text_is_needed(world: World, browser: Client) -> None:
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/documents/new/"
    browser.post(url, GUIDE)
    for changes, field in (({"title": "first CALL"}, "title"), ({"title": "Other", "text": "  "}, "text")):
        answer = browser.post(url, {**GUIDE, **changes})
        assert answer.status_code == 422
        assert f'<a href="#id_{field}">' in text_of(answer)
    assert ApiDocument.objects.count() == 1


def test_a_guide_is_deleted_and_copied_with_its_version(world: World, browser: Client) -> None:
    api = world.make_api()
    browser.post(f"/publisher/apis/{api['id']}/documents/new/", GUIDE)
    browser.post(f"/publisher/apis/{api['id']}/versions/", {"version": "2.0.0"})
    assert ApiDocument.objects.filter(title="First call").count() == 2
    row = ApiDocument.objects.get(api_version=api["id"])
    browser.post(f"/publisher/apis/{api['id']}/documents/{row.pk}/delete/")
    assert not ApiDocument.objects.filter(api_version=api["id"]).exists()
    assert AuditEvent.objects.filter(action="document.delete").exists()


def test_documents_of_another_team_are_not_there(world: World, browser: Client) -> None:
    api = world.make_api()
    browser.post(f"/publisher/apis/{api['id']}/documents/new/", GUIDE)
    row = ApiDocument.objects.get()
    other = Client()
    other.force_login(make_caller("eve", Role.API_DEVELOPER).user)
    for path in ("", "new/", f"{row.pk}/"):
        assert other.get(f"/publisher/apis/{api['id']}/documents/{path}").status_code == 404
    assert other.post(f"/publisher/apis/{api['id']}/documents/{row.pk}/delete/").status_code == 404
    assert ApiDocument.objects.exists()
