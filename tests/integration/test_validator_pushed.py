"""Being woken by real Redis and real PostgreSQL, and sharing plan counters through Redis."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.db import connection

from keymanager.validation.feed_tables import PostgresWake, RedisWake, Wake
from keymanager.validation.limits import SharedCounts, WindowLimits
from subscriptions.push import CHANNEL
from tests.servers import redis as redis_server
from tests.servers.redis import RedisServer
from tests.unit.validation_kit import plan

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server.start() as started:
        yield started


class Listening:
    """A wake that listens in its thread and counts."""

    def __init__(self, wake: Wake) -> None:
        self.pokes = 0
        self.poked = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=wake.listen, args=(self.poke, self.stop), daemon=True)
        self.thread.start()

    def poke(self) -> None:
        self.pokes += 1
        self.poked.set()

    def wait(self) -> float:
        """Seconds until the next poke."""
        began = time.monotonic()
        assert self.poked.wait(5)
        self.poked.clear()
        return time.monotonic() - began

    def end(self) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


def woken(listening: Listening, say: Callable[[], object]) -> float:
    """After the first poke (on subscription), how long one message takes."""
    listening.wait()
    say()
    return listening.wait()


def test_a_message_on_redis_wakes_the_follower(server: RedisServer) -> None:
    client = redis.Redis.from_url(server.url)
    listening = Listening(RedisWake(server.url))
    assert woken(listening, lambda: client.publish(CHANNEL, b"1")) < 1.0
    listening.end()
    client.close()


def test_a_follower_that_lost_redis_is_poked_when_it_is_back() -> None:
    with redis_server.start() as first:
        port = first.port
        listening = Listening(RedisWake(first.url))
        listening.wait()
    with redis_server.start(port=port):
        assert listening.wait() < 5
        listening.end()


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs ARCHWAY_DATABASE_URL of a PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_a_notification_of_postgresql_wakes_the_follower() -> None:
    listening = Listening(PostgresWake())

    def say() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")

    assert woken(listening, say) < 1.0
    listening.end()


def test_two_processes_that_share_redis_keep_one_limit(server: RedisServer) -> None:
    client = redis.Redis.from_url(server.url)
    here, there = WindowLimits(), WindowLimits()
    now = time.time()
    shared = [SharedCounts(here, client), SharedCounts(there, client)]
    assert [limits.take(7, plan(10, 3600), now) for limits in [here, there] * 5] == [0] * 10
    for share in shared * 2:
        share.sync()
    assert here.take(7, plan(10, 3600), now) > 0
    assert there.take(7, plan(10, 3600), now) > 0
    client.close()


def test_without_redis_each_process_goes_on_counting_alone() -> None:
    limits = WindowLimits()
    limits.take(7, plan(10, 3600), 0.0)
    client = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    SharedCounts(limits, client).sync()
    assert limits.take(7, plan(10, 3600), 0.0) == 0
    client.close()
