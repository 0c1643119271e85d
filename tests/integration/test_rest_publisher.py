"""Publishing by REST: an API version from a document, a text, a URL or operations given by hand."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from rest_framework.test import APIClient

from publisher.definitions import MAX_BYTES
from subscriptions.models import Api, ApiVersion, AuditEvent, ChangeEvent, Operation, Scope, Subscription
from tests.integration.rest_kit import MUSEUM, World, api_body, fields_of, make_world, served_text

pytestmark = pytest.mark.django_db
SHARED = Path(os.environ.get("ARCHWAY_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
DOCUMENTS = SHARED / "data" / "openapi"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_an_api_is_made_from_an_object_with_operations_and_scopes(world: World) -> None:
    made = world.make_api()
    assert made["state"] == "created"
    assert made["available_actions"] == ["publish"]
    assert made["tags"] == ["culture"]
    assert made["plans"] == ["unlimited", "gold"]
    assert made["key_managers"] == "all"
    assert made["endpoints"] == {"production": "http://127.0.0.1:9000/v1", "sandbox": ""}
    assert made["scopes"] == [{"key": "tickets:buy", "description": "Buy tickets"}]
    assert [(item["method"], item["path"], item["scopes"]) for item in made["operations"]] == [
        ("GET", "/hours", []),
        ("POST", "/tickets", ["tickets:buy"]),
    ]
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json() == made
    assert world.publisher.get(f"/publisher/apis/{made['id']}/definition/").json() == MUSEUM


def test_an_api_is_made_from_yaml_text(world: World) -> None:
    assert len(world.make_api(definition=yaml.safe_dump(MUSEUM))["operations"]) == 2


def test_an_api_is_made_from_a_url(world: World) -> None:
    with served_text(yaml.safe_dump(MUSEUM)) as url:
        assert len(world.make_api(definition=..., definition_url=url)["operations"]) == 2


def test_a_private_address_is_refused_unless_its_network_is_allowed(world: World, settings: Settings) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = []
    with served_text(yaml.safe_dump(MUSEUM)) as url:
        answer = world.publisher.post("/publisher/apis/", api_body(definition=..., definition_url=url))
    assert answer.status_code == 400
    assert answer.json()["code"] == "private_address"
    assert "definition_url" in fields_of(answer)
    assert not Api.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://files.example/a.yaml",
        "not a url",
        "http://",
        "http://files..example/a.yaml",
        f"http://{'a' * 64}.example/a.yaml",
        "http://127.0.0.1:99999/a.yaml",
    ],
)
def test_a_url_that_is_none_is_refused_by_name(world: World, url: str) -> None:
    answer = world.publisher.post("/publisher/apis/", api_body(definition=..., definition_url=url))
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {"definition_url"}
    assert not any(message.startswith(("url:", "definition_url:")) for message in fields_of(answer).values())


def test_an_api_is_made_from_operations_given_by_hand(world: World) -> None:
    operations = [
        {"method": "get", "path": "/hours", "auth": "none"},
        {"method": "POST", "path": "/tickets/{id}", "scopes": ["tickets:buy"]},
    ]
    made = world.make_api(definition=..., operations=operations)
    assert [(item["method"], item["path"], item["auth"], item["scopes"]) for item in made["operations"]] == [
        ("GET", "/hours", "none", []),
        ("POST", "/tickets/{id}", "required", ["tickets:buy"]),
    ]
    assert [scope["key"] for scope in made["scopes"]] == ["tickets:buy"]


def test_a_wrong_operation_is_named_by_its_place(world: World) -> None:
    operations = [{"method": "GET", "path": "/hours"}, {"method": "GET"}]
    answer = world.publisher.post("/publisher/apis/", api_body(definition=..., operations=operations))
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {"operations[1].path"}


@pytest.mark.parametrize(
    "sources",
    [{"definition": ...}, {"operations": [{"method": "GET", "path": "/"}]}, {"definition_url": "https://a.example/"}],
)
def test_exactly_one_source_of_operations_is_needed(world: World, sources: dict[str, Any]) -> None:
    answer = world.publisher.post("/publisher/apis/", api_body(**sources))
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {"definition"}


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=f"no documents at {DOCUMENTS}: set ARCHWAY_SHARED to their folder")
@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("museum.yaml", 8),
        ("adyen-checkout-v71.json", 28),
        ("twilio-conversations-v1.json", 103),
        ("uspto.yaml", 3),
        ("uber-v2.json", 5),
    ],
)
def test_a_real_document_imports_whole(world: World, name: str, operations: int) -> None:
    text = (DOCUMENTS / name).read_text()
    made = world.make_api(definition=json.loads(text) if name.endswith(".json") else text)
    assert len(made["operations"]) == operations
    world.move(made, "publish")
    served = world.developer.get(f"/store/apis/{made['id']}/definition/").json()
    assert len(served["paths"]) == len(yaml.safe_load(text)["paths"])


def test_an_invalid_definition_stores_nothing_and_names_line_path_and_reason(world: World) -> None:
    text = "openapi: 3.0.3\ninfo:\n  title: Museum\npaths:\n  /hours:\n    get: {}\n"
    before = (AuditEvent.objects.count(), ChangeEvent.objects.count())
    answer = world.publisher.post("/publisher/apis/", api_body(definition=text))
    assert answer.status_code == 400
    messages = [item["message"] for item in answer.json()["errors"] if item["field"] == "definition"]
    assert any("line 2" in message and "info" in message and "version" in message for message in messages), messages
    assert not Api.objects.exists()
    assert not ApiVersion.objects.exists()
    assert not Operation.objects.exists()
    assert (AuditEvent.objects.count(), ChangeEvent.objects.count()) == before


@pytest.mark.parametrize("definition", [[], 7, "", "just words", {"openapi": "3.0.3"}, "a: [", True])
def test_what_is_no_definition_is_refused_by_name(world: World, definition: Any) -> None:
    answer = world.publisher.post("/publisher/apis/", api_body(definition=definition))
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {"definition"}


@pytest.mark.parametrize("text", ["nul \x00 here", "half a pair \ud800"])
@pytest.mark.parametrize("place", ["title", "description", "example"])
def test_a_text_that_no_database_can_store_is_refused_by_name(world: World, text: str, place: str) -> None:
    document = json.loads(json.dumps(MUSEUM))
    if place == "example":
        document["paths"]["/hours"]["get"]["x-example"] = {text: text}
    else:
        document["info"][place] = text
    answer = world.publisher.post("/publisher/apis/", api_body(definition=document))
    assert answer.status_code == 400, answer.content
    assert {name.partition(".")[0] for name in fields_of(answer)} == {"definition"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"version": "1/0"}, "version"),
        ({"context": "museum"}, "context"),
        ({"context": "/a/../b"}, "context"),
        ({"endpoints": {"production": "ftp://a.example"}}, "endpoints.production"),
        ({"endpoints": {"sandbox": "https://user:pw@a.example"}}, "endpoints.sandbox"),
        ({"plans": ["platinum"]}, "plans"),
        ({"plans": ["gold", "no slug"]}, "plans[1]"),
        ({"key_managers": ["nobody"]}, "key_managers"),
        ({"key_managers": []}, "key_managers"),
        ({"key_managers": "some"}, "key_managers"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": ["two\nlines"]}, "tags"),
        ({"audiences": ["x" * 501]}, "audiences"),
        ({"audiences": ["two\nlines"]}, "audiences"),
        ({"audiences": [f"urn:a:{number}" for number in range(51)]}, "audiences"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_stored(world: World, changes: dict[str, Any], field: str) -> None:
    answer = world.publisher.post("/publisher/apis/", api_body(**changes))
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {field}
    assert not Api.objects.exists()


def test_a_second_version_joins_its_api_and_a_repeat_of_it_is_refused(world: World) -> None:
    world.make_api()
    world.make_api(version="2.0.0")
    assert Api.objects.count() == 1
    answer = world.publisher.post("/publisher/apis/", api_body(version="2.0.0"))
    assert answer.status_code == 409
    assert set(fields_of(answer)) == {"version"}


def test_a_context_that_lies_inside_another_is_refused(world: World) -> None:
    world.make_api()
    answer = world.publisher.post("/publisher/apis/", api_body(name="Other", context="/museum/1.0.0"))
    assert answer.status_code == 409
    assert set(fields_of(answer)) == {"context"}


def test_patch_changes_what_is_given_and_leaves_the_rest(world: World) -> None:
    made = world.make_api()
    path = f"/publisher/apis/{made['id']}/"
    answer = world.publisher.patch(path, {"description": "New", "endpoints": {"sandbox": "https://sandbox.example/"}})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed["description"] == "New"
    assert changed["endpoints"] == {"production": "http://127.0.0.1:9000/v1", "sandbox": "https://sandbox.example"}
    assert (changed["plans"], changed["tags"]) == (made["plans"], made["tags"])
    assert changed["revision"] == made["revision"] + 1
    assert world.publisher.patch(path, {"key_managers": ["resident"]}).json()["key_managers"] == ["resident"]
    assert world.publisher.patch(path, {"key_managers": "all"}).json()["key_managers"] == "all"


@pytest.mark.parametrize("actions", [["publish"], ["publish", "block"], ["publish", "deprecate"]])
@pytest.mark.parametrize("changes", [{"plans": []}, {"endpoints": {"production": ""}}])
def test_an_api_at_the_gateway_cannot_lose_what_it_needs_there(
    world: World, actions: list[str], changes: dict[str, Any]
) -> None:
    made = world.make_api()
    world.move(made, *actions)
    answer = world.publisher.patch(f"/publisher/apis/{made['id']}/", changes)
    assert answer.status_code == 409
    assert len(answer.json()["unmet"]) == 1
    after = world.publisher.get(f"/publisher/apis/{made['id']}/").json()
    assert (after["plans"], after["endpoints"]) == (made["plans"], made["endpoints"])


def test_an_api_at_the_gateway_keeps_a_key_manager_that_is_switched_on(world: World) -> None:
    world.add_key_manager("off", enabled=False)
    made = world.make_published()
    answer = world.publisher.patch(f"/publisher/apis/{made['id']}/", {"key_managers": ["off"]})
    assert (answer.status_code, len(answer.json()["unmet"])) == (409, 1)
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json()["key_managers"] == "all"


def test_a_new_definition_replaces_operations_and_keeps_scopes_that_stay(world: World) -> None:
    made = world.make_api()
    scope = Scope.objects.get(key="tickets:buy").pk
    document = json.loads(json.dumps(MUSEUM))
    document["paths"]["/tours"] = document["paths"].pop("/hours")
    answer = world.publisher.put(f"/publisher/apis/{made['id']}/definition/", {"definition": document})
    assert answer.status_code == 200
    assert [item["path"] for item in answer.json()["operations"]] == ["/tickets", "/tours"]
    assert Scope.objects.get(key="tickets:buy").pk == scope
    assert world.publisher.get(f"/publisher/apis/{made['id']}/definition/").json() == document


def test_operations_given_by_hand_are_replaced_by_hand(world: World) -> None:
    made = world.make_api(definition=..., operations=[{"method": "GET", "path": "/hours"}])
    wanted = [{"method": "POST", "path": "/tickets", "scopes": ["tickets:buy"]}]
    answer = world.publisher.put(f"/publisher/apis/{made['id']}/definition/", {"operations": wanted})
    assert answer.status_code == 200
    assert [(item["path"], item["scopes"]) for item in answer.json()["operations"]] == [("/tickets", ["tickets:buy"])]
    document = world.publisher.get(f"/publisher/apis/{made['id']}/definition/").json()
    assert (document["info"], list(document["paths"])) == ({"title": "Museum", "version": "1.0.0"}, ["/tickets"])


def upload(world: World, method: str, path: str, content: bytes, **fields: str) -> Any:
    """The answer to a form with the file ``definition``, as ``curl -F`` sends it."""
    file = SimpleUploadedFile("museum.yaml", content, content_type="application/yaml")
    client = APIClient()
    send = {"POST": client.post, "PUT": client.put}[method]
    headers = {"Authorization": f"Bearer {world.publisher.token}"}
    return send(f"/api/v1{path}", {**fields, "definition": file}, format="multipart", headers=headers)


def test_a_definition_is_uploaded_as_a_file(world: World) -> None:
    answer = upload(
        world, "POST", "/publisher/apis/", yaml.safe_dump(MUSEUM).encode(), name="Museum", version="1.0.0",
        context="/museum", endpoints='{"production": "http://127.0.0.1:9000/v1"}', plans='["gold"]', key_managers="all",
    )  # fmt: skip
    made = answer.json()
    assert (answer.status_code, made["plans"], made["key_managers"]) == (201, ["gold"], "all")
    assert made["endpoints"]["production"] == "http://127.0.0.1:9000/v1"
    assert len(made["operations"]) == 2
    fewer = {**MUSEUM, "paths": {"/hours": MUSEUM["paths"]["/hours"]}}
    replaced = upload(world, "PUT", f"/publisher/apis/{made['id']}/definition/", json.dumps(fewer).encode())
    assert [item["path"] for item in replaced.json()["operations"]] == ["/hours"]


@pytest.mark.parametrize("content", [b"openapi: [", b"\xff\xfe", b"x" * (MAX_BYTES + 1)])
def test_an_uploaded_file_that_is_no_definition_is_refused_by_name(world: World, content: bytes) -> None:
    answer = upload(world, "POST", "/publisher/apis/", content, name="Museum", version="1.0.0", context="/museum")
    assert (answer.status_code, set(fields_of(answer))) == (400, {"definition"})
    assert not Api.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("name", "Zoo"), ("context", "/zoo"), ("state", "published"), ("operations", []), ("tag", "a")]
)
def test_a_change_that_cannot_be_made_is_refused_and_not_ignored(world: World, name: str, value: Any) -> None:
    made = world.make_api()
    answer = world.publisher.patch(f"/publisher/apis/{made['id']}/", {"description": "New", name: value})
    assert (answer.status_code, set(fields_of(answer))) == (400, {name})
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json() == made


def test_the_whole_of_an_api_may_be_sent_back_with_a_change(world: World) -> None:
    made = world.make_api()
    answer = world.publisher.patch(f"/publisher/apis/{made['id']}/", {**made, "description": "New"})
    assert (answer.status_code, answer.json()["description"]) == (200, "New")


def test_an_invalid_new_definition_changes_nothing(world: World) -> None:
    made = world.make_api()
    answer = world.publisher.put(f"/publisher/apis/{made['id']}/definition/", {"definition": {"openapi": "3.0.3"}})
    assert answer.status_code == 400
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json() == made


def test_a_deleted_version_is_gone_and_its_api_with_the_last(world: World) -> None:
    first, second = world.make_api(), world.make_api(version="2.0.0")
    assert world.publisher.delete(f"/publisher/apis/{first['id']}/").status_code == 204
    assert world.publisher.get(f"/publisher/apis/{first['id']}/").status_code == 404
    assert Api.objects.exists()
    assert world.publisher.delete(f"/publisher/apis/{second['id']}/").status_code == 204
    assert not Api.objects.exists()


def test_a_version_at_the_gateway_or_with_subscriptions_is_not_deleted(world: World) -> None:
    made = world.make_published()
    world.subscribe(world.make_application(), made)
    refused = world.publisher.delete(f"/publisher/apis/{made['id']}/")
    assert refused.status_code == 409
    assert refused.json()["unmet"] == [
        "The API is published; demote or retire it first.",
        "1 subscriptions use it and would end: Guide.",
    ]
    world.move(made, "demote")
    again = world.publisher.delete(f"/publisher/apis/{made['id']}/")
    assert again.json()["unmet"] == ["1 subscriptions use it and would end: Guide."]


def test_a_retired_version_is_deleted_with_its_subscriptions_by_who_says_so(world: World) -> None:
    made = world.make_published()
    subscription = world.subscribe(world.make_application(), made)
    path = f"/publisher/apis/{made['id']}/"
    assert world.publisher.delete(f"{path}?force=true").status_code == 409
    world.move(made, "deprecate", "retire")
    assert world.publisher.delete(path).status_code == 409
    assert "force" in fields_of(world.publisher.delete(f"{path}?force=yes"))
    assert world.publisher.delete(f"{path}?force=true").status_code == 204
    assert world.publisher.get(path).status_code == 404
    assert not Subscription.objects.exists()
    ended = AuditEvent.objects.get(action="subscription.delete")
    assert ended.object_id == str(subscription["id"])
    assert ChangeEvent.objects.filter(kind="subscription", object_id=str(subscription["id"])).exists()


def test_publishing_says_which_checks_are_unmet(world: World) -> None:
    made = world.make_api(endpoints={}, plans=[])
    answer = world.publisher.post(f"/publisher/apis/{made['id']}/lifecycle/", {"action": "publish"})
    assert answer.status_code == 409
    assert answer.json()["unmet"] == [
        "The API has no endpoint; give a production or a sandbox URL.",
        "The API offers no plan; choose at least one.",
    ]
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json()["state"] == "created"


def test_an_action_that_the_state_does_not_have_is_refused_with_those_it_has(world: World) -> None:
    made = world.make_published()
    answer = world.publisher.post(f"/publisher/apis/{made['id']}/lifecycle/", {"action": "retire"})
    assert answer.status_code == 409
    assert answer.json()["unmet"] == ["The API is published."]
    assert "block, deprecate, demote" in answer.json()["detail"]
    unknown = world.publisher.post(f"/publisher/apis/{made['id']}/lifecycle/", {"action": "explode"})
    assert (unknown.status_code, set(fields_of(unknown))) == (400, {"action"})


def test_a_change_of_facts_does_not_undo_a_lifecycle_action_in_between(world: World) -> None:
    from subscriptions.services.apis import VersionFacts, change_api_version

    made = world.make_published()
    stale = ApiVersion.objects.get(pk=made["id"])
    world.move(made, "block")
    change_api_version(actor=world.publisher.actor, api_version=stale, facts=VersionFacts(description="New"))
    assert world.publisher.get(f"/publisher/apis/{made['id']}/").json()["state"] == "blocked"


def test_registrations_of_an_api_exist_from_its_creation_and_say_what_is_not_kept(world: World) -> None:
    world.add_key_manager("plain")
    made = world.make_api()
    rows = world.publisher.get(f"/publisher/apis/{made['id']}/registrations/").json()["results"]
    states = {(row["key_manager"], row["kind"]): row["state"] for row in rows}
    assert states[("plain", "resource")] == "not kept by this key manager"
    assert states[("plain", "scope")] == "not kept by this key manager"
    assert "requested" in {state for (key_manager, _), state in states.items() if key_manager == "resident"}
    world.work()
    rows = world.publisher.get(f"/publisher/apis/{made['id']}/registrations/").json()["results"]
    assert {row["state"] for row in rows} == {"active", "not kept by this key manager"}


def test_a_registration_of_an_api_is_shown_with_its_attempts_and_retried(world: World) -> None:
    made = world.make_api()
    path = f"/publisher/apis/{made['id']}/registrations/"
    (resource,) = (row for row in world.publisher.get(path).json()["results"] if row["kind"] == "resource")
    again = world.publisher.post(f"{path}{resource['id']}/retry/")
    assert (again.status_code, again.json()["state"]) == (202, "requested")
    world.work()
    shown = world.publisher.get(f"{path}{resource['id']}/").json()
    assert (shown["state"], [attempt["outcome"] for attempt in shown["trace"]]) == ("active", ["succeeded"])
    assert shown["trace"][0]["exchanges"]
    assert world.publisher.post(f"{path}{resource['id']}/retry/").status_code == 409
    other = world.make_api(name="Zoo", context="/zoo")
    assert world.publisher.get(f"/publisher/apis/{other['id']}/registrations/{resource['id']}/").status_code == 404
