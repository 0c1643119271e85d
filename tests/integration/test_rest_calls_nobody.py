"""No request calls a key manager for a registration: it writes a wish, and the worker carries it out."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver
from rest_framework.test import APIClient

from keymanager.models import Registration
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import Caller, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def _routes(patterns: Any, prefix: str = "") -> Iterator[str]:
    """Every address of the portal, as a template."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _filled(route: str, values: dict[str, str]) -> str:
    """The address with known values for its parameters."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found.group(1), values["pk"]), route)
    return "/" + path.replace("^", "").replace("\\Z", "").replace("$", "").lstrip("/")


def _signed_in(caller: Caller) -> APIClient:
    client = APIClient()
    client.force_login(caller.user)
    return client


def _read(client: APIClient, caller: Caller, path: str) -> bool:
    """Whether the person sees something there, signed in and with the API token."""
    answer = client.get(path, HTTP_AUTHORIZATION=f"Bearer {caller.token}" if path.startswith("/api/") else "")
    return bool(answer.status_code == 200)


# Tokens and what a caller does with them are the key manager's by nature; the resident server is a key manager itself.
_FOR_TOKENS = ("resident/", "token", "tokeninfo", "authorize", "revoke", "introspect", "static/")


def test_no_address_of_the_portal_calls_the_key_manager_to_be_read(world: World) -> None:
    with RfcServer() as server:
        config: dict[str, Any] = {
            "issuer": server.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
        }
        world.add_key_manager("fake", config=config)
        made = world.make_application("Guide", {"key_manager": "fake"})
        world.work()
        api = world.make_published(key_managers=["fake"])
        ids = {
            "slug": "fake", "application_id": made["id"], "credential_id": made["credentials"][0]["id"],
            "api_id": api["id"],
        }  # fmt: skip
        people = [(_signed_in(caller), caller) for caller in (world.admin, world.developer, world.publisher)]
        before, read = len(server.requests), 0
        for route in _routes(get_resolver().url_patterns):
            if route.lstrip("^").startswith(_FOR_TOKENS):
                continue
            keys = (made["id"], api["id"], made["credentials"][0]["id"], "fake")
            for path in sorted({_filled(route, {**ids, "pk": key, "id": key}) for key in keys}):
                read += sum(_read(client, caller, path) for client, caller in people)
        assert read > 30
        assert all(_read(client, caller, "/apps/") for client, caller in people), "somebody was signed out on the way"
        assert len(server.requests) == before


def test_no_request_about_registrations_reaches_the_key_manager(world: World) -> None:
    with RfcServer() as server:
        config: dict[str, Any] = {
            "issuer": server.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
        }
        world.add_key_manager("fake", config=config)
        made = world.make_application("Guide", {"key_manager": "fake"})
        world.work()
        before = len(server.requests)
        assert before > 0
        api = world.make_published(key_managers=["fake"])
        world.publisher.patch(f"/publisher/apis/{api['id']}/", {"key_managers": "all"})
        path = f"/store/credentials/{made['credentials'][0]['id']}/"
        application = f"/store/applications/{made['id']}/"
        wishes = [
            world.developer.patch(application, {"name": "Companion"}),
            world.developer.patch(path, {"redirect_uris": ["https://a.example/b"]}),
            world.developer.post(f"{application}credentials/", {"key_manager": "fake", "environment": "sandbox"}),
            world.developer.get(path),
            world.developer.delete(path),
            world.developer.delete(application),
            world.admin.get("/admin/registrations/"),
            world.admin.patch("/admin/key-managers/fake/", {"description": "New"}),
            world.admin.post("/admin/key-managers/fake/check/"),
        ]
        assert {answer.status_code for answer in wishes} <= {200, 202}
        assert Registration.objects.filter(key_manager__slug="fake", kind="client", wish="absent").count() == 2
        assert len(server.requests) == before
