"""The schema of the REST API is whole, and the console shows it without a line of inline script."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from openapi_schema_validator import OAS31Validator

from tests.integration.rest_kit import API, World, api_body, make_world

CALLS = """
POST GET /publisher/apis/
GET PATCH DELETE /publisher/apis/{id}/
PUT GET /publisher/apis/{id}/definition/
POST /publisher/apis/{id}/lifecycle/
GET /publisher/apis/{id}/registrations/
GET /publisher/apis/{id}/registrations/{registration}/
POST /publisher/apis/{id}/registrations/{registration}/retry/
GET /publisher/apis/{id}/subscriptions/
POST /publisher/subscriptions/{id}/block/
POST /publisher/subscriptions/{id}/unblock/
GET /publisher/plans/
GET /store/apis/
GET /store/apis/{id}/
GET /store/apis/{id}/definition/
POST GET /store/applications/
PATCH DELETE GET /store/applications/{id}/
POST /store/applications/{id}/credentials/
GET PATCH DELETE /store/credentials/{id}/
POST /store/credentials/{id}/rotate-secret/
POST /store/credentials/{id}/drop-old-secret/
POST /store/credentials/{id}/retry/
POST /store/credentials/{id}/reveal-secret/
POST /store/credentials/{id}/token/
POST GET /store/subscriptions/
DELETE GET PATCH /store/subscriptions/{id}/
GET /store/verdicts/{reference}/
POST GET /admin/plans/
GET PATCH DELETE /admin/plans/{slug}/
POST GET /admin/key-managers/
PATCH DELETE GET /admin/key-managers/{slug}/
POST /admin/key-managers/discover/
POST GET /admin/key-managers/{slug}/check/
GET /admin/key-managers/{slug}/used-by/
GET /admin/registrations/
GET /admin/registrations/{id}/
POST /admin/registrations/{id}/retry/
GET /admin/audit/
GET /admin/gateways/
GET /admin/people/
GET PATCH /admin/people/{id}/
GET POST /admin/teams/
GET PATCH /admin/teams/{id}/
POST /admin/teams/{id}/members/
DELETE /admin/teams/{id}/members/{member}/
"""


def test_the_schema_is_made_without_a_warning_and_is_valid() -> None:
    errors = io.StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=io.StringIO(), stderr=errors)
    assert errors.getvalue() == ""


@pytest.mark.django_db
def test_every_call_is_in_the_schema_and_no_other(client: Client) -> None:
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    document = yaml.safe_load(answer.content)
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    wanted = set()
    for line in CALLS.split("\n"):
        *methods, path = line.split() or [""]
        wanted |= {(method, re.sub(r"\{\w+\}", "{}", path)) for method in methods}
    assert described == wanted


@pytest.mark.django_db
def test_the_schema_says_how_to_authenticate_and_what_key_managers_may_be(client: Client) -> None:
    document = yaml.safe_load(client.get("/api/v1/schema/").content)
    assert document["components"]["securitySchemes"]["apiToken"]["scheme"] == "bearer"
    field = document["components"]["schemas"]["ApiCreateInputRequest"]["properties"]["key_managers"]
    assert field["oneOf"] == [{"type": "string", "enum": ["all"]}, {"type": "array", "items": {"type": "string"}}]
    assert {"ApiState", "SubscriptionState", "ApplicationState", "RegistrationState"} <= set(
        document["components"]["schemas"]
    )


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.mark.django_db
def test_the_schema_says_which_calls_take_a_key_or_a_tag_and_how_errors_look(client: Client) -> None:
    document = yaml.safe_load(client.get("/api/v1/schema/").content)
    calls = {(method, path): call for path, calls in document["paths"].items() for method, call in calls.items()}
    assert all("application/problem+json" in call["responses"]["default"]["content"] for call in calls.values())

    def taking(header: str) -> set[tuple[str, str]]:
        return {
            (method, path.removeprefix(API))
            for (method, path), call in calls.items()
            if header in {parameter["name"] for parameter in call.get("parameters", [])}
        }

    lists = (
        "publisher/apis",
        "store/applications",
        "store/subscriptions",
        "admin/plans",
        "admin/key-managers",
        "admin/teams",
    )
    creates = {("post", f"/{name}/") for name in lists}
    assert taking("Idempotency-Key") == creates | {("post", "/store/applications/{id}/credentials/")}
    rows = ("publisher/apis/{id}", "store/applications/{id}", "store/credentials/{id}", "store/subscriptions/{id}")
    changes = {(method, f"/{row}/") for row in (*rows, "admin/key-managers/{slug}") for method in ("patch", "delete")}
    api = "/publisher/apis/{id}"
    assert taking("If-Match") == changes | {("put", f"{api}/definition/"), ("post", f"{api}/lifecycle/")}


def test_answers_are_as_the_schema_says(world: World, client: Client) -> None:
    document = yaml.safe_load(client.get("/api/v1/schema/").content)

    def fault(method: str, path: str, answer: Any) -> str:
        """What the schema does not allow in this answer, or nothing."""
        responses = document["paths"][f"{API}{path}"][method]["responses"]
        described = responses.get(str(answer.status_code), responses["default"])
        schema = described["content"][answer["Content-Type"].partition(";")[0]]["schema"]
        checker = OAS31Validator({**schema, "components": document["components"]})
        return "".join(
            f"{method} {path}: {list(found.absolute_path)} {found.message}"
            for found in checker.iter_errors(answer.json())
        )

    api, client_row = world.make_published(), world.make_client()
    subscription = world.subscribe({"id": client_row["application"]}, api)
    rows = [
        (world.publisher, "/publisher/apis/{id}/", api["id"]),
        (world.publisher, "/publisher/apis/{id}/registrations/", api["id"]),
        (world.publisher, "/publisher/apis/{id}/subscriptions/", api["id"]),
        (world.developer, "/store/apis/{id}/", api["id"]),
        (world.developer, "/store/applications/{id}/", client_row["application"]),
        (world.developer, "/store/credentials/{id}/", client_row["id"]),
        (world.developer, "/store/subscriptions/{id}/", subscription["id"]),
        (world.admin, "/admin/key-managers/{slug}/", "resident"),
        (world.admin, "/admin/key-managers/{slug}/used-by/", "resident"),
    ]
    answers = [("get", path, who.get(re.sub(r"{\w+}", key, path))) for who, path, key in rows]
    for who, path in [
        *((world.publisher, f"/publisher/{name}/") for name in ("apis", "plans")),
        *((world.developer, f"/store/{name}/") for name in ("apis", "applications", "subscriptions")),
        *((world.admin, f"/admin/{name}/") for name in ("key-managers", "plans", "registrations", "audit", "people")),
    ]:
        answers.append(("get", path, who.get(path)))
        assert answers[-1][2].json()["count"] >= 1
    answers += [
        ("post", "/publisher/apis/", world.publisher.post("/publisher/apis/", api_body(name=""))),
        ("post", "/publisher/apis/", world.publisher.post("/publisher/apis/", api_body())),
        ("delete", "/publisher/apis/{id}/", world.publisher.delete(f"/publisher/apis/{api['id']}/")),
    ]
    faults = [words for method, path, answer in answers if (words := fault(method, path, answer))]
    assert not faults, "\n".join(faults)
