"""Credentials by REST: clients made elsewhere, their secrets, two secrets at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from keymanager.models import Credential
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
SECRET = "SECRET-of-hand-83c1"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def server() -> Iterator[RfcServer]:
    with RfcServer() as running:
        running.add_client("made-by-hand", SECRET, scope="museum:read")
        yield running


@pytest.fixture
def theirs(world: World, server: RfcServer) -> str:
    made = world.add_key_manager("theirs", adapter="external", config={"issuer": server.issuer})
    return str(made["slug"])


def mapped(world: World, key_manager: str, **changes: Any) -> Any:
    application = world.make_application()
    body = {"key_manager": key_manager, "client_id": "made-by-hand", "client_secret": SECRET, **changes}
    return world.developer.post(f"/store/applications/{application['id']}/credentials/", body)


def test_a_client_made_elsewhere_is_mapped_verified_and_shown(world: World, theirs: str) -> None:
    answer = mapped(world, theirs)
    assert answer.status_code == 202, answer.json()
    made = answer.json()
    assert (made["mapped"], made["mapped_client_id"], made["client_id"]) == (True, "made-by-hand", "")
    assert made["verification"] is None
    world.work()

    shown = world.developer.get(f"/store/credentials/{made['id']}/").json()
    assert (shown["state"], shown["client_id"]) == ("active", "made-by-hand")
    assert (shown["verification"]["exists"], shown["verification"]["secret_works"]) == (True, True)
    assert [attempt["operation"] for attempt in shown["trace"]] == ["verify"]
    assert SECRET not in answer.content.decode() + str(shown)


def test_a_refused_secret_is_explained_and_corrected_by_patch(world: World, theirs: str) -> None:
    made = mapped(world, theirs, client_secret="wrong").json()
    world.work()
    path = f"/store/credentials/{made['id']}/"
    shown = world.developer.get(path).json()
    assert (shown["state"], shown["last_error_code"]) == ("refused", "wrong_secret")

    answer = world.developer.patch(path, {"client_secret": SECRET})
    assert answer.status_code == 202, answer.json()
    world.work()
    assert world.developer.get(path).json()["state"] == "active"


def test_a_secret_needs_the_client_that_it_is_of(world: World, theirs: str) -> None:
    answer = mapped(world, theirs, client_id="")
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, ["client_secret"])
    assert not Credential.objects.exists()


def test_the_same_client_is_mapped_only_once(world: World, theirs: str) -> None:
    assert mapped(world, theirs).status_code == 202
    application = world.make_application("Another")
    body = {"key_manager": theirs, "client_id": "made-by-hand"}
    answer = world.developer.post(f"/store/applications/{application['id']}/credentials/", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (409, ["client_id"])


def test_the_resident_key_manager_proves_clients_too(world: World) -> None:
    made = mapped(world, "resident", client_id="nobody").json()
    world.work()
    shown = world.developer.get(f"/store/credentials/{made['id']}/").json()
    assert (shown["state"], shown["last_error_code"]) == ("refused", "client_not_found")
    assert shown["verification"]["exists"] is False


def test_a_key_manager_without_two_secrets_is_422_when_the_old_one_shall_end(world: World) -> None:
    client = world.make_client()
    assert (client["two_secrets"], client["old_secret_until"], client["warnings"]) == (False, None, [])
    assert client["client_secret_expires_at"] == 0
    answer = world.developer.post(f"/store/credentials/{client['id']}/drop-old-secret/")
    assert answer.status_code == 422, answer.json()
