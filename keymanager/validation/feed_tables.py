"""The change feed's table, and being woken when something is written to it."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from keymanager.validation.feed import Change
from subscriptions.models import ChangeEvent
from subscriptions.push import CHANNEL

logger = logging.getLogger(__name__)

_LISTEN_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0


class ChangeTable:
    """``ChangeSource`` on the database."""

    def newest_ids(self, limit: int) -> list[int]:
        """See ``ChangeSource``."""
        return list(ChangeEvent.objects.order_by("-id").values_list("id", flat=True)[:limit])

    def after(self, number: int, limit: int) -> list[Change]:
        """See ``ChangeSource``."""
        return _changes(ChangeEvent.objects.filter(id__gt=number).order_by("id")[:limit])

    def among(self, numbers: Sequence[int]) -> list[Change]:
        """See ``ChangeSource``."""
        return _changes(ChangeEvent.objects.filter(id__in=numbers))


def _changes(rows: QuerySet[ChangeEvent]) -> list[Change]:
    values = rows.values_list("id", "kind", "object_id")
    return [Change(id=pk, kind=kind, object_id=object_id) for pk, kind, object_id in values]


class Wake(Protocol):
    """Calls ``poke`` whenever the feed may have grown, until ``stop`` is set. Losing a message costs one poll."""

    def listen(self, poke: Callable[[], None], stop: threading.Event) -> None:
        """Run in a thread of its own."""
        ...


class RedisWake:
    """Redis pub/sub, the channel of ``subscriptions.push``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def listen(self, poke: Callable[[], None], stop: threading.Event) -> None:
        """See ``Wake``. Pokes after every (re)subscription, for what was said meanwhile."""
        while not stop.is_set():
            client: Any = redis.Redis.from_url(self._url, socket_connect_timeout=2)
            try:
                with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    pubsub.subscribe(CHANNEL)
                    poke()
                    while not stop.is_set():
                        if pubsub.get_message(timeout=_LISTEN_SECONDS) is not None:
                            poke()
            except redis.RedisError as exc:
                logger.warning("Pushed changes are not heard for now, the feed is polled: %s", exc)
                stop.wait(_RETRY_SECONDS)
            finally:
                client.close()


class PostgresWake:
    """PostgreSQL LISTEN, on this thread's own connection."""

    def listen(self, poke: Callable[[], None], stop: threading.Event) -> None:
        """See ``Wake``."""
        while not stop.is_set():
            try:
                connection.ensure_connection()
                raw: psycopg.Connection = connection.connection
                raw.execute(f"LISTEN {CHANNEL}")
                poke()
                while not stop.is_set():
                    for _ in raw.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                        poke()
            except (DatabaseError, psycopg.Error) as exc:
                logger.warning("Notifications are not heard for now, the feed is polled: %s", exc)
                stop.wait(_RETRY_SECONDS)
            finally:
                connection.close()


class NoWake:
    """Polling alone: SQLite without Redis."""

    def listen(self, poke: Callable[[], None], stop: threading.Event) -> None:
        """See ``Wake``."""
        stop.wait()


def wake_of_settings() -> Wake:
    """Redis when it is configured, else PostgreSQL, else polling, as ``subscriptions.push`` chooses."""
    if settings.ARCHWAY_REDIS_URL:
        return RedisWake(settings.ARCHWAY_REDIS_URL)
    return PostgresWake() if connection.vendor == "postgresql" else NoWake()
