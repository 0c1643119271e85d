"""What people do on every page: sign in, wait for a state, find their way by Tab."""

from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

BOTH_WAYS: Final = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
PASSWORD: Final = "correct horse battery"
_IN_FOCUS: Final = """() => {
  const element = document.activeElement;
  if (element === document.body) return "";
  const label = element.labels?.length ? element.labels[0].textContent : "";
  return [element.getAttribute("aria-label") || "", label, element.textContent].join(" ").replace(/\\s+/g, " ");
}"""


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """On the sign-in page that is open."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def sign_in_by_keyboard(page: Page, name: str) -> None:
    """On the sign-in page that is open; its first field takes the focus by itself, after the page has loaded."""
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(name)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def form_of(page: Page) -> Locator:
    """Where a form is that a link opened: over the page, or on a page of its own where nothing runs scripts."""
    return page.locator("main, dialog[open]")


def wait_for(page: Page, words: str, *, scripts: bool = True) -> None:
    """Until a state on the page says so: by itself, or after reloading where nothing can change it."""
    found = page.get_by_role("status").get_by_text(words, exact=True).first
    if scripts:
        found.wait_for()
        return
    for _ in range(100):
        if found.is_visible():
            return
        page.wait_for_timeout(150)
        page.reload()
    pytest.fail(f"the page never said {words}")


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus is called so; it has to be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if words in page.evaluate(_IN_FOCUS):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    pytest.fail(f"no way to {words} by Tab")


def skip_to_content(page: Page) -> None:
    """The first Tab of a page reaches the skip link, which leads past the top bar."""
    page.keyboard.press("Tab")
    assert page.evaluate(_IN_FOCUS).strip() == "Skip to content"
    page.keyboard.press("Enter")
