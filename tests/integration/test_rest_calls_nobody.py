"""No request calls a key manager for a registration: it writes a wish, and the worker carries it out."""

from collections.abc import Iterator
from typing import Any

import pytest

from keymanager.models import Registration
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


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
