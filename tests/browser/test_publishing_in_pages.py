"""An API from nothing to the store in pages: mouse, keyboard, no JavaScript, a form whose session ended."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from subscriptions.models import Api
from tests.browser.conftest import Visit
from tests.browser.steps import BOTH_WAYS, sign_in, sign_in_by_keyboard, skip_to_content, tab_to, wait_for
from tests.integration.rest_kit import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("worker_beside"),
]
DEFINITION = """openapi: 3.0.3
info: {title: Night train, version: 2.0.0}
paths:
  /beds:
    get: {summary: Free beds, responses: {"200": {description: Beds}}}
"""
BROKEN = DEFINITION.replace("paths:", "paths: [")


@BOTH_WAYS
def test_by_mouse_from_a_definition_with_a_mistake_to_an_api_that_others_find(
    world: World, visit: Visit, scripts: bool
) -> None:
    maker, developer = visit(scripts=scripts), visit(world.developer.user, scripts=scripts)
    page = maker.page
    developer.open("/?q=Night")
    expect(developer.page.get_by_role("main").get_by_role("link", name="Night train")).to_have_count(0)

    maker.open("/publisher/new/text/")
    sign_in(page, "api-developer")
    page.get_by_label("OpenAPI definition").fill(BROKEN)
    page.get_by_role("button", name="Check and preview").click()
    expect(page.get_by_role("alert").get_by_text(re.compile(r"line \d+")).first).to_be_visible()
    expect(page.get_by_label("OpenAPI definition")).to_have_value(BROKEN)
    page.get_by_label("OpenAPI definition").fill(DEFINITION)
    page.get_by_role("button", name="Check and preview").click()
    expect(page.get_by_role("cell", name="Free beds")).to_be_visible()
    page.get_by_label("Context").fill("/night-train")
    page.get_by_role("button", name="Create API").click()

    page.get_by_role("link", name="Resources and scopes").first.click()
    page.get_by_label("Subscribers with one of these scopes").check()
    page.get_by_label("New scope").fill("beds:read")
    page.get_by_role("button", name="Show changes").click()
    expect(page.get_by_role("status").filter(has_text="beds:read")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main").get_by_text("beds:read").first).to_be_visible()

    page.get_by_role("link", name="Endpoints").first.click()
    page.get_by_label("Production").first.fill("http://127.0.0.1:9000/v1")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Overview").first.click()
    wait_for(page, "Registered", scripts=scripts)
    expect(page.get_by_text("Nothing is left to do")).to_be_visible()  # the checklist says what the table says
    page.get_by_role("button", name="Publish").click()

    developer.page.reload()
    developer.page.get_by_role("main").get_by_role("link", name="Night train").first.click()
    expect(developer.page.get_by_role("heading", name="Night train")).to_be_visible()
    assert maker.complaints == developer.complaints == []


def test_by_keyboard_alone_from_typed_operations_to_a_published_api(world: World, visit: Visit) -> None:
    visitor = visit()
    page, keys = visitor.page, visitor.page.keyboard
    visitor.open("/publisher/new/hand/")
    sign_in_by_keyboard(page, "api-developer")
    page.wait_for_url(f"{visitor.base}/publisher/new/hand/")
    skip_to_content(page)
    tab_to(page, "Operations")
    keys.type("GET /beds beds:read # Free beds")
    tab_to(page, "Check and preview")
    keys.press("Enter")
    page.wait_for_selector("text=Step 2 of 2")
    skip_to_content(page)
    for label, typed in (("Name", "Night train"), ("Context", "/night-train"), ("Production", "http://127.0.0.1:9/v1")):
        tab_to(page, label)
        keys.type(typed)
    tab_to(page, "Create API")
    keys.press("Enter")
    page.wait_for_url("**/publisher/apis/*/")
    wait_for(page, "Registered")
    skip_to_content(page)
    tab_to(page, "Publish")
    keys.press("Enter")

    page.wait_for_selector("text=Published")
    assert Api.objects.get().versions.get().state == "published"
    assert visitor.complaints == []


def test_the_second_step_of_a_new_api_survives_the_end_of_the_session(world: World, visit: Visit) -> None:
    visitor = visit(world.publisher.user)
    page = visitor.page
    visitor.open("/publisher/new/text/")
    page.get_by_label("OpenAPI definition").fill(DEFINITION)
    page.get_by_role("button", name="Check and preview").click()
    page.get_by_label("Context").fill("/night-train")
    Session.objects.all().delete()
    page.get_by_role("button", name="Create API").click()
    sign_in(page, "api-developer")

    expect(page.get_by_label("Context")).to_have_value("/night-train")
    expect(page.get_by_role("cell", name="Free beds")).to_be_visible()
    assert not Api.objects.exists()
    page.get_by_role("button", name="Create API").click()
    page.wait_for_url("**/publisher/apis/*/")
    assert visitor.complaints == []
