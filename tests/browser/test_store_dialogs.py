"""Forms over the page, refused forms, and tabs of code: by mouse and by keyboard, with scripts and without."""

import re

import pytest
from playwright.sync_api import expect

from subscriptions.models import Subscription
from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.browser.test_every_page import someone_with_every_right
from tests.integration.rest_kit import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def api(world: World) -> str:
    return str(world.make_published()["id"])


def audited(visitor: Visitor, words: str) -> list[str]:
    """What axe-core finds now, in light and dark, wide and narrow."""
    found = []
    for width in (WIDE, NARROW):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found += [f"{words} {scheme} {width}: {text}" for text in visitor.audit()]
        if visitor.page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{words} scrolls sideways at {width}")
    visitor.page.set_viewport_size({"width": WIDE, "height": 900})
    return found


def test_subscribing_changing_the_plan_and_leaving_happen_over_the_page(world: World, api: str, visit: Visit) -> None:
    visitor = visit(world.developer.user)
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    visitor.open(f"/apis/{api}/")
    page.get_by_role("link", name="Subscribe", exact=True).focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Subscribe to Museum")).to_be_visible()
    found = audited(visitor, "subscribe")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Subscribe", exact=True)).to_be_focused()

    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(dialog.get_by_role("alert").filter(has_text="This was not saved")).to_be_focused()
    found += audited(visitor, "subscribe refused")
    dialog.get_by_label("Name of the new application").fill("Guide")
    dialog.get_by_role("button", name="Subscribe").click()
    page.wait_for_url("**/credentials/")

    page.get_by_role("link", name=re.compile("Subscriptions")).click()
    page.get_by_role("link", name=re.compile("Change plan")).click()
    found += audited(visitor, "plan")
    dialog.get_by_label(re.compile("Unlimited")).check()
    dialog.get_by_role("button", name="Change plan").click()
    expect(page.get_by_role("status").filter(has_text="The plan is now")).to_be_visible()
    page.get_by_role("link", name=re.compile("Unsubscribe")).click()
    found += audited(visitor, "unsubscribe")
    dialog.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("Not subscribed to anything.")).to_be_visible()
    assert not Subscription.objects.exists()
    assert not [*found, *visitor.complaints], "\n".join([*found, *visitor.complaints])


def test_a_client_is_removed_only_after_it_was_said_what_ends(world: World, visit: Visit) -> None:
    client = world.make_client("Guide")
    visitor = visit(world.developer.user)
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    visitor.open(f"/apps/{client['application']}/credentials/")
    found = audited(visitor, "cards")
    page.get_by_role("link", name="Rotate secret").click()
    expect(dialog.get_by_role("button", name="Rotate secret")).to_be_visible()
    found += audited(visitor, "rotate")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Remove").click()
    found += audited(visitor, "remove")
    dialog.get_by_role("button", name="Remove client").click()
    expect(page.get_by_text("Its tokens are refused from now on")).to_be_visible()
    assert not [*found, *visitor.complaints], "\n".join([*found, *visitor.complaints])


def test_without_scripts_the_same_forms_are_pages(world: World, api: str, visit: Visit) -> None:
    visitor = visit(world.developer.user, scripts=False)
    page = visitor.page
    visitor.open(f"/apis/{api}/")
    page.get_by_role("link", name="Subscribe", exact=True).click()
    page.get_by_label("Name of the new application").fill("Guide")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("link", name=re.compile("Subscriptions")).click()
    page.get_by_role("link", name=re.compile("Unsubscribe")).click()
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("Not subscribed to anything.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_code_in_another_language_is_an_arrow_key_away(world: World, api: str, visit: Visit, scripts: bool) -> None:
    visitor = visit(world.developer.user, scripts=scripts)
    page = visitor.page
    visitor.open(f"/apis/{api}/reference/")
    page.get_by_role("radio", name="Request").focus()
    for language, code in (("curl", "curl "), ("Python", "requests.request(")):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name=language)).to_be_checked()
        expect(page.get_by_label(language, exact=True).filter(has_text=code)).to_be_visible()
    expect(page.locator("#try-it [data-panel]:visible")).to_have_count(1)


def test_refused_forms_of_the_store_are_in_order(world: World, api: str, visit: Visit) -> None:
    client = world.make_client("Guide")
    visitor = visit(someone_with_every_right(world))
    application = f"/apps/{client['application']}"
    found = []
    for path in (
        f"/apis/{api}/subscribe/",
        "/apps/new/",
        f"{application}/settings/",
        f"{application}/credentials/resident/register/?environment=sandbox",
        f"{application}/credentials/resident/existing/?environment=sandbox",
        f"/credentials/{client['id']}/",
        "/account/tokens/",
    ):
        visitor.open(path)
        page = visitor.page
        page.evaluate(
            """() => {
              const form = document.querySelector("main form:not([action])") || document.querySelector("main form");
              form.noValidate = true;
              for (const field of form.querySelectorAll("input, textarea, select")) {
                if (field.name === "csrfmiddlewaretoken") continue;
                if (field.type === "checkbox" || field.type === "radio") field.checked = false;
                else field.value = "";
              }
            }"""
        )
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            page.locator("main form button[type=submit]").first.click()
        assert answered.value.status == 422, path
        page.wait_for_load_state()
        expect(page.locator(".error-summary")).to_be_focused()
        assert page.title().startswith("Error:"), path
        found += audited(visitor, path)
    assert not [*found, *visitor.complaints], "\n".join([*found, *visitor.complaints])
