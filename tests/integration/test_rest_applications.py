"""Applications and credentials by REST, registered at the resident key manager by the worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Role
from keymanager.models import Credential, Registration
from subscriptions.models import Application, AuditEvent, ChangeEvent
from tests.integration.rest_kit import World, fields_of, make_caller, make_world

pytestmark = pytest.mark.django_db
CALLBACK = "https://app.example.com/callback"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_an_application_may_have_no_credentials(world: World) -> None:
    made = world.make_application()
    assert (made["state"], made["credentials"], made["team"]) == ("active", [], "app-developer")
    assert world.developer.get("/store/applications/").json()["results"] == [made]


def test_an_application_is_saved_with_its_credentials_and_nothing_is_sent_in_the_request(world: World) -> None:
    made = world.make_application(
        "Guide",
        {"key_manager": "resident"},
        {
            "key_manager": "resident",
            "environment": "sandbox",
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": [CALLBACK],
            "scopes": ["b", "a", "b"],
        },
    )
    first, second = made["credentials"]
    assert {first["state"], second["state"]} == {"requested"}
    assert (first["environment"], second["environment"]) == ("production", "sandbox")
    assert first["client_id"] == second["client_id"] == ""
    assert (second["redirect_uris"], second["scopes"]) == ([CALLBACK], ["a", "b"])
    assert not world.resident.registrations.exclude(attempts=0).exists()
    world.work()
    after = world.developer.get(f"/store/applications/{made['id']}/").json()["credentials"]
    assert {row["state"] for row in after} == {"active"}
    assert all(row["client_id"] for row in after)


@pytest.mark.parametrize(
    ("second", "status", "field"),
    [
        ({"key_manager": "nobody"}, 400, "credentials[1].key_manager"),
        ({}, 400, "credentials[1].key_manager"),
        ({"key_manager": "resident", "environment": "moon"}, 400, "credentials[1].environment"),
        ({"key_manager": "resident", "grant_types": ["magic"]}, 400, "credentials[1].grant_types"),
        ({"key_manager": "resident", "grant_types": "client_credentials"}, 400, "credentials[1].grant_types"),
        ({"key_manager": "resident", "scopes": ["a", 7, None]}, 400, "credentials[1].scopes[2]"),
        ({"key_manager": "resident", "redirect_uris": ["http://a.example"]}, 400, "credentials[1].redirect_uris"),
        ({"key_manager": "resident"}, 409, "credentials[1].key_manager"),
        (
            {"key_manager": "resident", "environment": "sandbox", "token_endpoint_auth_method": "none"},
            400,
            "credentials[1].token_endpoint_auth_method",
        ),
    ],
)
def test_a_second_credential_that_is_wrong_saves_nothing_and_is_named(
    world: World, second: dict[str, Any], status: int, field: str
) -> None:
    before = (AuditEvent.objects.count(), ChangeEvent.objects.count(), Registration.objects.count())
    body = {"name": "Guide", "credentials": [{"key_manager": "resident"}, second]}
    answer = world.developer.post("/store/applications/", body)
    assert (answer.status_code, set(fields_of(answer))) == (status, {field})
    assert not Application.objects.exists()
    assert not Credential.objects.exists()
    assert (AuditEvent.objects.count(), ChangeEvent.objects.count(), Registration.objects.count()) == before


@pytest.mark.parametrize(
    "body", [[], "text", 7, None, {"name": "Guide", "credentials": {}}, {"name": "Guide", "credentials": [7]}]
)
def test_a_body_of_another_shape_is_refused(world: World, body: Any) -> None:
    answer = world.developer.call("POST", "/store/applications/", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Application.objects.exists()


def test_a_name_is_once_per_team_and_free_again_after_removal(world: World) -> None:
    made = world.make_application()
    twice = world.developer.post("/store/applications/", {"name": "GUIDE"})
    assert (twice.status_code, set(fields_of(twice))) == (409, {"name"})
    assert (
        make_caller("stranger", Role.APP_DEVELOPER).post("/store/applications/", {"name": "Guide"}).status_code == 201
    )
    world.developer.delete(f"/store/applications/{made['id']}/")
    world.make_application()


def test_a_new_name_is_wished_for_every_client(world: World) -> None:
    made = world.make_application(
        "Guide", {"key_manager": "resident"}, {"key_manager": "resident", "environment": "sandbox"}
    )
    world.work()
    answer = world.developer.patch(f"/store/applications/{made['id']}/", {"name": "Companion"})
    assert answer.status_code == 200
    assert {row["state"] for row in answer.json()["credentials"]} == {"requested"}
    wanted = {row.wanted["client_name"] for row in Registration.objects.filter(kind="client")}
    assert wanted == {"Companion", "Companion (sandbox)"}
    world.work()
    after = world.developer.get(f"/store/applications/{made['id']}/").json()
    assert {row["state"] for row in after["credentials"]} == {"active"}
    applied = {row.applied["client_name"] for row in Registration.objects.filter(kind="client") if row.applied}
    assert applied == {"Companion", "Companion (sandbox)"}


def test_a_new_description_tells_no_key_manager(world: World) -> None:
    client = world.make_client()
    world.developer.patch(f"/store/applications/{client['application']}/", {"description": "New"})
    assert world.developer.get(f"/store/credentials/{client['id']}/").json()["state"] == "active"


def test_a_deleted_application_is_removing_until_its_last_client_is_removed(world: World) -> None:
    made = world.make_application(
        "Guide", {"key_manager": "resident"}, {"key_manager": "resident", "environment": "sandbox"}
    )
    world.work()
    world.subscribe(made, world.make_published())
    path = f"/store/applications/{made['id']}/"
    answer = world.developer.delete(path)
    assert (answer.status_code, answer.json()["state"]) == (202, "removing")
    assert {row["state"] for row in answer.json()["credentials"]} == {"removing"}
    (listed,) = world.developer.get("/store/applications/").json()["results"]
    assert listed["state"] == "removing"
    assert world.developer.patch(path, {"name": "Other"}).status_code == 409
    assert world.developer.post(f"{path}credentials/", {"key_manager": "resident"}).status_code == 409
    assert world.developer.delete(path).status_code == 202
    world.work()
    assert world.developer.get(path).status_code == 404
    assert world.developer.delete(path).status_code == 404
    for row in made["credentials"]:
        assert world.developer.get(f"/store/credentials/{row['id']}/").json()["state"] == "removed"
    assert world.developer.get("/store/subscriptions/").json()["count"] == 0


def test_an_application_without_clients_is_gone_at_once(world: World) -> None:
    made = world.make_application()
    answer = world.developer.delete(f"/store/applications/{made['id']}/")
    assert (answer.status_code, answer.json()["state"]) == (202, "removed")
    assert world.developer.get("/store/applications/").json()["count"] == 0


def test_a_credential_is_wished_for_and_shows_its_attempts(world: World) -> None:
    application = world.make_application()
    answer = world.developer.post(f"/store/applications/{application['id']}/credentials/", {"key_manager": "resident"})
    assert (answer.status_code, answer.json()["state"]) == (202, "requested")
    world.work()
    shown = world.developer.get(f"/store/credentials/{answer.json()['id']}/").json()
    assert (shown["state"], shown["attempts"], shown["last_error"], shown["next_try_at"]) == ("active", 0, "", None)
    (attempt,) = shown["trace"]
    assert (attempt["operation"], attempt["outcome"]) == ("create", "succeeded")
    assert "client_secret" not in shown


def test_a_change_of_a_credential_is_carried_out_by_the_worker(world: World) -> None:
    world.make_api()
    world.work()
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/"
    answer = world.developer.patch(path, {"scopes": ["tickets:buy"]})
    assert (answer.status_code, answer.json()["state"], answer.json()["scopes"]) == (202, "requested", ["tickets:buy"])
    world.work()
    shown = world.developer.get(path).json()
    assert (shown["state"], shown["client_id"]) == ("active", client["client_id"])
    wrong = world.developer.patch(path, {"redirect_uris": ["http://a.example"]})
    assert (wrong.status_code, set(fields_of(wrong))) == (400, {"redirect_uris"})


def test_a_removed_credential_leaves_room_for_another(world: World) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/"
    answer = world.developer.delete(path)
    assert (answer.status_code, answer.json()["state"]) == (202, "removing")
    assert world.developer.patch(path, {"scopes": []}).status_code == 409
    assert world.developer.post(f"{path}token/").status_code == 409
    world.work()
    assert world.developer.get(path).json()["state"] == "removed"
    assert world.developer.delete(path).status_code == 202
    for action in ("rotate-secret", "retry", "reveal-secret"):
        assert world.developer.post(f"{path}{action}/").status_code == 409, action
    again = world.developer.post(
        f"/store/applications/{client['application']}/credentials/", {"key_manager": "resident"}
    )
    assert again.status_code == 202


def test_a_secret_is_revealed_to_the_team_and_audited_and_not_cached(world: World) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/reveal-secret/"
    answer = world.developer.post(path)
    assert answer.status_code == 200
    assert answer.json()["client_id"] == client["client_id"]
    assert len(answer.json()["client_secret"]) > 20
    assert "no-store" in answer["Cache-Control"]
    assert world.developer.post(path).json() == answer.json()
    assert AuditEvent.objects.filter(action="credential.reveal_secret", object_id=client["id"]).count() == 2


def test_a_rotation_gives_another_secret(world: World) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/"
    before = world.developer.post(f"{path}reveal-secret/").json()["client_secret"]
    answer = world.developer.post(f"{path}rotate-secret/")
    assert (answer.status_code, answer.json()["state"]) == (202, "requested")
    world.work()
    after = world.developer.post(f"{path}reveal-secret/").json()
    assert after["client_id"] == client["client_id"]
    assert after["client_secret"] != before
    assert world.developer.post(f"{path}token/").status_code == 200


def test_a_secret_that_is_not_kept_is_shown_once_and_then_the_setting_is_named(world: World) -> None:
    world.admin.patch("/admin/key-managers/resident/", {"keep_secrets": False})
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/reveal-secret/"
    assert world.developer.post(path).status_code == 200
    again = world.developer.post(path)
    assert again.status_code == 409
    assert "keep_secrets" in again.json()["detail"]
    assert Credential.objects.get(pk=client["id"]).sealed_secret == ""


def test_a_secret_that_was_not_kept_does_not_come_back_with_the_setting(world: World) -> None:
    world.admin.patch("/admin/key-managers/resident/", {"keep_secrets": False})
    path = f"/store/credentials/{world.make_client()['id']}/reveal-secret/"
    assert world.developer.post(path).status_code == 200
    world.admin.patch("/admin/key-managers/resident/", {"keep_secrets": True})
    answer = world.developer.post(path)
    assert (answer.status_code, answer.json()["detail"].split(".")[0]) == (
        409,
        "The secret of this client was not kept when it arrived",
    )


@pytest.mark.parametrize(("name", "value"), [("environment", "sandbox"), ("key_manager", "other"), ("scope", "a")])
def test_a_change_of_a_credential_that_cannot_be_made_is_refused_and_not_ignored(
    world: World, name: str, value: str
) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/"
    answer = world.developer.patch(path, {"scopes": [], name: value})
    assert (answer.status_code, set(fields_of(answer))) == (400, {name})
    whole = world.developer.get(path).json()
    assert world.developer.patch(path, whole).status_code == 202


def test_a_secret_that_is_not_there_yet_is_refused_with_the_state(world: World) -> None:
    made = world.make_application("Guide", {"key_manager": "resident"})
    path = f"/store/credentials/{made['credentials'][0]['id']}/"
    for action in ("reveal-secret", "rotate-secret", "token"):
        answer = world.developer.post(f"{path}{action}/")
        assert answer.status_code == 409, action
        assert "requested" in answer.json()["detail"], action


def test_a_token_is_issued_and_not_cached(world: World) -> None:
    api = world.make_published()
    client = world.make_client(scopes=["tickets:buy"])
    world.subscribe({"id": client["application"]}, api)
    world.work()
    path = f"/store/credentials/{client['id']}/token/"
    answer = world.developer.post(path, {"scopes": ["tickets:buy"]})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["scope"] == "tickets:buy"
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] > 0
    assert "no-store" in answer["Cache-Control"]
    refused = world.developer.post(path, {"scopes": ["other"]})
    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid_input"
    assert [each["field"] for each in refused.json()["errors"]] == ["scopes"]


def test_a_retry_starts_over_and_is_refused_when_there_is_nothing_to_retry(world: World) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}/retry/"
    assert world.developer.post(path).status_code == 409
    Registration.objects.filter(credential=client["id"]).update(
        state="refused", attempts=3, last_error="No.", last_error_code="invalid_client_metadata", applied_version=0
    )
    answer = world.developer.post(path)
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["attempts"]) == ("requested", 0)
    world.work()
    assert world.developer.get(f"/store/credentials/{client['id']}/").json()["state"] == "active"


def test_a_key_manager_that_is_switched_off_takes_no_new_credential(world: World) -> None:
    world.admin.patch("/admin/key-managers/resident/", {"enabled": False})
    application = world.make_application()
    answer = world.developer.post(f"/store/applications/{application['id']}/credentials/", {"key_manager": "resident"})
    assert answer.status_code == 409
    assert not Credential.objects.exists()


def test_applications_are_filtered(world: World) -> None:
    world.make_application("Guide")
    world.make_application("Shop", {"key_manager": "resident"})
    assert [row["name"] for row in world.developer.get("/store/applications/?q=gui").json()["results"]] == ["Guide"]
    assert world.developer.get("/store/applications/?state=removing").json()["count"] == 0
