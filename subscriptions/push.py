"""Pushing "there is something new in the change feed" to whoever follows it.

The message carries nothing but that: followers read the rows. A lost message costs no more than one poll.
"""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import connection, transaction

CHANNEL = "archway_changes"
logger = logging.getLogger(__name__)


@cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.ARCHWAY_REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def announce_change() -> None:
    """Push after commit: by Redis when it is configured, else by PostgreSQL ``NOTIFY``, else not at all (poll)."""
    if settings.ARCHWAY_REDIS_URL:
        transaction.on_commit(_publish, robust=True)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


def _publish() -> None:
    try:
        _redis().publish(CHANNEL, b"1")
    except redis.RedisError as exc:
        logger.warning("The change feed could not be pushed, followers will poll: %s", exc)
