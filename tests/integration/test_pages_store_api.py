"""An API's own pages in the store, the catalogue's orders, and a token's claims and end."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from keymanager.models import RevokedToken
from store.pages.tokens import claims_of
from subscriptions.models import AuditEvent
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.developer.user)
    return client


def test_the_overview_draws_markdown_and_lists_plans_scopes_and_versions(world: World, client: Client) -> None:
    api = world.make_published(description="Opens **daily**. <script>x</script>")
    page = client.get(f"/apis/{api['id']}/").content.decode()
    assert "<strong>daily</strong>" in page
    assert "<script>x" not in page
    assert "2 operations" in page
    assert "tickets:buy" in page
    assert "No limit" in page
    plans = client.get(f"/apis/{api['id']}/plans/").content.decode()
    assert "?plan=gold" in plans


def test_the_console_loads_its_script_with_the_served_definition(world: World, client: Client) -> None:
    api = world.make_published()
    page = client.get(f"/apis/{api['id']}/console/").content.decode()
    assert f'data-schema="/api/v1/store/apis/{api["id"]}/definition/"' in page
    assert "swagger-ui-bundle" in page
    assert "swagger-ui-bundle" not in client.get(f"/apis/{api['id']}/reference/").content.decode()


def test_a_search_that_finds_nothing_names_what_is_near_and_how_to_go_on(world: World, client: Client) -> None:
    def said(**asked: str) -> str:
        return " ".join(client.get("/", asked).content.decode().split())

    world.make_published()
    near = said(q="Musuem")
    assert "No API matches “Musuem”." in near
    assert '<a href="/?q=Museum">Museum</a>' in near
    assert "1 API without the filters" in said(q="Museum", tag="none-such")
    assert "Near to it" not in said(q="zzzzqqqq")


def test_the_catalogue_puts_the_most_subscribed_first(world: World, browser: Client) -> None:
    popular = world.make_published(name="Popular", context="/popular")
    world.make_published(name="Newer", context="/newer")
    world.subscribe(world.make_application("Guide"), popular)
    page = browser.get("/", {"sort": "subscribed"}).content.decode()
    assert page.index(">Popular<") < page.index(">Newer<")


def test_a_token_that_was_shown_can_be_ended_and_nothing_of_it_is_kept(world: World, browser: Client) -> None:
    api = world.make_published()
    client = world.make_client()
    world.subscribe({"id": client["application"]}, api)
    url = f"/credentials/{client['id']}/token/"
    token = re.findall(r'name="token"\s+value="([^"]+)"', browser.post(url).content.decode())[0]

    answer = browser.post(f"{url}revoke/", {"token": token}, follow=True)

    assert "The token is refused from now on." in answer.content.decode()
    assert token not in answer.content.decode()
    assert RevokedToken.objects.count() == 1
    assert AuditEvent.objects.get(action="token.revoke").actor_name == "app-developer"
    again = browser.post(f"{url}revoke/", {"token": token}, follow=True)
    assert "not a token of this client" in again.content.decode()


def test_claims_are_read_from_a_jwt_alone() -> None:
    assert '"sub": "ada"' in claims_of("e30.eyJzdWIiOiJhZGEifQ.x")
    assert claims_of("opaque") == claims_of("a.b.c") == claims_of("e30.W10.x") == ""
