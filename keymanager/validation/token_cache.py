"""What is known of tokens, by their SHA-256: good ones for a bounded time, bad ones briefly, both bounded in number."""

import threading
from collections import OrderedDict
from typing import Final

from keymanager.validation.facts import Id
from keymanager.validation.resolved import BadToken, GoodToken, Resolved

GOOD_TOKENS: Final = 50_000
BAD_TOKENS: Final = 10_000
BAD_SECONDS: Final = 5.0


class Fill:
    """One look-up under way. An invalidation that arrives meanwhile makes it ``stale``, and its answer is not kept."""

    __slots__ = ("digest", "stale")

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self.stale = False


class TokenCache:
    """Read on the event loop, invalidated from the feed's thread. Times are epoch seconds.

    ``good_seconds``: how long a good token is believed at most; never beyond its own expiry.
    """

    def __init__(self, *, good_seconds: float, good_tokens: int = GOOD_TOKENS, bad_tokens: int = BAD_TOKENS) -> None:
        self._good_seconds = good_seconds
        self._good_tokens = good_tokens
        self._bad_tokens = bad_tokens
        self._good: OrderedDict[bytes, tuple[float, GoodToken]] = OrderedDict()
        self._bad: OrderedDict[bytes, tuple[float, BadToken]] = OrderedDict()
        self._fills: set[Fill] = set()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def good(self, digest: bytes, now: float) -> GoodToken | None:
        """A good token that is still believed."""
        entry = self._good.get(digest)
        if entry is None:
            return None
        if entry[0] <= now:
            with self._lock:
                self._good.pop(digest, None)
            return None
        self.hits += 1
        if len(self._good) > self._good_tokens // 2:
            with self._lock:
                if digest in self._good:
                    self._good.move_to_end(digest)
        return entry[1]

    def bad(self, digest: bytes, now: float) -> BadToken | None:
        """A token that was found bad a moment ago; the caller compares who was ``asked``."""
        entry = self._bad.get(digest)
        return None if entry is None or entry[0] <= now else entry[1]

    def begin(self, digest: bytes) -> Fill:
        """Start a look-up; ``LiveTokens`` sees to it that a token has one at a time."""
        self.misses += 1
        fill = Fill(digest)
        with self._lock:
            self._fills.add(fill)
        return fill

    def finish(self, fill: Fill, answer: Resolved | None, now: float) -> bool:
        """End a look-up and keep its answer, unless it went stale meanwhile. ``True`` when it was kept."""
        with self._lock:
            self._fills.discard(fill)
            digest = fill.digest
            if fill.stale:
                return False
            if isinstance(answer, GoodToken):
                self._bad.pop(digest, None)
                self._good[digest] = (min(answer.until, now + self._good_seconds), answer)
                while len(self._good) > self._good_tokens:
                    self._good.popitem(last=False)
                return True
            if isinstance(answer, BadToken):
                self._good.pop(digest, None)
                self._bad[digest] = (now + BAD_SECONDS, answer)
                while len(self._bad) > self._bad_tokens:
                    self._bad.popitem(last=False)
                return True
            return False

    def forget(self, digest: bytes) -> None:
        """Something about this token changed."""
        with self._lock:
            for fill in self._fills:
                fill.stale = fill.stale or fill.digest == digest
            self._good.pop(digest, None)
            self._bad.pop(digest, None)

    def forget_key_manager(self, key_manager_id: Id) -> None:
        """A key manager changed: what it said is forgotten, and so is every "nobody knows this token"."""
        with self._lock:
            for fill in self._fills:
                fill.stale = True
            self._bad.clear()
            for digest in [key for key, (_, token) in self._good.items() if token.key_manager_id == key_manager_id]:
                del self._good[digest]

    def forget_user(self, user_id: str) -> None:
        """What a person may do changed: their tokens are asked about again, and so are those of users nobody knew."""
        with self._lock:
            for fill in self._fills:
                fill.stale = True
            for digest in [key for key, (_, token) in self._good.items() if _may_be_of(token, user_id)]:
                del self._good[digest]

    def clear(self) -> None:
        """Forget everything; look-ups under way are not kept."""
        with self._lock:
            for fill in self._fills:
                fill.stale = True
            self._good.clear()
            self._bad.clear()

    def sizes(self) -> dict[str, int]:
        """Counters for ``/statz``."""
        return {
            "good_tokens": len(self._good),
            "bad_tokens": len(self._bad),
            "lookups_under_way": len(self._fills),
            "token_cache_hits": self.hits,
            "token_cache_misses": self.misses,
        }


def _may_be_of(token: GoodToken, user_id: str) -> bool:
    return token.user is not None and token.user.id in ("", user_id)
