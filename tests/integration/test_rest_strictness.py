"""REST ignores nothing that it is told: what it does not know it refuses by name."""

from collections.abc import Iterator

import pytest

from tests.integration.rest_kit import World, fields_of, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_members_that_a_body_does_not_have_are_named_at_any_depth_and_nothing_is_made(world: World) -> None:
    body = {
        "name": "Museum guide",
        "colour": "red",
        "credentials": [{"key_manager": "resident", "scope": "museum:read"}],
    }
    answer = world.developer.post("/store/applications/", body)
    assert answer.status_code == 400
    assert set(fields_of(answer)) == {"colour", "credentials[0].scope"}
    assert world.developer.get("/store/applications/").json()["count"] == 0


@pytest.mark.parametrize(
    "path", ["/publisher/apis/", "/store/applications/", "/store/subscriptions/", "/store/apis/", "/publisher/plans/"]
)
def test_a_filter_that_a_list_does_not_have_is_named(world: World, path: str) -> None:
    caller = world.publisher if path.startswith("/publisher") else world.developer
    answer = caller.get(f"{path}?nmae=museum")
    assert (answer.status_code, set(fields_of(answer))) == (400, {"nmae"})
    assert caller.get(f"{path}?page=1&page_size=5").status_code == 200


def test_a_call_whose_address_says_all_takes_no_body(world: World) -> None:
    client = world.make_client()
    path = f"/store/credentials/{client['id']}"
    for call in ("rotate-secret", "drop-old-secret", "retry", "reveal-secret"):
        answer = world.developer.post(f"{path}/{call}/", {"keep_old": True})
        assert (answer.status_code, set(fields_of(answer))) == (400, {"keep_old"})
        assert world.developer.call("POST", f"{path}/{call}/", ["x"]).status_code == 400
    assert world.developer.get(f"{path}/").json()["revision"] == client["revision"]
    assert world.developer.post(f"{path}/reveal-secret/").status_code == 200
    assert world.developer.call("POST", f"{path}/reveal-secret/").status_code == 200
