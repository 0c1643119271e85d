"""Sign-in, consent and the way back to a client on another site, in a real browser that enforces the page policy."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.integration.resident_kit import ResidentUnderTest, authorization_url, pkce

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Callback(BaseHTTPRequestHandler):
    """The application's own site: shows that it was reached."""

    def do_GET(self) -> None:
        """Answer any path."""
        body = b"<title>The application</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def application() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Callback)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/callback"
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(page: Page) -> None:
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", "correct horse")
    page.click("main button[type=submit]")


def test_a_person_signs_in_consents_once_and_reaches_the_application_both_times(
    live_server: LiveServer, settings: Settings, application: str, page: Page
) -> None:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    User.objects.create_user("ada", password="correct horse")
    resident = ResidentUnderTest()
    resident.add_scopes("read")
    client = resident.register_web(redirect_uris=[application], client_name="Orders app")
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if "Content Security" in message.text else None)
    url = live_server.url + authorization_url(client, pkce()[1], redirect_uri=application)

    page.goto(url)
    sign_in(page)
    page.wait_for_selector("text=Allow Orders app?")
    page.click("button[name=allow]")
    page.wait_for_url(f"{application}?*")
    assert dict(parse_qsl(urlsplit(page.url).query))["code"]

    page.context.clear_cookies()
    page.goto(url)
    sign_in(page)
    page.wait_for_url(f"{application}?*")
    assert dict(parse_qsl(urlsplit(page.url).query))["iss"] == resident.base
    assert violations == []
