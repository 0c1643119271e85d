"""The tour of the docs and the first call of the README, walked on a real demo by a real browser.

It clicks what the page says in bold, in that order.

With ``ARCHWAY_TOUR_PICTURES=1`` the pictures in ``docs/img/tour/`` are taken anew.
"""

import json
import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from portal.runner.calls import until
from portal.runner.layout import ROOT
from portal.runner.processes import free_ports
from tests.e2e.demo_run import DemoRun

pytestmark = [pytest.mark.browser, pytest.mark.gateway, pytest.mark.timeout(300)]
TOUR = ROOT / "docs" / "tour.md"
README = ROOT / "README.md"
PICTURES = ROOT / "docs" / "img" / "tour"
WAIT_MS = 30_000


class Walker:
    """Clicks by the words that the tour has in bold, and takes the pictures that it shows."""

    def __init__(self, page: Page, base: str, pictures: Path) -> None:
        self.page = page
        self.base = base
        self.pictures = pictures
        self.clicked: list[str] = []
        self.taken: list[str] = []

    def sign_in(self, name: str, password: str) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.base}/sign-in/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()

    def click(self, words: str) -> None:
        """The last visible link or button with these words: what the page offers stands below its navigation."""
        self.clicked.append(words)
        offered = self.page.locator("a:visible, button:visible")
        exact = offered.filter(has_text=re.compile(rf"^\s*{re.escape(words)}\s*$"))
        begins = offered.filter(has_text=re.compile(rf"^\s*{re.escape(words)}"))
        (exact if exact.count() else begins).last.click()
        self.page.wait_for_load_state()

    def picture(self, name: str) -> None:
        self.page.wait_for_timeout(200)
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))
        self.taken.append(name)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoRun]:
    web, gateway, validator, backend = free_ports(4)
    ports = {
        "ARCHWAY_PORT": web,
        "ARCHWAY_GATEWAY_PORT": gateway,
        "ARCHWAY_VALIDATOR_PORT": validator,
        "ARCHWAY_SAMPLE_BACKEND_PORT": backend,
    }
    run = DemoRun(tmp_path / "home", ports)
    yield run
    run.process.terminate()
    run.end()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        browser.close()


def test_the_tour_is_true_from_the_first_click_to_the_last_picture(demo: DemoRun, page: Page, tmp_path: Path) -> None:
    printed = demo.read_until_ready()
    passwords = dict(re.findall(r"^ +(admin|api-developer|app-developer) +(\S+)$", printed, re.MULTILINE))
    walker = Walker(page, f"http://127.0.0.1:{demo.environment['ARCHWAY_PORT']}", tmp_path)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    text = TOUR.read_text(encoding="utf-8")
    gateway = f"http://127.0.0.1:{demo.environment['ARCHWAY_GATEWAY_PORT']}"
    backend = f"http://127.0.0.1:{demo.environment['ARCHWAY_SAMPLE_BACKEND_PORT']}"
    opened, good, bad = (
        line.strip().replace("http://127.0.0.1:8080", gateway)
        for line in re.findall(r"^ +curl .*$", text, re.MULTILINE)
    )

    _publish_an_api(walker, passwords["api-developer"], _typed(text), backend)
    until(lambda: ("open" in _run(opened, ""), "the gateway does not have the new API"), 20)
    walker.click("Store")
    walker.picture("published")
    token = _call_an_api(walker, passwords["app-developer"])
    assert "title" in _run(good, token)
    _explain(walker, json.loads(_run(bad, token))["reference"])
    _add_a_key_manager(walker, passwords["admin"])

    assert walker.clicked == _bold(text)
    assert walker.taken == re.findall(r"img/tour/([\w-]+)\.png", text)
    if os.environ.get("ARCHWAY_TOUR_PICTURES"):
        for name in walker.taken:
            shutil.copy(tmp_path / f"{name}.png", PICTURES)
    assert {path.stem for path in PICTURES.glob("*.png")} == set(walker.taken)
    walker.clicked.clear()
    _first_call_of_the_readme(walker, passwords["app-developer"])
    section = re.search(r"## The first call, by pages\n(.*?)\n## ", README.read_text(encoding="utf-8"), re.DOTALL)
    assert section is not None
    assert walker.clicked == _bold(section[1])
    assert complaints == []


def _bold(text: str) -> list[str]:
    return [" ".join(words.split()) for words in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)]


def _first_call_of_the_readme(walker: Walker, password: str) -> None:
    """From a portal that knows nobody to a 200 on the page, and to the token that a terminal needs."""
    page = walker.page
    page.context.clear_cookies()
    page.goto(walker.base)
    walker.click("Sign in")
    page.fill("[name=username]", "app-developer")
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{walker.base}/")
    walker.click("My applications")
    walker.click("Create application")
    page.fill("[name=name]", "As the README says")
    walker.click("Create application")
    ready = page.get_by_role("status").get_by_text("Ready", exact=True).first
    ready.wait_for(timeout=WAIT_MS)
    walker.click("Subscribe to an API")
    walker.click("Bookshop")
    walker.click("Subscribe")
    page.wait_for_selector("#dialog[open]")
    walker.click("Subscribe")
    ready.wait_for(timeout=WAIT_MS)
    card = page.url
    walker.click("Bookshop")
    walker.click("Reference")
    walker.click("Send request")
    page.locator("#try-answer .resp").get_by_text("200").wait_for(timeout=WAIT_MS)
    page.goto(card)
    walker.click("Generate token")


def _typed(text: str) -> str:
    """The operations that the tour types."""
    block = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return textwrap.dedent(block[1])


def _publish_an_api(walker: Walker, password: str, operations: str, backend: str) -> None:
    page = walker.page
    walker.sign_in("api-developer", password)
    walker.click("Publisher")
    walker.click("Create API")
    walker.click("From scratch")
    page.fill("[name=operations]", operations)
    walker.click("Check and preview")
    walker.picture("preview")
    page.fill("[name=name]", "Library")
    page.fill("[name=context]", "/library")
    page.fill("[name=production]", backend)
    walker.click("Create API")
    page.get_by_role("status").get_by_text("Registered", exact=True).first.wait_for(timeout=WAIT_MS)
    walker.picture("draft")
    walker.click("Publish")


def _call_an_api(walker: Walker, password: str) -> str:
    """The access token that the page shows."""
    page = walker.page
    walker.sign_in("app-developer", password)
    walker.picture("catalogue")
    walker.click("My applications")
    walker.click("Create application")
    page.fill("[name=name]", "First app")
    walker.click("Create application")
    page.wait_for_selector("text=Generate token", timeout=WAIT_MS)
    walker.picture("client-ready")
    walker.click("Subscribe to an API")
    walker.click("Bookshop")
    walker.click("Subscribe")
    page.wait_for_selector("#dialog[open]")
    walker.picture("subscribe")
    walker.click("Subscribe")
    page.wait_for_selector("text=Generate token", timeout=WAIT_MS)
    walker.click("Generate token")
    page.uncheck("[name=scopes][value='books:order']")
    walker.click("Issue token")
    walker.picture("token")
    return page.inner_text("#access-token")


def _explain(walker: Walker, reference: str) -> None:
    walker.click("Explain a refusal")
    walker.page.fill("[name=reference]", reference)
    walker.click("Explain")
    walker.page.wait_for_selector(".verdict .bad")
    walker.picture("verdict")


def _add_a_key_manager(walker: Walker, password: str) -> None:
    page = walker.page
    walker.sign_in("admin", password)
    walker.click("Admin")
    walker.click("Add key manager")
    walker.click("Keycloak")
    walker.picture("key-manager-form")
    page.goto(f"{walker.base}/admin-portal/key-managers/")
    walker.click("Resident")
    walker.click("Check now")
    page.wait_for_selector("#check-steps:not([hx-get])", timeout=WAIT_MS)
    walker.picture("check")


def _run(command: str, token: str) -> str:
    """What the command of the tour prints, with the token as its reader has it."""
    shell = {**os.environ, "TOKEN": token}
    return subprocess.run(["sh", "-c", command], env=shell, capture_output=True, text=True, check=True).stdout
