"""Plan limits: calls per subscription in fixed windows of the plan's length, aligned to the epoch.

Exact within one process. With Redis, processes add their counts every ``SYNC_SECONDS``: until then each one sees the
others' calls late, so together they may let through at most the calls that arrived elsewhere within that time. Without
Redis each process counts alone, and a restart forgets.
"""

import logging
import math
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import redis

from keymanager.validation.facts import Id, PlanFacts

logger = logging.getLogger(__name__)

SYNC_SECONDS: Final = 0.1


class Counter:
    """One subscription's count in its present window. ``elsewhere``: calls that other processes let through."""

    __slots__ = ("elsewhere", "here", "per_seconds", "pushed", "window")

    def __init__(self, window: int, per_seconds: int) -> None:
        self.window = window
        self.per_seconds = per_seconds
        self.here = 0
        self.pushed = 0
        self.elsewhere = 0


class Limits(Protocol):
    """What the plan step asks."""

    def take(self, subscription_id: Id, plan: PlanFacts, now: float) -> int:
        """Count one call: 0 when it is within the plan, else nothing is counted and the seconds to wait."""
        ...


class NothingCounted:
    """For explanations: asking about a call does not use up the plan."""

    def take(self, subscription_id: Id, plan: PlanFacts, now: float) -> int:
        """See ``Limits``."""
        return 0


class WindowLimits:
    """Counts in memory. A changed plan counts at once: a new limit against the present count, a new length anew."""

    def __init__(self) -> None:
        self.counters: dict[Id, Counter] = {}

    def take(self, subscription_id: Id, plan: PlanFacts, now: float) -> int:
        """See ``Limits``."""
        length = plan.per_seconds
        if not length:
            return 0
        window = int(now // length)
        counter = self.counters.get(subscription_id)
        if counter is None or counter.window != window or counter.per_seconds != length:
            counter = self.counters[subscription_id] = Counter(window, length)
        if counter.here + counter.elsewhere >= plan.requests:
            return max(1, math.ceil((window + 1) * length - now))
        counter.here += 1
        return 0

    def forget_past(self, now: float) -> None:
        """Drop the counters of windows that are over."""
        for subscription_id, counter in list(self.counters.items()):
            if (counter.window + 1) * counter.per_seconds <= now and self.counters.get(subscription_id) is counter:
                del self.counters[subscription_id]


class SharedCounts:
    """Adds the counts of several processes in Redis, in the background: a call never waits for it."""

    def __init__(self, limits: WindowLimits, client: Any) -> None:
        self._limits = limits
        self._redis = client
        self._failing = False

    def sync(self) -> None:
        """Push what was counted here since the last time, and learn the total. A Redis outage is logged once."""
        counters = [(key, counter, counter.here) for key, counter in list(self._limits.counters.items())]
        if not counters:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for key, counter, here in counters:
                    name = f"archway:limit:{key:032x}:{counter.per_seconds}:{counter.window}"
                    pipeline.incrby(name, here - counter.pushed)
                    pipeline.expire(name, counter.per_seconds + 60)
                totals = pipeline.execute()[::2]
        except redis.RedisError as exc:
            self._report(exc)
            return
        self._failing = False
        for (_, counter, here), total in zip(counters, totals, strict=True):
            counter.pushed = here
            counter.elsewhere = max(0, int(total) - here)

    def _report(self, exc: Exception) -> None:
        if not self._failing:
            logger.warning("Plan counters are not shared for now, each validator counts alone: %s", exc)
        self._failing = True

    def run(self, stop: threading.Event, now: Callable[[], float]) -> None:
        """Sync until ``stop`` is set. ``now``: epoch seconds."""
        while not stop.wait(SYNC_SECONDS):
            self.sync()
            self._limits.forget_past(now())
