"""One validator process: everything that runs in it, put together from the settings."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import redis
from django.conf import settings

from common.clock import SystemClock
from keymanager.adapters.contract import Clock
from keymanager.validation.backend_jwt import BackendJwts
from keymanager.validation.configured_adapters import ConfiguredAdapters
from keymanager.validation.decider import Decider
from keymanager.validation.feed import Change, ChangeReader
from keymanager.validation.feed_tables import ChangeTable, wake_of_settings
from keymanager.validation.follower import FeedActions, Follower
from keymanager.validation.limits import SYNC_SECONDS, SharedCounts, WindowLimits
from keymanager.validation.loader import load_snapshot
from keymanager.validation.refusal_log import RefusalLog
from keymanager.validation.reloading import reload_object
from keymanager.validation.resolver import AdapterSource, TokenResolver
from keymanager.validation.services import StepServices
from keymanager.validation.signing import SigningKeys
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.steps import load_steps
from keymanager.validation.token_cache import TokenCache
from keymanager.validation.token_sources import LiveTokens
from subscriptions.models import ChangeKind

# Look-ups wait for key managers, not for the processor.
_LOOKUP_THREADS: Final = 16
_HOUSEKEEPING_SECONDS: Final = 5.0


class Runtime:
    """Starts and stops a validator's parts. ``adapters`` and ``clock`` are given by tests."""

    def __init__(self, *, adapters: AdapterSource | None = None, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.executor = ThreadPoolExecutor(max_workers=_LOOKUP_THREADS, thread_name_prefix="token-lookup")
        self.resolver = TokenResolver(adapters or ConfiguredAdapters(), self.clock)
        self.cache = TokenCache(good_seconds=settings.ARCHWAY_TOKEN_CACHE_SECONDS)
        self.limits = WindowLimits()
        self.signing_keys = SigningKeys()
        self.refusals = RefusalLog()
        self.decider = Decider(load_steps(settings.ARCHWAY_VALIDATION_STEPS, self._services()))
        self.follower = Follower(
            reader=ChangeReader(ChangeTable(), monotonic=time.monotonic, window=settings.ARCHWAY_CHANGE_WINDOW_SECONDS),
            actions=FeedActions(load=load_snapshot, apply=self.apply, flush=self.flush),
            wake=wake_of_settings(),
            poll_seconds=settings.ARCHWAY_CHANGE_POLL_MILLISECONDS / 1000,
            stale_seconds=settings.ARCHWAY_VALIDATOR_STALE_SECONDS,
        )
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep_house, name="housekeeping", daemon=True)

    def _services(self) -> StepServices:
        return StepServices(
            clock=self.clock,
            tokens=LiveTokens(
                cache=self.cache,
                resolver=self.resolver,
                executor=self.executor,
                clock=self.clock,
                wait_seconds=settings.ARCHWAY_TOKEN_WAIT_SECONDS,
            ),
            limits=self.limits,
            backend_jwts=BackendJwts(
                keys=self.signing_keys, clock=self.clock, issuer=settings.ARCHWAY_PUBLIC_URL, executor=self.executor
            ),
        )

    def start(self) -> None:
        """Load and follow in the background; ``follower.fresh()`` says when calls can be allowed."""
        self.follower.start()
        self.refusals.start()
        self._keeper.start()

    def stop(self) -> None:
        """End every thread; refusals that are queued are written first."""
        self._stop.set()
        self.follower.stop()
        self.refusals.stop()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._keeper.join(timeout=5)

    def apply(self, snapshot: Snapshot, change: Change) -> None:
        """Bring one object up to date, then forget what was concluded from its old state."""
        reload_object(snapshot, change.kind, change.object_id)
        match change.kind:
            case ChangeKind.TOKEN:
                self.cache.forget(bytes.fromhex(change.object_id))
            case ChangeKind.KEY_MANAGER:
                key_manager_id = int(change.object_id.replace("-", ""), 16)
                self.resolver.forget(key_manager_id)
                self.cache.forget_key_manager(key_manager_id)
            case ChangeKind.PERSON:
                self.cache.forget_user(change.object_id)
            case ChangeKind.SIGNING_KEY:
                self.signing_keys.forget()
            case _:
                return

    def flush(self) -> None:
        """Forget every conclusion."""
        self.resolver.forget_all()
        self.cache.clear()
        self.signing_keys.forget()

    def _keep_house(self) -> None:
        share = self._sharing()
        shared_at = 0.0
        while not self._stop.wait(SYNC_SECONDS if share else _HOUSEKEEPING_SECONDS):
            if share:
                share()
            now = self.clock.now()
            if now - shared_at >= _HOUSEKEEPING_SECONDS:
                shared_at = now
                self.limits.forget_past(now)
                if self.follower.snapshot is not None:
                    self.follower.snapshot.forget_revoked(now=now)

    def _sharing(self) -> Callable[[], None] | None:
        if not settings.ARCHWAY_REDIS_URL:
            return None
        client = redis.Redis.from_url(settings.ARCHWAY_REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        return SharedCounts(self.limits, client).sync

    def statistics(self) -> dict[str, int]:
        """Counters for ``/statz``."""
        snapshot = self.follower.snapshot
        return {
            **(snapshot.sizes() if snapshot is not None else {}),
            **self.cache.sizes(),
            "plan_counters": len(self.limits.counters),
            "changes_applied": self.follower.applied,
            "full_loads": self.follower.loads,
            "refusals_stored": self.refusals.stored,
            "refusals_dropped": self.refusals.dropped,
        }
