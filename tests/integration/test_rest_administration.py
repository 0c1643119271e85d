"""Administration by REST: plans, key managers, registrations, the audit log."""

from collections.abc import Iterator
from typing import Any

import pytest

from keymanager.adapters.registry import ADAPTERS
from keymanager.models import KeyManager, KeyManagerCheck
from keymanager.services.checks import run_check
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import World, fields_of, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def config_of(server: RfcServer) -> dict[str, Any]:
    return {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }


def test_four_plans_are_there_from_the_start(world: World) -> None:
    rows = world.publisher.get("/publisher/plans/").json()["results"]
    assert {row["slug"] for row in rows} == {"unlimited", "gold", "silver", "bronze"}
    assert world.admin.get("/admin/plans/").json()["results"] == rows


def test_a_plan_is_made_changed_and_deleted(world: World) -> None:
    body = {"slug": "trial", "name": "Trial", "requests": 5, "per_seconds": 60}
    made = world.admin.post("/admin/plans/", body)
    assert made.status_code == 201
    assert {name: made.json()[name] for name in body} == body
    changed = world.admin.patch("/admin/plans/trial/", {"requests": None, "per_seconds": None})
    assert (changed.json()["requests"], changed.json()["per_seconds"]) == (None, None)
    assert world.admin.get("/admin/plans/trial/").json() == changed.json()
    twice = world.admin.post("/admin/plans/", body)
    assert (twice.status_code, set(fields_of(twice))) == (409, {"slug"})
    assert world.admin.delete("/admin/plans/trial/").status_code == 204
    assert world.admin.delete("/admin/plans/trial/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"requests": 0}, "requests"),
        ({"requests": -1}, "requests"),
        ({"requests": 10**30}, "requests"),
        ({"per_seconds": 0}, "per_seconds"),
        ({"per_seconds": None}, "per_seconds"),
        ({"requests": None}, "requests"),
        ({"slug": "no slug"}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"name": " "}, "name"),
    ],
)
def test_a_wrong_plan_names_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    body = {"slug": "trial", "name": "Trial", "requests": 5, "per_seconds": 60, **changes}
    answer = world.admin.post("/admin/plans/", body)
    assert (answer.status_code, set(fields_of(answer))) == (400, {field})


def test_a_plan_in_use_is_not_deleted(world: World) -> None:
    world.subscribe(world.make_application(), world.make_published())
    answer = world.admin.delete("/admin/plans/gold/")
    assert answer.status_code == 409
    assert answer.json()["unmet"] == ["1 API versions offer it.", "1 subscriptions use it."]


def test_a_key_manager_is_shown_with_masked_secrets_and_its_capabilities(world: World) -> None:
    made = world.add_key_manager("keycloak")
    assert made["config"]["introspection_client_secret"] == "*****"
    assert made["config"]["introspection_client_id"] == "gateway"
    assert made["capabilities"]
    listed = world.admin.get("/admin/key-managers/").json()["results"]
    assert made in listed
    assert "gateway-secret-5b1f" not in str(listed)


def test_the_mask_keeps_a_secret_and_another_value_replaces_it(world: World) -> None:
    from keymanager.services.adapters import stored_config

    made = world.add_key_manager("keycloak")
    path = "/admin/key-managers/keycloak/"
    answer = world.admin.patch(path, {"config": {**made["config"], "revocation": False}})
    assert answer.status_code == 200, answer.json()
    row = KeyManager.objects.get(slug="keycloak")
    assert stored_config(row)["introspection_client_secret"] == "gateway-secret-5b1f"
    assert stored_config(row)["revocation"] is False
    world.admin.patch(path, {"config": {"introspection_client_secret": "another"}})
    assert stored_config(KeyManager.objects.get(slug="keycloak"))["introspection_client_secret"] == "another"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"config": {"isuer": "https://a.example"}}, "config.isuer"),
        ({"config": {"issuer": "nonsense"}}, "config.issuer"),
        ({"config": {"issuer": 7}}, "config.issuer"),
        ({"config": []}, "config"),
        ({"adapter": "magic"}, "adapter"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"name": ""}, "name"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
def test_a_wrong_key_manager_names_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    config = {
        "issuer": "https://a.example",
        "introspection_client_id": "gateway",
        "introspection_client_secret": "gateway-secret",
    }
    body = {"slug": "other", "name": "Other", "adapter": "rfc", "config": config, **changes}
    answer = world.admin.post("/admin/key-managers/", body)
    assert (answer.status_code, set(fields_of(answer))) == (400, {field})
    assert KeyManager.objects.count() == 1


@pytest.mark.parametrize("taken", [{"slug": "resident"}, {"name": "Resident"}])
def test_a_slug_or_name_that_another_key_manager_has_is_409(world: World, taken: dict[str, str]) -> None:
    config = {
        "issuer": "https://a.example",
        "introspection_client_id": "gateway",
        "introspection_client_secret": "gateway-secret",
    }
    answer = world.admin.post(
        "/admin/key-managers/", {"slug": "other", "name": "Other", "adapter": "rfc", "config": config, **taken}
    )
    assert (answer.status_code, set(fields_of(answer))) == (409, set(taken))
    assert KeyManager.objects.count() == 1


def test_a_mask_that_stands_for_no_secret_is_refused_by_name(world: World) -> None:
    made = world.add_key_manager("keycloak")
    copy = {**made["config"], "issuer": "https://copy.example"}
    answer = world.admin.post("/admin/key-managers/", {"slug": "copy", "name": "C", "adapter": "rfc", "config": copy})
    assert (answer.status_code, set(fields_of(answer))) == (400, {"config.introspection_client_secret"})
    unset = world.admin.patch("/admin/key-managers/keycloak/", {"config": {"initial_access_token": "*****"}})
    assert unset.status_code == 400
    assert not KeyManager.objects.filter(slug="copy").exists()


def test_the_adapter_of_a_key_manager_stays(world: World) -> None:
    world.add_key_manager("keycloak")
    answer = world.admin.patch("/admin/key-managers/keycloak/", {"adapter": "resident"})
    assert (answer.status_code, set(fields_of(answer))) == (400, {"adapter"})
    same = world.admin.patch("/admin/key-managers/keycloak/", {"adapter": "rfc", "description": "Ours"})
    assert (same.status_code, same.json()["description"]) == (200, "Ours")
    assert set(ADAPTERS) >= {"rfc", "resident"}


def test_a_key_manager_in_use_is_not_deleted_and_says_by_whom(world: World) -> None:
    world.add_key_manager("keycloak")
    application = world.make_application("Guide", {"key_manager": "keycloak"})
    api = world.make_api(key_managers=["keycloak"])
    path = "/admin/key-managers/keycloak/"
    answer = world.admin.delete(path)
    assert answer.status_code == 409
    assert answer.json()["unmet"] == [
        "The application Guide has a production client there.",
        "The API Museum 1.0.0 lists it as accepted.",
    ]
    world.publisher.delete(f"/publisher/apis/{api['id']}/")
    world.developer.delete(f"/store/applications/{application['id']}/")
    world.work()
    assert world.admin.delete(path).status_code == 204
    assert world.admin.get(path).status_code == 404


def test_a_stored_configuration_that_no_longer_fits_does_not_break_the_list(world: World) -> None:
    world.add_key_manager("keycloak")
    KeyManager.objects.filter(slug="keycloak").update(config={"issuer": 7}, revision=99)
    rows = {row["slug"]: row for row in world.admin.get("/admin/key-managers/").json()["results"]}
    assert rows["keycloak"]["capabilities"] == []
    assert rows["resident"]["capabilities"]


def test_discovery_says_what_it_found_and_what_not(world: World) -> None:
    with RfcServer() as server:
        answer = world.admin.post("/admin/key-managers/discover/", {"url": server.issuer})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["issuer"] == server.issuer
        assert answer.json()["found"]["token_endpoint"].startswith(server.issuer)


def test_discovery_at_a_private_address_or_at_nothing_is_an_error_of_the_url(world: World, settings: Any) -> None:
    for url in ("nonsense", "ftp://a.example", ""):
        answer = world.admin.post("/admin/key-managers/discover/", {"url": url})
        assert (answer.status_code, set(fields_of(answer))) == (400, {"url"}), url
    settings.ARCHWAY_ALLOWED_NETWORKS = []
    with RfcServer() as server:
        private = world.admin.post("/admin/key-managers/discover/", {"url": server.issuer})
        assert (private.status_code, private.json()["code"]) == (400, "private_address")


def test_a_check_is_accepted_and_then_read_step_by_step(world: World) -> None:
    with RfcServer() as server:
        world.add_key_manager("fake", config=config_of(server))
        path = "/admin/key-managers/fake/check/"
        assert world.admin.get(path).status_code == 404
        started = world.admin.post(path)
        assert (started.status_code, started.json()["steps"], started.json()["finished_at"]) == (202, [], None)
        run_check(KeyManagerCheck.objects.get().pk)
        shown = world.admin.get(path).json()
        assert shown["id"] == started.json()["id"]
        assert shown["finished_at"]
        assert {"passed"} <= {step["state"] for step in shown["steps"]} <= {"passed", "skipped"}
        assert all({"name", "state", "reason"} <= step.keys() for step in shown["steps"])


def test_a_new_key_manager_gets_registrations_of_apis_that_accept_all(world: World) -> None:
    made = world.make_api()
    with RfcServer() as server:
        world.add_key_manager("fake", config=config_of(server))
    rows = world.publisher.get(f"/publisher/apis/{made['id']}/registrations/").json()["results"]
    assert "fake" in {row["key_manager"] for row in rows}


def test_registrations_are_filtered_shown_with_their_attempts_and_retried(world: World) -> None:
    world.add_key_manager("nowhere")
    client = world.make_client()
    world.make_application("Other", {"key_manager": "nowhere"})
    rows = world.admin.get("/admin/registrations/?state=active&kind=client").json()["results"]
    assert [row["credential"] for row in rows] == [client["id"]]
    assert [
        row["key_manager"] for row in world.admin.get("/admin/registrations/?key_manager=nowhere").json()["results"]
    ] == ["nowhere"]
    shown = world.admin.get(f"/admin/registrations/{rows[0]['id']}/").json()
    assert [attempt["operation"] for attempt in shown["trace"]] == ["create"]
    nothing = world.admin.post(f"/admin/registrations/{rows[0]['id']}/retry/")
    assert nothing.status_code == 409
    (waiting,) = world.admin.get("/admin/registrations/?key_manager=nowhere").json()["results"]
    again = world.admin.post(f"/admin/registrations/{waiting['id']}/retry/")
    assert (again.status_code, again.json()["state"]) == (202, "requested")
    wrong = world.admin.get("/admin/registrations/?state=sleeping")
    assert (wrong.status_code, set(fields_of(wrong))) == (400, {"state"})


def test_the_audit_log_says_who_did_what_and_joins_by_correlation_id(world: World) -> None:
    answer = world.developer.post("/store/applications/", {"name": "Guide"}, X_Request_ID="abcdef-1234567")
    assert answer["X-Request-ID"] == "abcdef-1234567"
    (row,) = world.admin.get("/admin/audit/?action=application").json()["results"]
    assert row["actor_name"] == "app-developer"
    assert (row["action"], row["object_type"], row["object_id"]) == (
        "application.create",
        "application",
        answer.json()["id"],
    )
    assert (row["object_name"], row["correlation_id"]) == ("Guide", "abcdef-1234567")
    assert world.admin.get("/admin/audit/?actor=nobody").json()["count"] == 0
    assert world.admin.get(f"/admin/audit/?object_id={answer.json()['id']}").json()["count"] == 1


def test_gateways_that_reported_are_listed(world: World) -> None:
    assert world.admin.get("/admin/gateways/").json()["results"] == []
