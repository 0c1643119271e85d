"""How steps learn of a token: from the cache, else by one look-up that every waiting call shares."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final, Protocol

from django.db import close_old_connections

from keymanager.adapters.contract import Clock
from keymanager.validation.facts import Facts, Route
from keymanager.validation.resolved import BadToken, NoAnswer, Resolved
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.token_cache import Fill, TokenCache

logger = logging.getLogger(__name__)

LOOKUPS_AT_ONCE: Final = 512


class TokenSource(Protocol):
    """Where the token step gets its knowledge."""

    def look_up(self, token: str, digest: bytes, route: Route, facts: Facts) -> Resolved | Awaitable[Resolved]:
        """What is known of the token whose SHA-256 is ``digest``; awaitable only when somebody must be asked."""
        ...


class DirectTokens:
    """Asks every time, in the caller's own thread: for ``/introspect``, where freshness counts more than speed."""

    def __init__(self, resolver: TokenResolver) -> None:
        self._resolver = resolver

    def look_up(self, token: str, digest: bytes, route: Route, facts: Facts) -> Resolved:
        """See ``TokenSource``."""
        return self._resolver.resolve(token, facts, route.accepted)


class LiveTokens:
    """The validator's source. Lives on one event loop; look-ups run in ``executor``, bounded in number and time."""

    def __init__(
        self,
        *,
        cache: TokenCache,
        resolver: TokenResolver,
        executor: Executor,
        clock: Clock,
        wait_seconds: float,
        after_lookup: Callable[[], None] = close_old_connections,
    ) -> None:
        self._cache = cache
        self._resolver = resolver
        self._executor = executor
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._after_lookup = after_lookup
        self._under_way: dict[tuple[bytes, frozenset[int] | None], asyncio.Future[Resolved]] = {}

    def look_up(self, token: str, digest: bytes, route: Route, facts: Facts) -> Resolved | Awaitable[Resolved]:
        """See ``TokenSource``."""
        now = self._clock.now()
        good = self._cache.good(digest, now)
        if good is not None:
            return good
        bad = self._cache.bad(digest, now)
        if bad is not None and _holds(bad, route, facts):
            return bad
        return self._cold(token, digest, route, facts)

    def _cold(self, token: str, digest: bytes, route: Route, facts: Facts) -> Resolved | Awaitable[Resolved]:
        key = (digest, route.accepted)
        running = self._under_way.get(key)
        if running is not None:
            return self._patiently(running)
        fill = self._cache.begin(digest)
        answer = self._resolver.resolve_at_once(token, facts)
        if answer is not None:
            self._cache.finish(fill, answer, self._clock.now())
            return answer
        if len(self._under_way) >= LOOKUPS_AT_ONCE:
            self._cache.finish(fill, None, self._clock.now())
            return NoAnswer(reason="Too many tokens are being looked up at once.", retry_after=1)
        task = asyncio.ensure_future(self._resolve(token, fill, route, facts))
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return self._patiently(task)

    async def _patiently(self, lookup: "asyncio.Future[Resolved]") -> Resolved:
        """One caller's patience; the look-up itself goes on for the others and for the cache."""
        try:
            return await asyncio.wait_for(asyncio.shield(lookup), self._wait_seconds)
        except TimeoutError:
            return NoAnswer(reason="The key manager did not answer in time.")

    async def _resolve(self, token: str, fill: Fill, route: Route, facts: Facts) -> Resolved:
        answer: Resolved | None = None
        try:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._executor, self._in_thread, token, facts, route)
            return answer
        finally:
            self._cache.finish(fill, answer, self._clock.now())

    def _in_thread(self, token: str, facts: Facts, route: Route) -> Resolved:
        try:
            return self._resolver.resolve(token, facts, route.accepted)
        finally:
            self._after_lookup()


def _holds(bad: BadToken, route: Route, facts: Facts) -> bool:
    """Whether everybody whom this API would have asked was asked."""
    if not bad.asked:
        return True
    enabled = frozenset(row.id for row in facts.enabled_key_managers())
    candidates = enabled if route.accepted is None else enabled & route.accepted
    return candidates <= bad.asked
