"""A list costs as many queries with twelve rows as with one."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.models import GatewayReport
from keymanager.models import Credential, KeyManager, Registration
from subscriptions.models import Plan
from tests.integration.rest_kit import MUSEUM, Caller, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def add_application(world: World, number: int) -> None:
    for_both = [{"key_manager": "resident"}, {"key_manager": "resident", "environment": "sandbox"}]
    world.make_application(f"Application {number}", *for_both)


def add_api(world: World, number: int) -> None:
    world.make_published(name=f"Api {number}", context=f"/api{number}", key_managers=["resident"])


def add_subscription(world: World, number: int) -> None:
    add_api(world, number)
    api = world.publisher.get(f"/publisher/apis/?q=/api{number}").json()["results"][0]
    world.subscribe(world.make_application(f"Application {number}"), api)


def add_subscriber(world: World, number: int) -> None:
    if number == 0:
        world.make_published()
    api = world.publisher.get("/publisher/apis/").json()["results"][0]
    world.subscribe(world.make_application(f"Application {number}"), api)


def add_scopes(world: World, number: int) -> None:
    """Registrations of one API: one more scope each time."""
    path = {**MUSEUM["paths"]["/tickets"]["post"], "security": [{"oauth": [f"scope:{n}" for n in range(number + 1)]}]}
    flow = {"tokenUrl": "https://login.example/token", "scopes": {f"scope:{n}": "" for n in range(number + 1)}}
    schemes = {"oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}}}
    document = {**MUSEUM, "paths": {"/tickets": {"post": path}}, "components": {"securitySchemes": schemes}}
    if number == 0:
        world.make_api(definition=document)
        return
    api = world.publisher.get("/publisher/apis/").json()["results"][0]
    answer = world.publisher.put(f"/publisher/apis/{api['id']}/definition/", {"definition": document})
    assert answer.status_code == 200, answer.json()


def add_plan(_: World, number: int) -> None:
    Plan.objects.create(slug=f"plan-{number}", name=f"Plan {number}")


def add_key_manager(world: World, number: int) -> None:
    world.add_key_manager(f"idp-{number}")


def add_gateway(_: World, number: int) -> None:
    GatewayReport.objects.create(name=f"gateway-{number}", version=1, apis=1)


LISTS: list[tuple[str, str, Callable[[World, int], None]]] = [
    ("publisher", "/publisher/apis/", add_api),
    ("publisher", "/publisher/apis/?q=api&tag=culture&state=published", add_api),
    ("publisher", "/publisher/apis/{api}/registrations/", add_scopes),
    ("publisher", "/publisher/apis/{api}/subscriptions/", add_subscriber),
    ("publisher", "/publisher/plans/", add_plan),
    ("developer", "/store/apis/", add_api),
    ("developer", "/store/apis/?q=api&tag=culture&key_manager=resident", add_api),
    ("developer", "/store/applications/", add_application),
    ("developer", "/store/subscriptions/", add_subscription),
    ("admin", "/admin/plans/", add_plan),
    ("admin", "/admin/key-managers/", add_key_manager),
    ("admin", "/admin/registrations/", add_application),
    ("admin", "/admin/audit/", add_application),
    ("admin", "/admin/gateways/", add_gateway),
]


@pytest.mark.parametrize(("who", "path", "add"), LISTS)
def test_a_list_costs_the_same_with_one_row_and_with_twelve(
    world: World, who: str, path: str, add: Callable[[World, int], None]
) -> None:
    caller: Caller = getattr(world, who)
    add(world, 0)
    if "{api}" in path:
        path = path.replace("{api}", world.publisher.get("/publisher/apis/").json()["results"][0]["id"])
    rows, queries = measure(caller, path)
    for number in range(1, 12):
        add(world, number)
    more_rows, more_queries = measure(caller, path)
    assert more_rows >= rows + 11
    assert more_queries == queries
    assert queries <= 12


def test_an_application_costs_the_same_however_many_credentials_it_has(world: World) -> None:
    made = world.make_application("Guide", {"key_manager": "resident"})
    path = f"/store/applications/{made['id']}/"
    with CaptureQueriesContext(connection) as few:
        world.developer.get(path)
    for number in range(11):
        world.add_key_manager(f"idp-{number}")
        world.developer.post(f"{path}credentials/", {"key_manager": f"idp-{number}"})
    with CaptureQueriesContext(connection) as many:
        assert len(world.developer.get(path).json()["credentials"]) == 12
    assert len(many) == len(few)
    assert (Credential.objects.count(), KeyManager.objects.count()) == (12, 12)
    assert Registration.objects.filter(kind="client").count() == 12


def measure(caller: Caller, path: str) -> tuple[int, int]:
    """How many rows the list has, and how many queries it costs."""
    with CaptureQueriesContext(connection) as queries:
        answer = caller.get(path)
    assert answer.status_code == 200, answer.content
    return int(answer.json()["count"]), len(queries)
