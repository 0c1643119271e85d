"""The store's pages as a browser without JavaScript uses them: from an application to a call's explanation."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from keymanager.models import Credential, RefusedCall
from subscriptions.models import Application, AuditEvent, Subscription
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.developer.user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def test_an_application_is_created_with_a_client_that_is_shown_on_its_way(world: World, browser: Client) -> None:
    team = world.developer.user.teams.get().pk
    sent = {"name": "Guide", "description": "Shows the way", "team": team, "key_managers": ["resident"]}
    page = text_of(browser.post("/apps/new/", sent, follow=True))
    credential = Credential.objects.get()

    assert "The application Guide was created." in page
    assert "Requested" in page
    assert f"/credentials/{credential.pk}/card/?round=1" in page
    assert 'hx-trigger="load delay:2s"' in page

    world.work()
    card = browser.get(f"/credentials/{credential.pk}/card/?round=6")
    credential.refresh_from_db()
    assert card.status_code == 286
    assert credential.client_id in text_of(card)
    assert "hx-trigger" not in text_of(card)


def test_a_card_asks_less_and_less_often(world: World, browser: Client) -> None:
    made = world.make_application("Guide", {"key_manager": "resident"})
    card = f"/credentials/{made['credentials'][0]['id']}/card/"
    delays = [re.findall(r"delay:(\d+)s", text_of(browser.get(f"{card}?round={turn}"))) for turn in (0, 4, 99)]
    assert delays == [["2"], ["5"], ["15"]]


def test_a_name_that_is_taken_is_refused_at_its_field_and_nothing_is_made(world: World, browser: Client) -> None:
    world.make_application("Guide")
    team = world.developer.user.teams.get().pk
    answer = browser.post("/apps/new/", {"name": "guide", "team": team, "key_managers": ["resident"]})
    page = text_of(answer)
    assert answer.status_code == 422
    assert '<a href="#id_name">Name</a>' in page
    assert 'value="guide"' in page
    assert not Credential.objects.exists()


def test_a_client_is_registered_in_the_sandbox_with_grants_and_callbacks(world: World, browser: Client) -> None:
    made = world.make_application("Guide")
    form = {
        "environment": "sandbox",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": "https://guide.example/cb\n",
        "token_endpoint_auth_method": "none",
    }
    answer = browser.post(f"/apps/{made['id']}/credentials/resident/register/", form)
    row = Credential.objects.get()
    assert answer["Location"].endswith("/credentials/?environment=sandbox")
    assert (row.environment, row.redirect_uris) == ("sandbox", ["https://guide.example/cb"])


def test_a_callback_without_https_is_refused_at_its_field(world: World, browser: Client) -> None:
    made = world.make_application("Guide")
    form = {
        "environment": "production",
        "grant_types": ["authorization_code"],
        "redirect_uris": "http://guide.example/cb",
        "token_endpoint_auth_method": "none",
    }
    answer = browser.post(f"/apps/{made['id']}/credentials/resident/register/", form)
    assert answer.status_code == 422
    assert '<a href="#id_redirect_uris">Callback URLs</a>' in text_of(answer)
    assert "http://guide.example/cb</textarea>" in text_of(answer)


def test_a_secret_is_shown_on_request_and_the_reading_is_audited(world: World, browser: Client) -> None:
    client = world.make_client()
    shown = browser.post(f"/credentials/{client['id']}/reveal/")
    secret = world.developer.post(f"/store/credentials/{client['id']}/reveal-secret/").json()["client_secret"]
    assert secret in text_of(shown)
    assert shown["Cache-Control"] == "no-store"
    assert secret not in text_of(browser.get(f"/apps/{client['application']}/credentials/"))
    assert AuditEvent.objects.filter(action="credential.reveal_secret").count() == 2


def test_a_token_carries_only_scopes_of_subscribed_apis(world: World, browser: Client) -> None:
    api = world.make_published()
    client = world.make_client()
    before = text_of(browser.get(f"/credentials/{client['id']}/token/"))
    assert "tickets:buy" not in before
    world.subscribe({"id": client["application"]}, api)
    world.work()

    answer = browser.post(f"/credentials/{client['id']}/token/", {"scopes": ["tickets:buy"]})

    assert answer.status_code == 200, text_of(answer)
    assert answer["Cache-Control"] == "no-store"
    assert "It carries tickets:buy." in text_of(answer)
    assert browser.post(f"/credentials/{client['id']}/token/", {"scopes": ["other:scope"]}).status_code == 422


def test_an_api_is_subscribed_to_its_plan_changed_and_left(world: World, browser: Client) -> None:
    api = world.make_published()
    made = world.make_application("Guide")
    browser.post(f"/apis/{api['id']}/subscribe/", {"application": made["id"], "plan": "gold"})
    row = Subscription.objects.get()
    page = text_of(browser.get(f"/apps/{made['id']}/subscriptions/"))
    assert "Museum" in page

    browser.post(f"/subscriptions/{row.pk}/plan/", {"plan": "unlimited"})
    row.refresh_from_db()
    assert row.plan.slug == "unlimited"

    browser.post(f"/subscriptions/{row.pk}/end/")
    assert not Subscription.objects.exists()


def test_an_application_is_deleted_only_when_its_name_is_typed(world: World, browser: Client) -> None:
    client = world.make_client()
    url = f"/apps/{client['application']}/delete/"
    browser.post(url, {"confirm": "guide"})
    assert Application.objects.get().state == "active"
    browser.post(url, {"confirm": "Guide"})
    assert Application.objects.get().state == "removing"
    world.work()
    assert Application.objects.get().state == "removed"


def test_a_refused_call_is_explained_to_its_team_alone(world: World, browser: Client) -> None:
    made = world.make_application("Guide")
    steps = [
        {"name": "token", "outcome": "passed", "message": "signed by Resident"},
        {"name": "subscription", "outcome": "failed", "code": "not_subscribed", "message": "no subscription"},
    ]
    RefusedCall.objects.create(
        reference="ref-1", at=timezone.now(), method="GET", path="/museum/1.0.0/hours", status=403,
        code="not_subscribed", steps=steps, application_id=made["id"],
    )  # fmt: skip
    asked = browser.get("/refusals/", {"reference": " ref-1 "}, follow=True)
    assert "The application is subscribed" in text_of(asked)
    assert "no subscription" in text_of(asked)

    other = Client()
    other.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    assert other.get("/refusals/ref-1/").status_code == 404
    assert browser.get("/refusals/ref-2/").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "settings/",
        "subscriptions/",
        "credentials/",
        "credentials/resident/register/",
        "credentials/resident/existing/",
    ],
)
def test_an_application_of_another_team_is_not_there(world: World, path: str) -> None:
    made = world.make_application("Guide")
    other = Client()
    other.force_login(make_caller("eve", Role.APP_DEVELOPER).user)
    assert other.get(f"/apps/{made['id']}/{path}").status_code == 404


@pytest.mark.parametrize("page", ["/apps/", "/", "/?view=table"])
def test_a_list_costs_the_same_queries_with_many_rows(world: World, browser: Client, page: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(page).status_code == 200
        return len(seen)

    def add(number: int) -> None:
        world.make_published(name=f"Api {number}", context=f"/api{number}")
        world.make_application(f"Application {number}", {"key_manager": "resident"})

    add(0)
    first = queries()
    for number in range(1, 6):
        add(number)
    assert queries() == first


def test_a_card_page_costs_the_same_queries_with_many_clients(world: World, browser: Client) -> None:
    for number in range(4):
        world.add_key_manager(f"km{number}")
    made = world.make_application("One", {"key_manager": "resident"})
    several = [{"key_manager": slug} for slug in ("resident", "km0", "km1", "km2", "km3")]
    many = world.make_application("Many", *several)

    def queries(application: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(f"/apps/{application}/credentials/").status_code == 200
        return len(seen)

    queries(many["id"])
    assert queries(many["id"]) == queries(made["id"])


def test_the_catalogue_answers_htmx_with_the_results_alone(world: World, client: Client) -> None:
    world.make_published()
    page = text_of(client.get("/", {"q": "muse"}, headers={"HX-Request": "true"}))
    assert "Museum" in page
    assert "<html" not in page
    assert "No API matches" in text_of(client.get("/", {"q": "nothing like it"}))


def test_a_blocked_api_says_so(world: World, client: Client) -> None:
    api = world.make_published()
    world.move(api, "block")
    assert "This API is blocked for now" in text_of(client.get(f"/apis/{api['id']}/"))


def test_the_reference_shows_what_a_call_needs(world: World, client: Client) -> None:
    api = world.make_published()
    page = text_of(client.get(f"/apis/{api['id']}/reference/"))
    link = re.findall(rf"/apis/{api['id']}/reference/[0-9a-f-]+/", page)[1]
    operation = text_of(client.get(link))
    assert "tickets:buy" in operation
    assert "Authorization: Bearer $TOKEN" in operation.replace("&quot;", '"')
    assert client.get(f"/apis/{api['id']}/reference/{api['id']}/").status_code == 404


def test_members_that_only_one_key_manager_has_are_asked_and_refused_at_their_field(
    world: World, browser: Client
) -> None:
    config = {"issuer": "https://okta.example/oauth2/default", "api_token": "management-secret-9d1e"}
    world.admin.post("/admin/key-managers/", {"slug": "okta", "name": "Okta", "adapter": "okta", "config": config})
    made = world.make_application("Guide")
    url = f"/apps/{made['id']}/credentials/okta/register/"
    form = {
        "environment": "production",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
        "extra__logo_uri": "no address",
    }
    refused = browser.post(url, form)
    assert refused.status_code == 422
    assert 'id="id_extra__logo_uri_error"' in text_of(refused)

    browser.post(url, {**form, "extra__logo_uri": "https://guide.example/logo.png"})
    assert Credential.objects.get().extra == {"logo_uri": "https://guide.example/logo.png"}
