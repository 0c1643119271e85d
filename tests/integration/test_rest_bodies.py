"""Bodies that JSON allows and nobody can store: refused with the field's name, never an error of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.integration.rest_kit import API, Caller, World, fields_of, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def send(caller: Caller, path: str, body: bytes, method: str = "POST") -> Any:
    """The answer to a body that is sent as it stands."""
    headers = {"Authorization": f"Bearer {caller.token}"}
    return APIClient().generic(
        method, f"{API}{path}", body.decode("ascii"), content_type="application/json", headers=headers
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": "\\ud800"}', "name"),
        (b'{"name": "a", "credentials": [{"key_manager": "resident", "environment": "\\udfff"}]}',
         "credentials[0].environment"),
        (b'{"name": "a", "credentials": [{"\\ud800": 1}]}', "credentials[0]"),
        (b'{"\\ud800": 1}', "body"),
        (b'["\\ud800"]', "[0]"),
        (b'"\\ud800"', "body"),
    ],
)  # fmt: skip
def test_a_lone_surrogate_is_refused_by_the_name_of_its_field(world: World, body: bytes, field: str) -> None:
    answer = send(world.developer, "/store/applications/", body)
    assert (answer.status_code, list(fields_of(answer))) == (400, [field])


def test_a_pair_of_surrogates_is_a_character(world: World) -> None:
    answer = send(world.developer, "/store/applications/", b'{"name": "Guide \\ud83d\\ude00"}')
    assert (answer.status_code, answer.json()["name"]) == (201, "Guide \U0001f600")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"name": "a", "credentials": [{"key_manager": "resident", "scopes": [], "scopes": ["x"]}]}', "scopes"),
        (b'{"": 1, "": 2}', "body"),
    ],
)
def test_a_member_that_is_there_twice_is_refused_by_its_name(world: World, body: bytes, field: str) -> None:
    answer = send(world.developer, "/store/applications/", body)
    assert (answer.status_code, list(fields_of(answer))) == (400, [field])
    assert world.developer.get("/store/applications/").json()["count"] == 0


@pytest.mark.parametrize("body", [b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000])
def test_a_body_nested_beyond_reading_is_refused(world: World, body: bytes) -> None:
    answer = send(world.developer, "/store/applications/", body)
    assert (answer.status_code, list(fields_of(answer))) == (400, ["body"])


@pytest.mark.parametrize("path", ["/schema/", "/store/apis/"])
def test_a_method_that_an_address_does_not_have_is_named(world: World, path: str) -> None:
    answer = send(world.developer, path, b"{}", method="PUT")
    answer.render()
    assert answer.status_code == 405
    assert answer.data["title"] == "Method Not Allowed"
    assert answer.data["detail"] == 'Method "PUT" not allowed.'
