"""The administration's pages: key managers by their adapters' own fields, the queue, plans, the audit log."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from administration.pages.config_forms import KeyManagerForm
from keymanager.adapters.registry import ADAPTERS
from keymanager.models import KeyManager, KeyManagerCheck, Registration
from keymanager.registrations.states import RegistrationState
from keymanager.services.adapters import stored_config
from keymanager.services.checks import run_check
from subscriptions.models import Plan
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
SECRET = "management-secret-9d1e"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.admin.user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def okta(**changes: str) -> dict[str, str]:
    """What a browser sends: every field as the page shows it, with ``changes``."""
    sent = {}
    for name, field in KeyManagerForm("okta").fields.items():
        value = field.initial
        if isinstance(value, list):
            sent[name] = "\n".join(value)
        elif value is True:
            sent[name] = "on"
        elif value not in (None, False):
            sent[name] = str(value)
    needed = {"config__issuer": "https://example.okta.com/oauth2/default", "config__api_token": SECRET}
    return {**sent, "name": "Okta", "slug": "okta", **needed, **changes}


@pytest.mark.parametrize("slug", sorted(ADAPTERS))
def test_every_adapter_has_a_form_of_its_own_fields(browser: Client, slug: str) -> None:
    page = text_of(browser.get(f"/admin-portal/key-managers/add/{slug}/"))
    assert f"Add {ADAPTERS[slug].label}" in page


def test_a_key_manager_is_added_turned_off_and_its_secret_never_comes_back(world: World, browser: Client) -> None:
    answer = browser.post("/admin-portal/key-managers/add/okta/", okta(off="1"), follow=True)
    row = KeyManager.objects.get(slug="okta")
    assert not row.enabled, text_of(answer)
    assert stored_config(row)["api_token"] == SECRET

    page = text_of(browser.get("/admin-portal/key-managers/okta/edit/"))
    assert SECRET not in page
    changed = okta(name="Okta, partners", config__api_token="*****")
    browser.post("/admin-portal/key-managers/okta/edit/", changed)
    row.refresh_from_db()
    assert row.name == "Okta, partners"
    assert stored_config(row)["api_token"] == SECRET


def test_a_wrong_setting_is_refused_at_its_field_without_showing_the_secret(browser: Client) -> None:
    answer = browser.post("/admin-portal/key-managers/add/okta/", okta(config__issuer="not a url"))
    page = text_of(answer)
    assert answer.status_code == 422
    assert 'id="id_config__issuer_error"' in page
    assert SECRET not in page
    assert not KeyManager.objects.filter(slug="okta").exists()


def test_a_check_is_started_and_its_steps_are_shown_until_it_ends(world: World, browser: Client) -> None:
    page = text_of(browser.post("/admin-portal/key-managers/resident/check/", follow=True))
    check = KeyManagerCheck.objects.get()
    steps = f"/admin-portal/checks/{check.pk}/"
    assert f'hx-get="{steps}?round=1"' in page

    run_check(check.pk)

    answer = browser.get(steps)
    assert answer.status_code == 286
    assert "hx-get" not in text_of(answer)
    check.refresh_from_db()
    assert all(step["name"].capitalize()[0] in text_of(answer) for step in check.steps)


def test_a_key_manager_is_turned_off_with_and_without_its_tokens(world: World, browser: Client) -> None:
    url = "/admin-portal/key-managers/resident/switch/"
    for to, expected in (("accept", (False, "accept")), ("on", (True, "accept")), ("refuse", (False, "refuse"))):
        browser.post(url, {"to": to})
        row = KeyManager.objects.get(slug="resident")
        assert (row.enabled, row.when_disabled if not row.enabled else "accept") == expected


def test_a_key_manager_in_use_is_deleted_only_when_its_short_name_is_typed(world: World, browser: Client) -> None:
    world.make_client()
    url = "/admin-portal/key-managers/resident/delete/"
    assert "has a production client there" in text_of(browser.get("/admin-portal/key-managers/resident/"))
    assert "Nothing was deleted" in text_of(browser.post(url, {"clients": "forget"}, follow=True))
    assert KeyManager.objects.filter(slug="resident").exists()

    page = text_of(browser.post(url, {"clients": "forget", "confirm": "resident"}, follow=True))

    assert "Left there" in page
    assert not KeyManager.objects.filter(slug="resident").exists()


def test_the_queue_shows_open_ones_and_a_failed_one_is_retried(world: World, browser: Client) -> None:
    made = world.make_application("Guide", {"key_manager": "resident"})
    row = Registration.objects.get(credential__application=made["id"])
    page = text_of(browser.get("/admin-portal/queue/"))
    assert "Guide, production" in page

    Registration.objects.filter(pk=row.pk).update(
        state=RegistrationState.REFUSED, last_error="No such grant", attempts=1
    )
    opened = text_of(browser.get(f"/admin-portal/queue/{row.pk}/"))
    assert "No such grant" in opened
    assert '<span class="n bad">1</span>' in opened

    browser.post("/admin-portal/queue/retry-failed/")
    row.refresh_from_db()
    assert row.state == RegistrationState.REQUESTED
    world.work()
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE
    assert "Guide, production" not in text_of(browser.get("/admin-portal/queue/", headers={"HX-Request": "true"}))


def test_what_was_sent_and_answered_is_shown_without_its_secrets(world: World, browser: Client) -> None:
    client = world.make_client()
    secret = world.developer.post(f"/store/credentials/{client['id']}/reveal-secret/").json()["client_secret"]
    row = Registration.objects.get(credential=client["id"])
    page = text_of(browser.get(f"/admin-portal/queue/{row.pk}/"))
    assert "/resident/register" in page
    assert client["client_id"] in page
    assert secret not in page


def test_a_plan_is_added_changed_and_deleted_unless_it_is_used(world: World, browser: Client) -> None:
    browser.post("/admin-portal/plans/", {"slug": "tiny", "name": "Tiny", "requests": "5", "per_seconds": "60"})
    assert Plan.objects.get(slug="tiny").requests == 5
    browser.post("/admin-portal/plans/tiny/", {"name": "Tiny", "requests": "7", "per_seconds": "60"})
    assert Plan.objects.get(slug="tiny").requests == 7
    half = browser.post("/admin-portal/plans/", {"slug": "half", "name": "Half", "requests": "5"})
    assert half.status_code == 422
    browser.post("/admin-portal/plans/tiny/delete/")
    assert not Plan.objects.filter(slug="tiny").exists()

    api = world.make_published()
    world.subscribe(world.make_application(), api)
    browser.post("/admin-portal/plans/gold/delete/")
    assert Plan.objects.filter(slug="gold").exists()


def test_the_audit_log_is_filtered_by_who_and_what(world: World, browser: Client) -> None:
    world.make_application("Guide")
    world.make_published()
    page = text_of(browser.get("/admin-portal/audit/", {"action": "application."}))
    assert "application.create" in page
    assert "api.create" not in page
    assert "No event matches." in text_of(browser.get("/admin-portal/audit/", {"actor": "nobody"}))


@pytest.mark.parametrize("page", ["queue/?show=all", "key-managers/", "plans/", "audit/"])
def test_a_list_costs_the_same_queries_with_many_rows(world: World, browser: Client, page: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(f"/admin-portal/{page}").status_code == 200
        return len(seen)

    def add(number: int) -> None:
        world.add_key_manager(f"km{number}")
        world.make_api(name=f"Api {number}", context=f"/api{number}")
        world.make_application(f"Application {number}", {"key_manager": "resident"})
        Plan.objects.create(slug=f"plan-{number}", name=f"Plan {number}")

    add(0)
    queries()
    first = queries()
    for number in range(1, 5):
        add(number)
    queries()
    assert queries() == first


def test_only_administrators_get_in(world: World, client: Client) -> None:
    assert client.get("/admin-portal/queue/").status_code == 302
    client.force_login(world.developer.user)
    assert client.get("/admin-portal/queue/").status_code == 403


def test_the_form_begins_with_a_preset_and_says_what_was_found(world: World, browser: Client) -> None:
    preset = text_of(browser.get("/admin-portal/key-managers/add/rfc/?preset=glewlwyd"))
    assert 'value="https://localhost/no-redirect"' in preset
    with RfcServer() as server:
        found = browser.get(f"/admin-portal/key-managers/add/rfc/?url={server.issuer}&preset=glewlwyd")
    page = text_of(found)
    assert 'value="https://localhost/no-redirect"' in page
    assert f'value="{server.issuer}"' in page
    assert 'class="found"' in page
    assert "What it says of itself" in page
    assert "there is no preset" in text_of(browser.get("/admin-portal/key-managers/add/rfc/?preset=nothing"))


def test_each_figure_of_the_queue_leads_to_as_many_registrations(world: World, browser: Client) -> None:
    world.make_api()
    world.work()
    ids = list(Registration.objects.order_by("pk").values_list("pk", flat=True))
    for pk, state in zip(ids, (RegistrationState.UNKNOWN, RegistrationState.REMOVING), strict=False):
        Registration.objects.filter(pk=pk).update(state=state)
    assert browser.get("/admin-portal/queue/").context["figures"]["waiting"] == 1
    for show in ("running", "waiting", "failed", "held", "done"):
        answer = browser.get(f"/admin-portal/queue/?show={show}")
        assert answer.context["page"].paginator.count == answer.context["figures"][show], show


def test_a_search_that_finds_nothing_does_not_say_that_all_is_done(world: World, browser: Client) -> None:
    world.make_api()
    Registration.objects.update(state=RegistrationState.REFUSED)
    page = text_of(browser.get("/admin-portal/queue/?q=no-such-thing"))
    assert "No registration matches." in page
    assert "All done." not in page
