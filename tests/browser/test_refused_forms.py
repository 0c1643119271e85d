"""Forms that were refused (422), in Chromium: axe-core, focus on the summary, no scrolling sideways, no violation."""

from collections.abc import Iterable
from typing import Final, Literal

import pytest

from keymanager.adapters.registry import SHIPPED
from tests.browser.conftest import NARROW, WIDE, ZOOMED, Visit, Visitor
from tests.browser.test_every_page import someone_with_every_right
from tests.every_page import seed, url_of
from tests.integration.rest_kit import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
# Name of the page, what is typed, the button; a page whose form is empty is refused as it is.
_PUBLISHER: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("publisher-new", {"definition": "openapi: 3.0.3\ninfo: ["}, "main form .btn.primary"),
    ("publisher-endpoints", {"production": "ftp://backend"}, "main form .btn.primary"),
    ("publisher-policies", {"user_claims": "no equals sign"}, "main form .btn.primary"),
    ("publisher-operation-new", {"path": "no slash"}, ".savebar .btn.primary"),
    ("publisher-versions", {"version": "1.0.0"}, "main form .btn.primary"),
    ("publisher-document-new", {}, "main form .btn.primary"),
)
_ADMINISTRATION: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("plans", {}, "main form .btn.primary"),
    ("person-new", {}, "main form .btn.primary"),
    ("teams", {}, "main form .btn.primary"),
)


def refused(
    visitor: Visitor,
    path: str,
    typed: dict[str, str],
    button: str,
    schemes: Iterable[Literal["light", "dark"]] = ("light", "dark"),
) -> list[str]:
    """What is wrong with the page after the form at ``path`` was sent and refused."""
    page = visitor.page
    page.set_viewport_size({"width": WIDE, "height": 900})
    visitor.open(path)
    for name, value in typed.items():
        page.fill(f"main [name={name}]", value)
    page.evaluate("document.querySelectorAll('main form').forEach((form) => { form.noValidate = true; })")
    with page.expect_navigation() as answer:
        page.click(button)
    wrong = [] if answer.value.status == 422 else [f"status {answer.value.status}"]
    if not page.locator(".error-summary").is_visible():
        wrong.append("no summary of errors")
    elif page.evaluate("document.activeElement.closest('.error-summary') === null"):
        wrong.append("focus is not on the summary")
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wrong += [f"{scheme}: {text}" for text in visitor.audit()]
    for width in (NARROW, ZOOMED):
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("document.documentElement.scrollWidth")
        if found > width:
            wrong.append(f"scrolls sideways: {found} px at {width}")
    return [f"{path}: {text}" for text in wrong]


def test_refused_forms_of_publisher_and_administration_are_in_order(world: World, visit: Visit) -> None:
    rows = seed(world)
    visitor = visit(someone_with_every_right(world))
    wrong = []
    for name, typed, button in (*_PUBLISHER, *_ADMINISTRATION):
        wrong += refused(visitor, url_of(name, rows), typed, button)
    assert not [*wrong, *visitor.complaints], "\n".join([*wrong, *visitor.complaints])


def test_the_form_of_every_adapter_is_in_order_when_it_is_refused(world: World, visit: Visit) -> None:
    visitor = visit(someone_with_every_right(world))
    wrong = []
    for slug in sorted(SHIPPED):
        wrong += refused(visitor, f"/admin-portal/key-managers/add/{slug}/", {}, ".savebar .btn.primary", ["light"])
    assert not [*wrong, *visitor.complaints], "\n".join([*wrong, *visitor.complaints])


def test_the_save_bar_says_what_a_new_scope_would_register_before_it_is_saved(world: World, visit: Visit) -> None:
    rows = seed(world)
    visitor = visit(someone_with_every_right(world))
    page = visitor.page
    visitor.open(url_of("publisher-operation-new", rows))
    page.fill("[name=path]", "/tours")
    page.check("[name=access][value=scoped]")
    page.fill("[name=new_scope]", "tours:book")
    page.locator("[name=summary]").focus()
    bar = page.locator("#what-changes")
    bar.get_by_text("1 resource is new.").wait_for()
    assert "tours:book" in bar.inner_text()
    assert "Resident" in bar.inner_text()
    assert page.locator("[name=path]").input_value() == "/tours"
    assert not visitor.complaints, "\n".join(visitor.complaints)
