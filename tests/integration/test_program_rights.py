"""Who gets an answer at the addresses that programs ask: OAuth endpoints, the resident key manager, health.

Generated from the URL configuration like the tests of pages and of the REST API: a new address fails here until the
table says how its callers prove who they are.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Role
from tests.every_page import FOR_PROGRAMS
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db
METHODS: Final = ("GET", "POST", "PUT", "DELETE")
EVERYBODY: Final = {"GET": 200}
# A person is sent there with a client's name; without one there is nowhere to go.
BROWSERS: Final = {"GET": 400}
CLIENT: Final = {"POST": 401}

# Address: method -> what somebody without a right gets; a method that is not named does not exist there (405).
PROGRAMS: Final[dict[str, Mapping[str, int]]] = {
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    ".well-known/oauth-authorization-server": EVERYBODY,
    ".well-known/oauth-authorization-server/resident": EVERYBODY,
    ".well-known/jwks.json": EVERYBODY,
    "token": CLIENT,
    "token/<slug:key_manager_slug>": CLIENT,
    "revoke": CLIENT,
    "revoke/<slug:key_manager_slug>": CLIENT,
    "introspect": CLIENT,
    "introspect/<slug:key_manager_slug>": CLIENT,
    "tokeninfo": {"GET": 401, "POST": 401},
    "tokeninfo/<slug:key_manager_slug>": {"GET": 401, "POST": 401},
    "authorize": BROWSERS,
    "authorize/<slug:key_manager_slug>": BROWSERS,
    "register": CLIENT,
    "register/<path:client_id>": {"GET": 401, "PUT": 401, "DELETE": 401},
    "resident/.well-known/openid-configuration": EVERYBODY,
    "resident/jwks": EVERYBODY,
    "resident/authorize": {"GET": 400, "POST": 400},
    "resident/token": CLIENT,
    "resident/introspect": CLIENT,
    "resident/revoke": CLIENT,
    "resident/userinfo": {"GET": 401, "POST": 401},
    "resident/register": CLIENT,
    "resident/register/<str:client_id>": {"GET": 401, "PUT": 401, "DELETE": 401},
    "resident/manage/clients": {"GET": 401},
    "resident/manage/clients/<str:client_id>": {"GET": 401, "DELETE": 401},
    "resident/manage/clients/<str:client_id>/rotate-secret": CLIENT,
    "resident/manage/clients/<str:client_id>/recover": CLIENT,
    "resident/manage/clients/<str:client_id>/revoke-tokens": CLIENT,
    "resident/manage/clients/<str:client_id>/suspend": CLIENT,
    "resident/manage/clients/<str:client_id>/resume": CLIENT,
    "resident/manage/scopes": {"GET": 401},
    "resident/manage/scopes/<path:key>": {"PUT": 401, "DELETE": 401},
    "resident/manage/resources": {"GET": 401},
    "resident/manage/resources/<path:identifier>": {"GET": 401, "PUT": 401, "DELETE": 401},
}
# A portal's API token is a right at these: to ask about its own tokens, and to make a client for an application.
TAKES_API_TOKENS: Final = ("introspect", "tokeninfo", "register")


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every address for programs besides the REST API, which has a table of its own."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.split("/")[0] in FOR_PROGRAMS - {"api"}:
            yield route


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def basic(client_id: str, secret: str) -> str:
    """The header of RFC 6749 section 2.3.1 for values that need no encoding."""
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def answers(world: World, browser: Client, authorization: str = "") -> dict[str, dict[str, int]]:
    """The status of each method at each address; client and scope of the address are another team's and exist."""
    client_id = world.make_client()["client_id"]
    headers = {"Authorization": authorization} if authorization else {}
    found = {}
    for route in PROGRAMS:
        path = "/" + route
        for part, value in (
            ("<slug:key_manager_slug>", "resident"), ("<path:client_id>", client_id), ("<str:client_id>", client_id),
            ("<path:key>", "tickets:buy"), ("<path:identifier>", "urn:museum"),
        ):  # fmt: skip
            path = path.replace(part, value)
        found[route] = {
            method: browser.generic(
                method,
                path,
                "token=x&grant_type=client_credentials" if method == "POST" else "",
                content_type="application/x-www-form-urlencoded",
                headers=headers,
            ).status_code
            for method in METHODS
        }
    return found


def promised() -> dict[str, dict[str, int]]:
    """What the table says for each method."""
    return {route: {method: given.get(method, 405) for method in METHODS} for route, given in PROGRAMS.items()}


def test_every_address_for_programs_is_in_the_table() -> None:
    assert set(routes(get_resolver().url_patterns)) == PROGRAMS.keys()


def test_nobody_gets_nothing(world: World) -> None:
    assert answers(world, Client()) == promised()


def test_a_session_in_the_portal_is_no_right_there_whatever_the_roles(world: World) -> None:
    browser = Client()
    browser.force_login(make_caller("all-roles", *Role).user)
    assert answers(world, browser) == promised()


def test_an_unknown_client_gets_what_nobody_gets(world: World) -> None:
    assert answers(world, Client(), basic("nobody", "secret")) == promised()


def test_an_api_token_of_another_team_opens_only_what_is_for_api_tokens(world: World) -> None:
    stranger = make_caller("stranger", *Role)
    given = answers(world, Client(), f"Bearer {stranger.token}")
    for_them = {route for route in PROGRAMS if route.split("/")[0] in TAKES_API_TOKENS}
    assert {route: given[route] for route in given if route not in for_them} == {
        route: expected for route, expected in promised().items() if route not in for_them
    }
    assert given["introspect"]["POST"] == 403
    assert given["register"]["POST"] == 400
    # A client of another team's: its own registration token opens it, no API token does.
    assert given["register/<path:client_id>"] == promised()["register/<path:client_id>"]


def test_another_clients_credentials_open_nothing_of_a_client(world: World) -> None:
    other = world.make_client("Other")
    secret = world.developer.post(f"/store/credentials/{other['id']}/reveal-secret/").json()["client_secret"]
    given = answers(world, Client(), basic(other["client_id"], secret))
    for route, expected in promised().items():
        if "client_id>" in route or "manage/" in route:
            assert given[route] == expected, route
