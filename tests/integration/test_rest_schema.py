"""The schema of the REST API is whole, and the console shows it without a line of inline script."""

import io
import re

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

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
PATCH DELETE /admin/plans/{slug}/
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
