"""One Chromium for a module, people with a session in it, and every complaint of the browser on one list."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.e2e.installed import Installation
from tests.integration.front_door_kit import worker
from tests.integration.rest_kit import World, make_world

WIDE, NARROW, ZOOMED = 1440, 390, 320
AXE_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_SOURCE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`page policy: ${event.violatedDirective} stopped ${event.blockedURI} in ${event.sourceFile}`);
});
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person at a browser. ``complaints``: console errors, violations of the page policy, uncaught exceptions."""

    base: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Go there; the status of the answer."""
        answer = self.page.goto(self.base + path)
        return 0 if answer is None else answer.status

    def audit(self, *, without: str = "") -> list[str]:
        """What axe-core finds on the page as it is now; ``without``: a selector of what others made."""
        self.page.evaluate("(source) => { if (!window.axe) (0, eval)(source); }", AXE_SOURCE)
        return self._axe(without)

    def _axe(self, without: str) -> list[str]:
        context = {"exclude": [[without]]} if without else {}
        found: list[dict[str, Any]] = self.page.evaluate(
            """async ([context, tags]) => {
              const options = {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"], iframes: false};
              return (await axe.run(Object.keys(context).length ? context : document, options)).violations;
            }""",
            [context, AXE_TAGS],
        )
        return [
            f"{item['id']}: {node['target']} {node['html'][:160]} ({node['failureSummary'][:200]})"
            for item in found
            for node in item["nodes"]
        ]


Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, started once for a module."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright's loop makes Django think that every call comes from asynchronous code.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Every process of the demo, once for all tests of this folder that one test process runs."""
    made = Installation(tmp_path_factory.mktemp("installation") / "home")
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a browser that knows nobody."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> str:
    """The portal's address; it knows it, too."""
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def world(portal: str) -> Iterator[World]:
    """A person for each task, and the resident key manager at the portal's address."""
    yield from make_world()


@pytest.fixture
def worker_beside() -> Iterator[None]:
    """Registrations are carried out as they come."""
    with worker():
        yield


@pytest.fixture
def visit(chromium: Browser, portal: str) -> Iterator[Visit]:
    """``visit(user, width=…, scripts=…)``: a browser of their own for each person, or for nobody."""
    contexts: list[BrowserContext] = []

    def opened(user: User | None = None, *, width: int = WIDE, scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.add_init_script(_REPORT_VIOLATIONS)
        if user is not None:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": portal}])
        visitor = Visitor(base=portal, context=context, page=context.new_page())
        visitor.page.on("console", lambda message: _note(visitor, message))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"{visitor.page.url}: {error}"))
        return visitor

    yield opened
    for context in contexts:
        context.close()


def session_of(user: User) -> str:
    """The key of a new session of this person."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return session.session_key


def _note(visitor: Visitor, message: ConsoleMessage) -> None:
    # A refused form is answered with 422, which the browser calls a failure to load.
    expected = "the server responded with a status of 422" in message.text
    if message.type in {"error", "warning"} and not expected:
        visitor.complaints.append(f"{visitor.page.url}: {message.text}")
