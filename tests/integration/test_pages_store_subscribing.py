"""Subscribing, changing the plan and leaving: as whole pages, and as dialogs that htmx asks for."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from keymanager.models import Credential, KeyManager
from subscriptions.models import Application, Subscription
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.developer.user)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def subscription(world: World) -> Subscription:
    made, api = world.make_application("Guide"), world.make_published()
    world.developer.post("/store/subscriptions/", {"application": made["id"], "api": api["id"], "plan": "gold"})
    return Subscription.objects.get()


def test_a_form_is_a_whole_page_or_what_goes_into_the_dialog(browser: Client, subscription: Subscription) -> None:
    for address in (
        f"/apis/{subscription.api_version_id}/subscribe/",
        f"/subscriptions/{subscription.pk}/plan/",
        f"/subscriptions/{subscription.pk}/end/",
    ):
        page, dialog = text_of(browser.get(address)), text_of(browser.get(address, headers=HTMX))
        assert "<html" in page
        assert "<html" not in dialog
        assert 'id="dialog-title"' in dialog
        assert f'hx-post="{address}"' in dialog


def test_a_dialog_that_was_sent_leads_away_and_a_refused_one_stays(world: World, browser: Client) -> None:
    api, made = world.make_published(), world.make_application("Guide")
    address = f"/apis/{api['id']}/subscribe/"

    refused = browser.post(address, {"application": made["id"], "plan": "platinum"}, headers=HTMX)
    sent = browser.post(address, {"application": made["id"], "plan": "gold"}, headers=HTMX)

    assert refused.status_code == 422
    assert "<html" not in text_of(refused)
    assert "This was not saved" in text_of(refused)
    assert sent["HX-Redirect"] == f"/apps/{made['id']}/credentials/"


def test_somebody_without_an_application_names_one_and_its_client_is_on_its_way(world: World, browser: Client) -> None:
    api = world.make_published()
    address = f"/apis/{api['id']}/subscribe/"
    assert "Create a new application" in text_of(browser.get(address))

    unnamed = browser.post(address, {"application": "", "name": "", "plan": "gold"})
    assert unnamed.status_code == 422
    assert "name a new one" in text_of(unnamed)
    assert not Application.objects.exists()

    assert browser.post(address, {"application": "", "name": "Guide", "plan": "gold"}).status_code == 302
    made = Application.objects.get()
    assert made.team_id == world.developer.actor.team_id
    assert Subscription.objects.get().application == made
    assert Credential.objects.get().application == made


def test_a_name_that_is_taken_is_refused_at_its_field_and_nothing_is_subscribed(world: World, browser: Client) -> None:
    api = world.make_published()
    world.make_application("Guide")
    answer = browser.post(f"/apis/{api['id']}/subscribe/", {"application": "", "name": "Guide", "plan": "gold"})
    assert answer.status_code == 422
    assert '<a href="#id_name">' in text_of(answer)
    assert not Subscription.objects.exists()


def test_with_several_key_managers_the_person_chooses_where_the_client_is(world: World, browser: Client) -> None:
    api = world.make_published()
    KeyManager.objects.create(slug="second", name="Second", adapter="resident", issuer="https://second.example")
    browser.post(f"/apis/{api['id']}/subscribe/", {"application": "", "name": "Guide", "plan": "gold"})
    assert Subscription.objects.count() == 1
    assert not Credential.objects.exists()


def test_a_plan_that_the_api_does_not_offer_is_refused_in_the_form(browser: Client, subscription: Subscription) -> None:
    answer = browser.post(f"/subscriptions/{subscription.pk}/plan/", {"plan": "platinum"})
    assert answer.status_code == 422
    assert "This was not saved" in text_of(answer)
    subscription.refresh_from_db()
    assert subscription.plan.slug == "gold"


def test_before_leaving_it_is_said_what_ends(browser: Client, subscription: Subscription) -> None:
    page = text_of(browser.get(f"/subscriptions/{subscription.pk}/end/"))
    assert "every call of Guide to Museum" in page
    assert "tickets:buy" in page
    assert Subscription.objects.exists()


def test_a_dialog_after_the_session_ended_asks_for_a_sign_in_and_keeps_what_was_typed(
    world: World, client: Client
) -> None:
    api = world.make_published()
    address = f"/apis/{api['id']}/subscribe/"
    typed = {"application": "", "name": "Night train", "plan": "unlimited"}
    asked = client.post(address, typed, headers={**HTMX, "HX-Current-URL": f"http://testserver/apis/{api['id']}/"})
    assert asked["HX-Redirect"] == f"/sign-in/?next={address}"

    client.force_login(world.developer.user)
    page = text_of(client.get(address))

    assert 'value="Night train"' in page
    assert re.search('value="unlimited"[^>]* checked', page)


def test_a_part_of_a_page_after_the_session_ended_leads_back_to_the_page(world: World, client: Client) -> None:
    made = world.make_client()
    around = f"/apps/{made['application']}/credentials/"
    headers = {**HTMX, "HX-Current-URL": f"http://testserver{around}"}
    asked = client.get(f"/credentials/{made['id']}/card/", headers=headers)
    assert asked["HX-Redirect"] == f"/sign-in/?next={around}"


def test_a_button_pressed_too_late_leads_back_to_its_page_and_says_that_nothing_was_done(
    world: World, client: Client
) -> None:
    made = world.make_client()
    around = f"/apps/{made['application']}/credentials/"
    late = client.post(f"/credentials/{made['id']}/reveal/", headers={"Referer": f"http://testserver{around}"})
    assert late["Location"] == f"/sign-in/?next={around}"
    assert "so nothing was done" in text_of(client.get(late["Location"]))
    elsewhere = client.post(f"/credentials/{made['id']}/reveal/", headers={"Referer": "https://evil.example/x"})
    assert elsewhere["Location"] == "/sign-in/?next=/"


def test_removing_a_client_and_rotating_its_secret_are_asked_first(world: World, browser: Client) -> None:
    made = world.make_client()
    cards = text_of(browser.get(f"/apps/{made['application']}/credentials/"))
    for action, words in (("remove", "its secret; another one gets"), ("rotate", "is asked for a new secret")):
        address = f"/credentials/{made['id']}/{action}/"
        assert f'hx-get="{address}"' in cards
        assert words in text_of(browser.get(address))
        assert words in text_of(browser.get(address, headers=HTMX))
    assert Credential.objects.get().removed_at is None

    sent = browser.post(f"/credentials/{made['id']}/remove/", headers=HTMX)

    assert sent["HX-Redirect"] == f"/apps/{made['application']}/credentials/"
    assert Credential.objects.get().registration.wish == "absent"


def test_no_form_of_the_store_loses_what_was_typed_when_the_session_ended(world: World, client: Client) -> None:
    made = world.make_client(scopes=[])
    application = f"/apps/{made['application']}"
    forms: dict[str, tuple[dict[str, Any], str]] = {
        "/apps/new/": ({"name": "Night train", "description": "Sleeps", "key_managers": ["resident"]}, "Night train"),
        f"{application}/settings/": ({"name": "Night train", "description": "Sleeps"}, "Sleeps"),
        f"{application}/credentials/resident/register/": (
            {"environment": "sandbox", "redirect_uris": "https://night.example/cb"},
            "https://night.example/cb",
        ),
        f"{application}/credentials/resident/existing/": ({"client_id": "night-1", "scopes": "a"}, "night-1"),
        f"/credentials/{made['id']}/": ({"redirect_uris": "https://night.example/cb"}, "https://night.example/cb"),
        "/account/tokens/": ({"name": "night pipeline", "days": "7"}, "night pipeline"),
    }
    for address, (typed, kept) in forms.items():
        client.logout()
        sent = client.post(address, typed)
        assert sent["Location"] == f"/sign-in/?next={address}"
        client.post(sent["Location"], {"username": "nobody", "password": "wrong"})
        session = client.session
        user = world.developer.user
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session.save()
        page = text_of(client.get(address))
        assert kept in page, address
        assert "this was not saved" in page, address
