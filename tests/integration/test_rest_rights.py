"""Who may call what: every REST address of the URL configuration, tried as nobody, as a stranger and by role.

A new address fails here until the table below says who may use it.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from accounts.teams import create_team
from keymanager.models import RefusedCall, Registration
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db
ANYONE, MEMBER = "anyone", "member"
ADMIN, API_DEV, PUB, APP_DEV = Role.ADMINISTRATOR, Role.API_DEVELOPER, Role.PUBLISHER, Role.APP_DEVELOPER

# Address: method -> who may call it. Where the address names a row, ``MEMBER`` and a role mean: of the row's team.
RIGHTS: dict[str, dict[str, str]] = {
    "publisher/apis/": {"GET": MEMBER, "POST": API_DEV},
    "publisher/apis/<uuid:pk>/": {"GET": MEMBER, "PATCH": API_DEV, "DELETE": API_DEV},
    "publisher/apis/<uuid:pk>/definition/": {"GET": MEMBER, "PUT": API_DEV},
    "publisher/apis/<uuid:pk>/lifecycle/": {"POST": PUB},
    "publisher/apis/<uuid:pk>/registrations/": {"GET": MEMBER},
    "publisher/apis/<uuid:pk>/registrations/<uuid:registration>/": {"GET": MEMBER},
    "publisher/apis/<uuid:pk>/registrations/<uuid:registration>/retry/": {"POST": API_DEV},
    "publisher/apis/<uuid:pk>/subscriptions/": {"GET": MEMBER},
    "publisher/subscriptions/<uuid:pk>/block/": {"POST": PUB},
    "publisher/subscriptions/<uuid:pk>/unblock/": {"POST": PUB},
    "publisher/plans/": {"GET": MEMBER},
    "store/apis/": {"GET": ANYONE},
    "store/apis/<uuid:pk>/": {"GET": ANYONE},
    "store/apis/<uuid:pk>/definition/": {"GET": ANYONE},
    "store/applications/": {"GET": MEMBER, "POST": APP_DEV},
    "store/applications/<uuid:pk>/": {"GET": MEMBER, "PATCH": APP_DEV, "DELETE": APP_DEV},
    "store/applications/<uuid:pk>/credentials/": {"POST": APP_DEV},
    "store/credentials/<uuid:pk>/": {"GET": MEMBER, "PATCH": APP_DEV, "DELETE": APP_DEV},
    "store/credentials/<uuid:pk>/rotate-secret/": {"POST": APP_DEV},
    "store/credentials/<uuid:pk>/drop-old-secret/": {"POST": APP_DEV},
    "store/credentials/<uuid:pk>/retry/": {"POST": APP_DEV},
    "store/credentials/<uuid:pk>/reveal-secret/": {"POST": APP_DEV},
    "store/credentials/<uuid:pk>/token/": {"POST": APP_DEV},
    "store/subscriptions/": {"GET": MEMBER, "POST": APP_DEV},
    "store/subscriptions/<uuid:pk>/": {"GET": MEMBER, "PATCH": APP_DEV, "DELETE": APP_DEV},
    "store/verdicts/<slug:reference>/": {"GET": MEMBER},
    "admin/key-managers/": {"GET": ADMIN, "POST": ADMIN},
    "admin/key-managers/discover/": {"POST": ADMIN},
    "admin/key-managers/<slug:slug>/": {"GET": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN},
    "admin/key-managers/<slug:slug>/check/": {"GET": ADMIN, "POST": ADMIN},
    "admin/key-managers/<slug:slug>/used-by/": {"GET": ADMIN},
    "admin/plans/": {"GET": ADMIN, "POST": ADMIN},
    "admin/plans/<slug:slug>/": {"GET": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN},
    "admin/registrations/": {"GET": ADMIN},
    "admin/registrations/<uuid:pk>/": {"GET": ADMIN},
    "admin/registrations/<uuid:pk>/retry/": {"POST": ADMIN},
    "admin/people/": {"GET": ADMIN},
    "admin/people/<int:pk>/": {"GET": ADMIN, "PATCH": ADMIN},
    "admin/teams/": {"GET": ADMIN, "POST": ADMIN},
    "admin/teams/<uuid:pk>/": {"GET": ADMIN, "PATCH": ADMIN},
    "admin/teams/<uuid:pk>/members/": {"POST": ADMIN},
    "admin/teams/<uuid:pk>/members/<int:member>/": {"DELETE": ADMIN},
    "admin/audit/": {"GET": ADMIN},
    "admin/gateways/": {"GET": ADMIN},
}
PAGES_FOR_ANYONE = {"schema/", "docs/"}
CALLS = [(route, method, who) for route, methods in RIGHTS.items() for method, who in methods.items()]
OWNED = [call for call in CALLS if "<" in call[0] and call[2] in {MEMBER, API_DEV, PUB, APP_DEV}]


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every address below ``/api/v1/`` with its view."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/v1/"):
            yield route.removeprefix("api/v1/"), pattern.callback


def test_every_address_and_method_is_in_the_table() -> None:
    found = dict(routes(get_resolver().url_patterns))
    assert found.keys() - PAGES_FOR_ANYONE == RIGHTS.keys()
    for route, methods in RIGHTS.items():
        view = found[route].cls
        offered = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert offered == methods.keys(), route


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def path_of(route: str, ids: dict[str, str]) -> str:
    """The address of a row of the world; ``ids`` says which by the part before it."""
    path = route
    for part, value in ids.items():
        head, tail = part.split("|")
        if route.startswith(head + tail):
            path = path.replace(tail, value, 1)
    assert "<" not in path, route
    return f"/{path}"


def rows_of(world: World) -> dict[str, str]:
    """One row for each kind of address."""
    api = world.make_published()
    client = world.make_client()
    subscription = world.subscribe({"id": client["application"]}, api)
    RefusedCall.objects.create(
        reference="v-abc",
        at=timezone.now(),
        method="GET",
        path="/museum/1.0.0/hours",
        status=403,
        code="not_subscribed",
        steps=[],
        application_id=client["application"],
    )
    registration = Registration.objects.get(credential=client["id"])
    resource = Registration.objects.get(subject=api["id"])
    team = create_team(name="Shared", members=[world.developer.user])
    return {
        "publisher/apis/|<uuid:pk>": api["id"],
        "publisher/apis/<uuid:pk>/registrations/|<uuid:registration>": str(resource.pk),
        "publisher/subscriptions/|<uuid:pk>": subscription["id"],
        "store/apis/|<uuid:pk>": api["id"],
        "store/applications/|<uuid:pk>": client["application"],
        "store/credentials/|<uuid:pk>": client["id"],
        "store/subscriptions/|<uuid:pk>": subscription["id"],
        "store/verdicts/|<slug:reference>": "v-abc",
        "admin/key-managers/|<slug:slug>": "resident",
        "admin/people/|<int:pk>": str(world.developer.user.pk),
        "admin/plans/|<slug:slug>": "gold",
        "admin/teams/|<uuid:pk>": str(team.pk),
        "admin/teams/<uuid:pk>/members/|<int:member>": str(world.developer.user.pk),
        "admin/registrations/|<uuid:pk>": str(registration.pk),
    }


def unknown(ids: dict[str, str]) -> dict[str, str]:
    """The same addresses of rows that do not exist."""
    nothing = {"uuid": str(uuid.UUID(int=1)), "int": "1000000000", "slug": "nothing-here"}
    return {part: nothing[part.partition("|<")[2].partition(":")[0]] for part in ids}


def test_nobody_gets_a_challenge_wherever_signing_in_is_needed(world: World) -> None:
    ids = rows_of(world)
    for route, method, who in CALLS:
        path = f"/api/v1{path_of(route, ids)}"
        answer = APIClient().generic(method, path, "{}", content_type="application/json")
        assert answer.status_code == (200 if who == ANYONE else 401), (method, route)
        if who != ANYONE:
            assert answer["WWW-Authenticate"] == 'Bearer realm="archway"', (method, route)
            assert answer["Content-Type"] == "application/problem+json", (method, route)


def test_a_stranger_with_every_role_but_administrator_cannot_tell_a_foreign_row_from_no_row(world: World) -> None:
    ids = rows_of(world)
    stranger = make_caller("stranger", API_DEV, PUB, APP_DEV)
    for route, method, _ in OWNED:
        theirs = stranger.call(method, path_of(route, ids), {})
        nothing = stranger.call(method, path_of(route, unknown(ids)), {})
        assert theirs.status_code == nothing.status_code == 404, (method, route, theirs.status_code)
        assert {**theirs.json(), "reference": ""} == {**nothing.json(), "reference": ""}, (method, route)


def test_an_administrator_does_not_reach_into_teams_either(world: World) -> None:
    ids = rows_of(world)
    for route, method, _ in OWNED:
        # Verdicts are the one thing of a team that administrators may read.
        expected = 200 if "verdicts" in route else 404
        assert world.admin.call(method, path_of(route, ids), {}).status_code == expected, (method, route)


@pytest.mark.parametrize("role", [None, API_DEV, PUB, APP_DEV])
def test_a_member_without_the_role_is_refused_before_body_and_row_are_looked_at(
    world: World, role: Role | None
) -> None:
    ids = rows_of(world)
    world.publisher.user.role_grants.all().delete()
    world.developer.user.role_grants.all().delete()
    for caller in (world.publisher, world.developer):
        if role is not None:
            caller.user.role_grants.create(role=role)
    for route, method, who in CALLS:
        if who in {ANYONE, MEMBER, role}:
            continue
        caller = world.publisher if route.startswith("publisher/") else world.developer
        for rows in (ids, unknown(ids)):
            answer = caller.call(method, path_of(route, rows), {})
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (method, route)
            assert answer.json()["detail"].startswith("This needs the role "), (method, route)


def test_a_member_with_the_role_gets_through(world: World) -> None:
    ids = rows_of(world)
    for route, method, who in CALLS:
        if method == "DELETE":
            continue
        caller = world.publisher if route.startswith("publisher/") else world.developer
        if who == ADMIN:
            caller = world.admin
        answer = caller.call(method, path_of(route, ids), {})
        assert answer.status_code not in {401, 403, 404, 500} or route.endswith("/check/"), (
            method,
            route,
            answer.content,
        )
