"""The whole path in the pages, as people walk it: mouse, keyboard, no JavaScript, refusals, two browsers."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from subscriptions.models import Application
from tests.browser.conftest import Visit
from tests.browser.steps import BOTH_WAYS, form_of, sign_in, sign_in_by_keyboard, skip_to_content, tab_to, wait_for
from tests.fakes.faults import Fault
from tests.integration.front_door_kit import fake
from tests.integration.rest_kit import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("worker_beside"),
]


@BOTH_WAYS
def test_by_mouse_from_signing_in_to_a_token(world: World, visit: Visit, scripts: bool) -> None:
    world.make_published()
    visitor = visit(scripts=scripts)
    page = visitor.page
    visitor.open("/apps/new/")
    sign_in(page, "app-developer")
    page.get_by_label("Name", exact=True).fill("Guide")
    page.get_by_label("Resident").check()
    page.get_by_role("button", name="Create application").click()
    wait_for(page, "Ready", scripts=scripts)

    page.get_by_role("link", name="Archway").first.click()
    page.get_by_role("main").get_by_role("link", name="Museum").first.click()
    page.get_by_role("link", name="Subscribe").click()
    form_of(page).get_by_role("button", name="Subscribe").click()
    wait_for(page, "Ready", scripts=scripts)
    page.get_by_role("link", name="Generate token").click()
    page.get_by_role("button", name="Issue token").click()

    expect(page.get_by_text("It is shown once and the portal does not keep it.")).to_be_visible()
    assert re.match(r"eyJ[\w-]+\.", page.locator("#access-token").inner_text())
    assert visitor.complaints == []


def test_a_card_becomes_ready_without_a_reload(world: World, visit: Visit) -> None:
    visitor = visit(world.developer.user)
    visitor.open("/apps/new/")
    page = visitor.page
    page.get_by_label("Name", exact=True).fill("Guide")
    page.get_by_role("button", name="Create application").click()
    page.evaluate("() => { window.sameDocument = true; }")
    wait_for(page, "Ready")
    assert page.evaluate("window.sameDocument") is True
    assert visitor.complaints == []


def test_by_keyboard_alone_from_signing_in_to_a_token(world: World, visit: Visit) -> None:
    world.make_published()
    visitor = visit()
    page, keys = visitor.page, visitor.page.keyboard
    visitor.open("/apps/new/")
    sign_in_by_keyboard(page, "app-developer")
    page.wait_for_url(f"{visitor.base}/apps/new/")
    skip_to_content(page)
    tab_to(page, "Name")
    keys.type("Guide")
    tab_to(page, "Resident")
    if not page.evaluate("document.activeElement.checked"):
        keys.press("Space")
    tab_to(page, "Create application")
    keys.press("Enter")
    wait_for(page, "Ready")

    tab_to(page, "Archway")
    keys.press("Enter")
    page.wait_for_url(f"{visitor.base}/")
    skip_to_content(page)
    tab_to(page, "Museum")
    keys.press("Enter")
    page.wait_for_url("**/apis/*/")
    skip_to_content(page)
    tab_to(page, "Subscribe")
    keys.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Subscribe to Museum")).to_be_visible()
    tab_to(page, "Unlimited")
    keys.press("Enter")
    page.wait_for_url("**/credentials/**")  # the skip link's #main survives the redirect: Tab starts there
    wait_for(page, "Ready")
    tab_to(page, "Generate token")
    keys.press("Enter")
    page.wait_for_url("**/token/")
    tab_to(page, "Issue token")
    keys.press("Enter")

    expect(page.locator("#access-token")).to_have_text(re.compile(r"^eyJ"))
    assert visitor.complaints == []


@BOTH_WAYS
def test_a_registration_that_was_refused_is_explained_retried_and_succeeds(
    world: World, visit: Visit, scripts: bool
) -> None:
    with fake() as (server, _):
        server.fault("register", Fault.refused(400, error="invalid_client_metadata"))
        made = world.make_application("Guide")
        visitor = visit(world.developer.user, scripts=scripts)
        page = visitor.page
        visitor.open(f"/apps/{made['id']}/credentials/fake/register/")
        page.get_by_role("main").locator("form button[type=submit]").last.click()
        wait_for(page, "Registration failed", scripts=scripts)
        expect(page.get_by_text("Fake said no")).to_be_visible()
        expect(page.get_by_text("a queued fault").first).to_be_visible()

        page.get_by_role("button", name="Retry now").click()
        wait_for(page, "Ready", scripts=scripts)
        assert visitor.complaints == []


def test_what_the_publisher_blocks_in_one_browser_the_developer_sees_in_another(world: World, visit: Visit) -> None:
    api = world.make_published()
    application = world.make_application("Guide")
    world.subscribe(application, api)
    maker, developer = visit(world.publisher.user), visit(world.developer.user)
    developer.open(f"/apps/{application['id']}/subscriptions/")
    expect(developer.page.get_by_text("Blocked")).to_have_count(0)

    maker.open(f"/publisher/apis/{api['id']}/subscriptions/")
    maker.page.get_by_role("button", name="Block Guide", exact=True).click()
    expect(maker.page.get_by_role("cell").get_by_text("Blocked", exact=True)).to_be_visible()
    developer.page.reload()
    expect(developer.page.get_by_role("cell").get_by_text("Blocked", exact=True)).to_be_visible()

    maker.page.get_by_role("button", name="Unblock Guide").click()
    maker.page.wait_for_load_state()
    developer.page.reload()
    expect(developer.page.get_by_role("cell").get_by_text("Blocked", exact=True)).to_have_count(0)
    assert maker.complaints == developer.complaints == []


@BOTH_WAYS
def test_a_session_that_ends_in_the_middle_of_a_form_loses_no_input(world: World, visit: Visit, scripts: bool) -> None:
    visitor = visit(world.developer.user, scripts=scripts)
    page = visitor.page
    visitor.open("/apps/new/")
    page.get_by_label("Name", exact=True).fill("Night train")
    page.get_by_label("What it does").fill("Finds the last bed.")
    Session.objects.all().delete()
    page.get_by_role("button", name="Create application").click()
    sign_in(page, "app-developer")

    assert not Application.objects.exists()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Night train")
    expect(page.get_by_label("What it does")).to_have_value("Finds the last bed.")
    page.get_by_role("button", name="Create application").click()
    expect(page.get_by_text("The application Night train was created.")).to_be_visible()
    assert visitor.complaints == []


def test_the_filters_of_the_catalogue_stand_beside_what_they_find(world: World, visit: Visit) -> None:
    world.make_published()
    visitor = visit(world.developer.user)
    visitor.open("/")
    filters = visitor.page.get_by_role("group", name="State").bounding_box()
    found = visitor.page.get_by_role("region", name="Results").bounding_box()
    assert filters is not None
    assert found is not None
    assert filters["x"] + filters["width"] < found["x"]
    assert found["y"] < filters["y"]
