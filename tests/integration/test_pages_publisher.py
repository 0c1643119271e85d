"""The publisher's pages without JavaScript: from a definition to a published API, its registrations and subscribers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from keymanager.models import Registration
from subscriptions.models import ApiVersion, AuditEvent, Subscription
from tests.integration.rest_kit import MUSEUM, World, make_caller, make_world, served_text

pytestmark = pytest.mark.django_db
TEXT = yaml.safe_dump(dict(MUSEUM))


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.publisher.user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def share_users(world: World) -> None:
    """The resident key manager's users are the portal's."""
    answer = world.admin.patch("/admin/key-managers/resident/", {"config": {"user_store": "shared"}})
    assert answer.status_code == 200, answer.json()


def rest(world: World, source: str, text: str, **changes: Any) -> dict[str, Any]:
    """Step 2 of creating, as its form sends it."""
    return {
        "source": source,
        "definition_text": text,
        "name": "Museum",
        "version": "1.0.0",
        "context": "/museum",
        "team": str(world.publisher.user.teams.get().pk),
        "production": "http://127.0.0.1:9000/v1",
        "plans": ["gold"],
        **changes,
    }


def test_without_an_api_the_list_names_the_ways_to_start(browser: Client) -> None:
    page = text_of(browser.get("/publisher/"))
    for way in ("text", "file", "url", "hand"):
        assert f'href="/publisher/new/{way}/"' in page


def test_a_pasted_definition_is_previewed_before_anything_is_saved(world: World, browser: Client) -> None:
    page = text_of(browser.post("/publisher/new/text/", {"definition": TEXT}))
    assert "tickets:buy" in page
    assert "the document has no global security" in page
    assert 'value="Museum"' in page
    assert not ApiVersion.objects.exists()

    answer = browser.post("/publisher/new/create/", rest(world, "text", TEXT), follow=True)

    row = ApiVersion.objects.get()
    assert (row.api.name, row.state, row.operations.count()) == ("Museum", "created", 2)
    assert "Museum 1.0.0 was created." in text_of(answer)


def test_an_invalid_definition_keeps_its_text_and_names_line_and_column(browser: Client) -> None:
    answer = browser.post("/publisher/new/text/", {"definition": "openapi: 3.0.3\ninfo: ["})
    page = text_of(answer)
    assert answer.status_code == 422
    assert re.search(r"line \d+, column \d+: ", page)
    assert "info: [</textarea>" in page


def test_a_file_is_read_and_travels_on_as_text(browser: Client) -> None:
    page = text_of(browser.post("/publisher/new/file/", {"definition": SimpleUploadedFile("a.yaml", TEXT.encode())}))
    assert "tickets:buy" in page
    assert 'name="source" value="text"' in page
    broken = browser.post("/publisher/new/file/", {"definition": SimpleUploadedFile("a.yaml", b"\xff\xfe")})
    assert broken.status_code == 422
    assert "The file is not UTF-8." in text_of(broken)


def test_a_definition_is_fetched_from_a_url(browser: Client, settings: Any) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with served_text(TEXT) as url:
        page = text_of(browser.post("/publisher/new/url/", {"definition_url": url}))
    assert "tickets:buy" in page


def test_a_private_address_is_refused_at_its_field(browser: Client, settings: Any) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = []
    with served_text(TEXT) as url:
        answer = browser.post("/publisher/new/url/", {"definition_url": url})
    assert answer.status_code == 422
    assert '<a href="#id_definition_url">' in text_of(answer)


def test_operations_typed_by_hand_become_an_api(world: World, browser: Client) -> None:
    typed = "GET /hours public\n\nPOST /tickets tickets:buy tickets:all # Buy a ticket\nGET /rooms"
    page = text_of(browser.post("/publisher/new/hand/", {"operations": typed}))
    assert "Buy a ticket" in page

    browser.post("/publisher/new/create/", rest(world, "hand", typed))

    row = ApiVersion.objects.get()
    made = [(o.method, o.path, o.auth, o.summary, o.scopes.count()) for o in row.operations.all()]
    assert made == [
        ("GET", "/hours", "none", "", 0),
        ("POST", "/tickets", "required", "Buy a ticket", 2),
        ("GET", "/rooms", "required", "", 0),
    ]


def test_a_typed_operation_that_is_wrong_is_named_by_its_line(browser: Client) -> None:
    answer = browser.post("/publisher/new/hand/", {"operations": "GET /hours\n\nFETCH hours"})
    assert answer.status_code == 422
    assert "line 3: Use one of GET" in text_of(answer)
    assert "line 3: It must start with" in text_of(answer)


def test_the_text_comes_back_when_the_definition_shall_be_changed(browser: Client) -> None:
    page = text_of(browser.post("/publisher/new/hand/", {"definition_text": "GET /hours public"}))
    assert "GET /hours public</textarea>" in page


def test_a_taken_context_is_refused_at_its_field_and_the_preview_stays(world: World, browser: Client) -> None:
    world.make_api()
    answer = browser.post("/publisher/new/create/", rest(world, "text", TEXT, name="Other"))
    page = text_of(answer)
    assert answer.status_code == 422
    assert '<a href="#id_context">Context</a>: This context is taken.' in page
    assert "tickets:buy" in page
    assert ApiVersion.objects.count() == 1


def test_what_was_typed_survives_an_ended_session(world: World, client: Client) -> None:
    client.post("/publisher/new/create/", rest(world, "text", TEXT, name="Typed Name"))
    client.force_login(world.publisher.user)
    page = text_of(client.get("/publisher/new/create/"))
    assert 'value="Typed Name"' in page
    assert "tickets:buy" in page


def test_the_overview_lists_what_publishing_still_needs(world: World, browser: Client) -> None:
    api = world.make_api(plans=[], endpoints={})
    page = text_of(browser.get(f"/publisher/apis/{api['id']}/"))
    assert "Choose plans" in page
    assert "Give an endpoint" in page
    assert 'aria-disabled="true"' in page

    answer = browser.post(f"/publisher/apis/{api['id']}/move/", {"action": "publish"}, follow=True)
    assert "The API offers no plan; choose at least one." in text_of(answer)
    assert ApiVersion.objects.get().state == "created"


def test_endpoint_and_plans_are_given_and_the_api_is_published(world: World, browser: Client) -> None:
    api = world.make_api(plans=[], endpoints={})
    url = f"/publisher/apis/{api['id']}"
    bad = browser.post(f"{url}/endpoints/", {"production": "ftp://backend", "sandbox": ""})
    assert bad.status_code == 422
    assert '<a href="#id_production">' in text_of(bad)
    browser.post(f"{url}/endpoints/", {"production": "http://127.0.0.1:9000", "sandbox": ""})
    browser.post(f"{url}/plans/", {"plans": ["gold"]})
    browser.post(f"{url}/move/", {"action": "publish"})
    row = ApiVersion.objects.get()
    assert (row.state, row.production_url) == ("published", "http://127.0.0.1:9000")
    assert "Published it" in text_of(browser.get(f"{url}/history/"))


def test_a_published_api_cannot_lose_its_endpoint(world: World, browser: Client) -> None:
    api = world.make_published()
    answer = browser.post(f"/publisher/apis/{api['id']}/endpoints/", {"production": "", "sandbox": ""})
    assert answer.status_code == 422
    assert "The API has no endpoint; give a production or a sandbox URL." in text_of(answer)
    assert ApiVersion.objects.get().production_url


def test_a_plan_that_is_used_cannot_go(world: World, browser: Client) -> None:
    api = world.make_published()
    world.subscribe(world.make_application(), api, plan="gold")
    answer = browser.post(f"/publisher/apis/{api['id']}/plans/", {"plans": ["unlimited"]})
    assert answer.status_code == 422
    assert "Subscriptions use gold." in text_of(answer)


def test_details_and_policies_are_saved(world: World, browser: Client) -> None:
    share_users(world)
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}"
    browser.post(f"{url}/details/", {"description": "Hours and tickets", "tags": "Culture\nart\n"})
    browser.post(f"{url}/policies/", {"backend_jwt": "on", "user_claims": "mail = email", "audiences": "urn:museum"})
    row = ApiVersion.objects.get()
    assert (row.description, row.tags, row.public) == ("Hours and tickets", ["culture", "art"], False)
    assert (row.backend_jwt, row.user_claims, row.audiences) == (True, {"mail": "email"}, ["urn:museum"])
    assert "mail = email</textarea>" in text_of(browser.get(f"{url}/policies/"))
    bad = browser.post(f"{url}/policies/", {"user_claims": "mail"})
    assert bad.status_code == 422
    assert "has no =" in text_of(bad)


def test_every_policy_survives_an_ended_session(world: World, client: Client) -> None:
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/policies/"
    client.post(url, {"forwards": "on", "audiences": "urn:museum"})
    client.force_login(world.publisher.user)
    page = text_of(client.get(url))
    assert "urn:museum</textarea>" in page
    assert re.search(r'name="forwards"[^>]* checked', page)
    client.post(url, {"forwards": "on"})
    assert ApiVersion.objects.get().forward_token is True


def test_accepted_key_managers_are_chosen(world: World, browser: Client) -> None:
    world.add_key_manager("partners")
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/key-managers/"
    assert browser.post(url, {"accepts": "listed"}).status_code == 422
    browser.post(url, {"accepts": "listed", "listed": ["resident"]})
    page = text_of(browser.get(url))
    assert ApiVersion.objects.get().accepted_key_managers.accepts_all is False
    assert page.count('value="resident"') == 1
    assert "checked" in page


def test_the_checklist_asks_again_as_long_as_its_registrations_are_under_way(world: World, browser: Client) -> None:
    api = world.make_api()
    asking = re.compile(r'id="checklist"[^>]*hx-get="\?round=1"[^>]*hx-select="#checklist"')
    page = browser.get(f"/publisher/apis/{api['id']}/").content.decode()
    assert asking.search(page)
    assert "1 thing left" in page
    world.work()
    page = browser.get(f"/publisher/apis/{api['id']}/?round=1").content.decode()
    assert not re.search(r'id="checklist"[^>]*hx-get', page)
    assert "Nothing is left to do" in page


def test_a_registration_that_fails_is_explained_and_retried(world: World, browser: Client) -> None:
    api = world.make_api()
    world.work()
    row = Registration.objects.filter(subject="tickets:buy").get()
    Registration.objects.filter(pk=row.pk).update(
        state="refused", last_error="Scopes may have 10 characters.", last_error_code="invalid_scope"
    )
    overview = text_of(browser.get(f"/publisher/apis/{api['id']}/"))
    assert "Scopes may have 10 characters." in overview
    assert "Failed at" in text_of(browser.get("/publisher/"))
    url = f"/publisher/apis/{api['id']}/registrations/{row.pk}/"
    assert "invalid_scope" in text_of(browser.get(url))

    page = text_of(browser.post(f"{url}retry/", follow=True))

    assert "is tried again at" in page
    assert 'hx-trigger="load delay:2s"' in page
    world.work()
    table = browser.get(f"/publisher/apis/{api['id']}/registrations/?round=2")
    assert table.status_code == 286
    assert "hx-get" not in text_of(table)


def test_a_subscriber_is_blocked_in_production_then_whole_then_unblocked(world: World, browser: Client) -> None:
    api = world.make_published()
    world.subscribe(world.make_application("Guide"), api)
    row = Subscription.objects.get()
    for path, form, state in (
        ("block", {"scope": "production"}, "production_blocked"),
        ("block", {}, "blocked"),
        ("unblock", {}, "unblocked"),
    ):
        page = text_of(browser.post(f"/publisher/subscriptions/{row.pk}/{path}/", form, follow=True))
        row.refresh_from_db()
        assert row.state == state
        assert "Guide" in page


def test_the_lifecycle_page_says_whom_an_action_hits(world: World, browser: Client) -> None:
    api = world.make_published()
    world.subscribe(world.make_application("Guide"), api)
    page = text_of(browser.get(f"/publisher/apis/{api['id']}/lifecycle/"))
    assert "It concerns 1 subscriber." in page
    assert "Only a draft or a retired version can be deleted." in page
    assert browser.post(f"/publisher/apis/{api['id']}/move/", {"action": "explode"}).status_code == 404


def test_a_version_is_deleted_only_when_its_name_is_typed(world: World, browser: Client) -> None:
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/delete/"
    browser.post(url, {"confirm": "Museum"})
    assert ApiVersion.objects.exists()
    answer = browser.post(url, {"confirm": "Museum 1.0.0"})
    assert answer["Location"] == "/publisher/"
    assert not ApiVersion.objects.exists()


def test_a_new_version_copies_everything_but_subscriptions(world: World, browser: Client) -> None:
    share_users(world)
    api = world.make_published(key_managers=["resident"], scope_roles={"tickets:buy": ["staff"]})
    world.subscribe(world.make_application("Guide"), api)
    answer = browser.post(f"/publisher/apis/{api['id']}/versions/", {"version": "2.0.0"}, follow=True)
    old, new = ApiVersion.objects.order_by("created_at")
    assert "2.0.0 was made as a draft" in text_of(answer)
    assert (new.api, new.state, new.subscriptions.count()) == (old.api, "created", 0)
    assert [o.path for o in new.operations.all()] == [o.path for o in old.operations.all()]
    assert list(new.plans.all()) == list(old.plans.all())
    assert new.scopes.get().roles == ["staff"]
    assert (new.definition or {})["info"]["version"] == "2.0.0"
    assert [row.slug for row in new.accepted_key_managers.key_managers.all()] == ["resident"]
    assert Registration.objects.filter(subject=str(new.pk)).exists()
    assert AuditEvent.objects.filter(action="api.copy", object_id=str(new.pk)).exists()

    taken = browser.post(f"/publisher/apis/{api['id']}/versions/", {"version": "2.0.0"})
    assert taken.status_code == 422
    assert '<a href="#id_version">' in text_of(taken)


PAGES = [
    "",
    "details/",
    "endpoints/",
    "policies/",
    "key-managers/",
    "plans/",
    "registrations/",
    "subscriptions/",
    "lifecycle/",
    "versions/",
    "history/",
]


@pytest.mark.parametrize("path", PAGES)
def test_an_api_of_another_team_is_not_there_and_the_role_is_needed(world: World, client: Client, path: str) -> None:
    api = world.make_api()
    url = f"/publisher/apis/{api['id']}/{path}"
    assert client.get(url).status_code == 302
    client.force_login(make_caller("eve", Role.API_DEVELOPER).user)
    assert client.get(url).status_code == 404
    client.force_login(world.developer.user)
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("path", ["move/", "delete/", "endpoints/", "plans/", "versions/"])
def test_a_change_needs_its_own_role(world: World, client: Client, path: str) -> None:
    api = world.make_api()
    team = world.publisher.user.teams.get()
    other = make_caller("eve", Role.API_DEVELOPER if path == "move/" else Role.PUBLISHER)
    team.members.add(other.user)
    client.force_login(other.user)
    form = {"action": "publish", "confirm": "Museum 1.0.0", "plans": ["gold"], "version": "2.0.0"}
    assert client.post(f"/publisher/apis/{api['id']}/{path}", form).status_code == 403
    assert ApiVersion.objects.get().state == "created"


def test_the_list_costs_the_same_queries_with_many_rows(world: World, browser: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get("/publisher/").status_code == 200
        return len(seen)

    world.make_api()
    first = queries()
    for number in range(12):
        world.make_api(name=f"Api {number}", context=f"/api{number}")
    assert queries() == first


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_the_same_queries_with_many_rows(world: World, browser: Client, path: str) -> None:
    api = world.make_published()
    world.subscribe(world.make_application("First"), api)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(f"/publisher/apis/{api['id']}/{path}").status_code in {200, 286}
        return len(seen)

    first = queries()
    for number in range(5):
        world.add_key_manager(f"km{number}")
        world.subscribe(world.make_application(f"Application {number}"), api)
        world.make_api(version=f"1.0.{number + 1}")
    assert queries() == first
