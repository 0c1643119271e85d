"""Four browsers and a real oidc-provider: added by its administrator, used by a new API and a new application.

Its registration token is wrong at first, so the first registration fails, says why, and succeeds after a retry.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.runner.sample_api import SAMPLE_SCOPES
from tests.browser.steps import BOTH_WAYS, form_of, sign_in, wait_for
from tests.e2e.installed import Installation
from tests.servers import oidc_provider

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.timeout(300)]
SLOW_MS = 20_000


@pytest.fixture
def provider() -> Iterator[oidc_provider.OidcProviderServer]:
    with oidc_provider.start(options=oidc_provider.OidcProviderOptions(scopes=SAMPLE_SCOPES)) as started:
        yield started


class People:
    """Everybody's own browser, with or without JavaScript. ``complaints``: what any of them said of a page."""

    def __init__(self, chromium: Browser, installation: Installation, *, scripts: bool) -> None:
        self.chromium = chromium
        self.installation = installation
        self.scripts = scripts
        self.complaints: list[str] = []

    def open(self, name: str, path: str) -> Page:
        """Signed in, at ``path``."""
        context = self.chromium.new_context(
            base_url=self.installation.layout.web_url,
            viewport={"width": 1440, "height": 900},
            java_script_enabled=self.scripts,
        )
        context.set_default_timeout(SLOW_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(path)
        sign_in(page, name, self.installation.passwords[name])
        return page


@BOTH_WAYS
def test_from_a_new_key_manager_to_a_call_that_its_token_opens_and_a_block_stops(
    chromium: Browser, installation: Installation, provider: oidc_provider.OidcProviderServer, scripts: bool
) -> None:
    name = "Campus" if scripts else "Faculty"
    people = People(chromium, installation, scripts=scripts)
    admin = people.open("admin", "/admin-portal/key-managers/")
    add_key_manager(admin, name, provider)
    maker = people.open("api-developer", "/publisher/new/hand/")
    publish(maker, name, installation)

    developer = people.open("app-developer", "/apps/new/")
    developer.get_by_label("Name", exact=True).fill(f"{name} guide")
    developer.get_by_label("Resident").uncheck()
    developer.get_by_label(name).check()
    developer.get_by_role("button", name="Create application").click()
    wait_for(developer, "Registration failed", scripts=scripts)
    expect(developer.get_by_text(f"{name} said no")).to_be_visible()

    admin.get_by_role("link", name="Edit").first.click()
    admin.get_by_label("Initial access token").fill(provider.options.initial_access_token)
    admin.get_by_role("button", name="Save").click()
    developer.get_by_role("button", name="Retry now").click()
    wait_for(developer, "Ready", scripts=scripts)

    developer.get_by_role("link", name="Archway").first.click()
    developer.get_by_role("main").get_by_role("link", name=f"{name} books").first.click()
    developer.get_by_role("link", name="Subscribe").click()
    form_of(developer).get_by_role("button", name="Subscribe").click()
    wait_for(developer, "Ready", scripts=scripts)
    developer.get_by_role("link", name="Generate token").click()
    developer.get_by_role("button", name="Issue token").click()
    token = developer.locator("#access-token").inner_text()
    path = f"/{name.lower()}/1.0.0/books"
    installation.await_status(200, path, token)

    maker.get_by_role("link", name="Subscriptions").first.click()
    maker.get_by_role("button", name=f"Block {name} guide", exact=True).click()
    refused = installation.await_status(403, path, token)
    developer.get_by_role("link", name="Explain a refusal").click()
    developer.get_by_role("textbox", name="Reference").fill(refused.json()["reference"])
    developer.get_by_role("button", name="Explain").click()
    expect(developer.locator(".verdict li.bad")).to_contain_text("subscri")
    maker.get_by_role("button", name=f"Unblock {name} guide").click()
    installation.await_status(200, path, token)
    assert people.complaints == []


def add_key_manager(page: Page, name: str, provider: oidc_provider.OidcProviderServer) -> None:
    """By discovery, with a registration token that the provider does not know."""
    page.get_by_role("link", name="Add key manager").first.click()
    page.get_by_label("Issuer or discovery URL").fill(provider.issuer)
    page.get_by_role("button", name="Read").click()
    page.get_by_role("link", name="Go on with OAuth 2.0 server").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Short name").fill(name.lower())
    page.get_by_label("Right to register").select_option("fixed")
    page.get_by_label("Initial access token").fill("wrong")
    page.get_by_label("Introspection: client id").fill(provider.options.gateway_client_id)
    page.get_by_label("Introspection: client secret").fill(provider.options.gateway_client_secret)
    page.get_by_role("button", name="Save and turn on").click()


def publish(page: Page, name: str, installation: Installation) -> None:
    """One operation, and the sample backend behind it."""
    page.get_by_label("Operations").fill("GET /books books:read # All books")
    page.get_by_role("button", name="Check and preview").click()
    page.get_by_label("Name", exact=True).fill(f"{name} books")
    page.get_by_label("Context").fill(f"/{name.lower()}")
    page.get_by_label("Production endpoint").fill(installation.layout.backend_url)
    page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Create API").click()
    page.get_by_role("button", name="Publish").click()
