"""Every page of the URL configuration in Chromium: axe-core, page policy, width, headings, focus.

The pages come from the table of ``tests/every_page.py``: a new one is walked as soon as it has its line there.
With ``ARCHWAY_SCREENSHOTS=FOLDER``, as ``make screenshots`` has it, a picture of each look of each page goes there.
"""

import os
from pathlib import Path
from typing import Final

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Membership, Role, User
from accounts.services import create_user
from tests.browser.conftest import NARROW, WIDE, ZOOMED, Visit, Visitor
from tests.every_page import EVERYBODY, PAGES, TURNED_OFF, seed, url_of
from tests.integration.rest_kit import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
# What others made is theirs to mend.
NOT_OURS: Final = {"console": "#console", "store-console": "#console"}
_FOCUS_UNSEEN: Final = """() => {
  const looks = (element) => {
    const seen = [];
    for (let node = element, up = 0; node && up < 4; node = node.parentElement, up += 1) {
      const style = getComputedStyle(node);
      seen.push(style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.top);
    }
    return seen.join();
  };
  const unseen = [];
  for (const element of document.querySelectorAll("a[href], button, input, select, textarea, summary")) {
    if (element.closest("#console") || !element.checkVisibility()) continue;
    if (element.disabled || element.type === "hidden") continue;
    document.activeElement.blur();
    const before = looks(element);
    element.focus();
    if (document.activeElement !== element || looks(element) === before) unseen.push(element.outerHTML.slice(0, 160));
  }
  document.activeElement.blur();
  return unseen;
}"""
_TOO_SMALL: Final = """() => [...document.querySelectorAll("button, select, summary, .btn, .iconbtn, .tabs a, .side a")]
  .filter((element) => element.checkVisibility() && !element.closest(".vh, #console"))
  .filter((element) => { const box = element.getBoundingClientRect(); return box.height < 24 || box.width < 24; })
  .map((element) => element.outerHTML.slice(0, 160))"""


def someone_with_every_right(world: World) -> User:
    """A member of the teams of the world, with every role."""
    user = create_user(username="ada", password="correct horse battery", roles=list(Role))
    for owner in (world.publisher, world.developer):
        assert owner.actor.team_id is not None
        Membership.objects.create(user=user, team_id=owner.actor.team_id)
    return user


def findings(visitor: Visitor, name: str) -> list[str]:
    """What is wrong with the open page, in light and dark, wide, narrow and zoomed."""
    page = visitor.page
    if name in NOT_OURS:
        page.locator("#operations[role=group]").wait_for()
    wrong = [f"focus is not seen on {html}" for html in page.evaluate(_FOCUS_UNSEEN)]
    headings = page.locator("h1:not(#console h1)").count()
    if headings != 1:
        wrong.append(f"{headings} h1")
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"smaller than 24 px at {width}: {html}" for html in page.evaluate(_TOO_SMALL)]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            wrong += [f"{scheme} {width}: {text}" for text in visitor.audit(without=NOT_OURS.get(name, ""))]
            picture(visitor, f"{name}-{scheme}-{width}")
    for width in (NARROW, ZOOMED):
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("document.documentElement.scrollWidth")
        if found > width:
            wrong.append(f"scrolls sideways: {found} px at {width}")
    page.set_viewport_size({"width": WIDE, "height": 900})
    return wrong


def picture(visitor: Visitor, name: str) -> None:
    """The whole page, where somebody asked for pictures."""
    if folder := os.environ.get("ARCHWAY_SCREENSHOTS"):
        who = "" if visitor.page.locator("#me").count() else "-signed-out"
        visitor.page.evaluate("scrollTo(0, 0)")
        visitor.page.screenshot(path=Path(folder) / f"{name}{who}.png", full_page=True)


def walk(visitor: Visitor, names: list[str], rows: dict[str, str]) -> list[str]:
    """Every finding on these pages."""
    wrong = []
    for name in names:
        status = visitor.open(url_of(name, rows))
        if status != 200:
            wrong.append(f"{name}: status {status}")
        wrong += [f"{name}: {text}" for text in findings(visitor, name)]
    return wrong


def test_every_page_is_in_order_for_somebody_who_may_see_it(world: World, visit: Visit) -> None:
    rows = seed(world)
    visitor = visit(someone_with_every_right(world))
    names = [name for name, page in PAGES.items() if page.get not in {None, TURNED_OFF} and not page.fragment]
    wrong = walk(visitor, names, rows)
    assert not [*wrong, *visitor.complaints], "\n".join([*wrong, *visitor.complaints])


def test_every_open_page_is_in_order_for_nobody(world: World, visit: Visit) -> None:
    rows = seed(world)
    visitor = visit()
    names = [name for name, page in PAGES.items() if page.get == EVERYBODY and not page.fragment]
    wrong = walk(visitor, names, rows)
    assert not [*wrong, *visitor.complaints], "\n".join([*wrong, *visitor.complaints])


def test_every_component_is_in_order_in_every_state(visit: Visit, settings: Settings) -> None:
    settings.DEBUG = True
    visitor = visit()
    wrong = walk(visitor, ["style"], {})
    visitor.page.get_by_role("button", name="Open the dialog").click()
    wrong += [f"dialog: {text}" for text in visitor.audit()]
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_role("button", name="Open the menu").click()
    wrong += [f"menu: {text}" for text in visitor.audit()]
    assert not [*wrong, *visitor.complaints], "\n".join([*wrong, *visitor.complaints])
