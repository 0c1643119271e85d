"""Redis is broker and push channel in production: without it work is later, never lost, and refusals still arrive."""

from pathlib import Path

import pytest

from tests.e2e.installed import Installation
from tests.servers import redis

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
PATH = "/redis/1.0.0/books"


def test_without_redis_creates_succeed_blocks_take_effect_and_registrations_are_completed_when_it_is_back(
    tmp_path: Path,
    new_portal_database: Path,
) -> None:
    broker = redis.start(home=tmp_path / "redis")
    installation = Installation(tmp_path / "home", database=new_portal_database, ARCHWAY_REDIS_URL=broker.url)
    try:
        installation.start()
        operations = [{"method": "GET", "path": "/books", "scopes": ["books:read"]}]
        api = installation.publish("/redis", operations=operations)
        client = installation.create_client("with redis")
        subscription = installation.subscribe(client, api)
        token = installation.token(client)
        installation.await_status(200, PATH, token)

        broker.stop()
        credential = str(installation.request_client("without redis")["credentials"][0]["id"])
        assert installation.state_of(credential) == "requested"
        installation.publisher.post(f"/subscriptions/{subscription}/block/", {"scope": "all"}, 200)
        installation.await_status(403, PATH, token)

        broker = redis.start(port=broker.port, home=tmp_path / "redis")
        installation.await_active(credential, 60)
        assert installation.child("worker").exit_code() is None
    finally:
        installation.stop()
        broker.stop()
