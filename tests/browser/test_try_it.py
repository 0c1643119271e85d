"""Trying an operation from its page: a real browser, a real gateway with its validator, a real key manager."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from portal.runner.calls import until
from portal.runner.processes import stop_children
from tests.e2e.installed import Client, Installation

# A busy machine takes its time to start so many processes.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SLOW_MS = 20_000


@pytest.fixture(scope="module")
def api(installation: Installation) -> str:
    return str(installation.store.get("/apis/?q=bookshop", 200)["results"][0]["id"])


@pytest.fixture(scope="module")
def client(installation: Installation) -> Client:
    return installation.create_client("Warehouse Sync")


@pytest.fixture
def violations() -> list[str]:
    return []


@pytest.fixture
def page(installation: Installation, violations: list[str]) -> Iterator[Page]:
    """A signed-in app developer's page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(base_url=installation.layout.web_url, viewport={"width": 1440, "height": 900})
        page.set_default_timeout(SLOW_MS)
        page.on("console", lambda said: violations.append(said.text) if "Content Security" in said.text else None)
        sign_in(page, installation, installation.layout.web_url)
        yield page
        browser.close()


def sign_in(page: Page, installation: Installation, portal: str) -> None:
    page.goto(f"{portal}/sign-in/")
    page.fill("input[name=username]", "app-developer")
    page.fill("input[name=password]", installation.passwords["app-developer"])
    page.click("main button[type=submit]")
    page.wait_for_url("**/")


@pytest.fixture
def subscription(installation: Installation, client: Client, api: str) -> Iterator[str]:
    made = installation.subscribe(client, api)
    installation.await_status(200, "/bookshop/1.0.0/books", installation.token(client))
    yield made
    if any(row["id"] == made for row in installation.store.get("/subscriptions/", 200)["results"]):
        installation.store.delete(f"/subscriptions/{made}/", 204)


def envoys(installation: Installation) -> list[int]:
    """The processes that the gateway's own process has started."""
    started_by = installation.child("gateway").process
    assert started_by is not None
    children = Path(f"/proc/{started_by.pid}/task/{started_by.pid}/children").read_text(encoding="ascii").split()
    assert children
    return [int(child) for child in children]


def open_operation(page: Page, api: str, words: str) -> None:
    page.goto(f"/apis/{api}/reference/")
    page.click(f"nav.ops a:has-text('{words}')")


def send(page: Page) -> None:
    page.click("#try button[type=submit]")


def test_a_call_is_sent_with_a_token_of_the_chosen_client_and_its_answer_shown(
    api: str, client: Client, subscription: str, page: Page, violations: list[str]
) -> None:
    open_operation(page, api, "All books")
    with page.expect_response("**/token/") as lent:
        send(page)
    expect(page.locator("#try-answer .resp")).to_contain_text("200", timeout=SLOW_MS)
    expect(page.locator("#try-it .tokline")).to_contain_text("books:read")
    checks = page.locator("#try-verdict")
    expect(checks.locator("li", has_text="The application is subscribed")).to_contain_text("passed", timeout=SLOW_MS)
    assert checks.locator("li.bad").count() == 0
    expect(checks).to_contain_text("Judged again by the portal")
    page.click("#try-answer summary")
    expect(page.locator("[data-fill=headers]")).to_contain_text("content-type: application/json")
    kept = page.content() + page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert lent.value.json()["access_token"] not in kept
    assert client.client_secret not in kept + lent.value.text()
    assert violations == []


def test_a_refused_call_shows_every_check_and_one_way_to_mend_it(
    installation: Installation, api: str, client: Client, subscription: str, page: Page, violations: list[str]
) -> None:
    open_operation(page, api, "All books")
    page.click("#try-it .tokline button")
    expect(page.locator("#try-it .tokline")).to_contain_text("books:read", timeout=SLOW_MS)
    token = installation.token(client)
    installation.store.delete(f"/subscriptions/{subscription}/", 204)
    installation.await_status(403, "/bookshop/1.0.0/books", token)

    send(page)

    expect(page.locator("#try-answer .resp")).to_contain_text("403", timeout=SLOW_MS)
    verdict = page.locator("#try-verdict")
    expect(verdict.locator("li.bad")).to_contain_text("The application is subscribed", timeout=SLOW_MS)
    assert verdict.locator("li").count() > 5
    mending = verdict.get_by_role("link")
    assert mending.count() == 1
    mending.click()
    page.wait_for_url(f"**/apis/{api}/subscribe/?application={client.application}")
    assert violations == []


def test_without_a_subscription_the_panel_says_what_to_do_first(
    installation: Installation, api: str, client: Client, page: Page
) -> None:
    open_operation(page, api, "All books")
    expect(page.locator("#try-it")).to_contain_text("No application of yours is subscribed")
    assert page.locator("#try").count() == 0


def test_a_call_can_be_cancelled_while_the_gateway_is_slow(
    installation: Installation, api: str, page: Page, violations: list[str]
) -> None:
    open_operation(page, api, "Whether the shop is open")
    asleep = envoys(installation)
    for process in asleep:
        os.kill(process, signal.SIGSTOP)
    try:
        send(page)
        cancel = page.get_by_role("button", name="Cancel")
        expect(cancel).to_contain_text("s", timeout=SLOW_MS)
        cancel.click()
        expect(page.locator("[data-when=cancelled]")).to_contain_text("may have received", timeout=SLOW_MS)
        expect(page.locator("#try button[type=submit]")).to_be_visible()
        assert violations == []
    finally:
        for process in asleep:
            os.kill(process, signal.SIGCONT)


def test_a_gateway_that_does_not_know_this_portal_is_told_from_a_silent_one(
    installation: Installation, api: str, page: Page
) -> None:
    elsewhere = installation.layout.web_url.replace("127.0.0.1", "localhost")
    sign_in(page, installation, elsewhere)
    page.goto(f"{elsewhere}/apis/{api}/reference/")
    page.click("nav.ops a:has-text('Whether the shop is open')")
    send(page)
    expect(page.locator("[data-when=not-allowed]")).to_contain_text("does not allow this portal", timeout=SLOW_MS)
    expect(page.locator("[data-when=unreachable]")).to_be_hidden()


def test_a_silent_gateway_is_named_as_such(
    installation: Installation, api: str, page: Page, violations: list[str]
) -> None:
    open_operation(page, api, "Whether the shop is open")
    stop_children(installation.child("gateway"))
    try:
        send(page)
        expect(page.locator("[data-when=unreachable]")).to_contain_text("The gateway does not answer", timeout=SLOW_MS)
        expect(page.locator("#try button[type=submit]")).to_be_visible()
        assert violations == []
    finally:
        installation.start_process("gateway")

    def open_again() -> tuple[bool, str]:
        return installation.call("/bookshop/1.0.0/status").status_code == 200, "the gateway is not back"

    until(open_again, 20)
    send(page)
    expect(page.locator("#try-answer .resp")).to_contain_text("200", timeout=SLOW_MS)
    expect(page.locator("[data-when=unreachable]")).to_be_hidden()
