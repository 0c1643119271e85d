"""What is remembered of tokens, and above all what is not."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from common.errors import KeyManagerUnavailable
from keymanager.adapters.contract import Inactive, Introspection, TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.facts import UserFacts
from keymanager.validation.quiet_periods import QuietPeriods
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.token_cache import BAD_SECONDS, TokenCache
from keymanager.validation.token_sources import LiveTokens
from tests.unit.validation_kit import NOW, AdapterInMemory, ManualClock, World, key_manager, route

DIGEST = b"d" * 32


def good(until: float = NOW + 600, key_manager_id: int = 1) -> GoodToken:
    facts = TokenFacts(client_id="c", scopes=frozenset())
    return GoodToken(key_manager_id=key_manager_id, facts=facts, until=until)


def bad() -> BadToken:
    return BadToken(code=Code.TOKEN_INVALID, reason="no")


def filled(answer: Resolved, cache: TokenCache | None = None) -> TokenCache:
    cache = cache or TokenCache(good_seconds=60)
    cache.finish(cache.begin(DIGEST), answer, NOW)
    return cache


def test_a_good_token_is_believed_until_the_bound() -> None:
    cache = filled(good())
    assert cache.good(DIGEST, NOW + 59) is not None
    assert cache.good(DIGEST, NOW + 60) is None


def test_a_good_token_is_never_believed_beyond_its_own_expiry() -> None:
    cache = filled(good(until=NOW + 5))
    assert cache.good(DIGEST, NOW + 4.9) is not None
    assert cache.good(DIGEST, NOW + 5) is None


def test_a_bad_token_is_remembered_briefly() -> None:
    cache = filled(bad())
    assert cache.bad(DIGEST, NOW + BAD_SECONDS - 0.1) is not None
    assert cache.bad(DIGEST, NOW + BAD_SECONDS) is None


def test_no_answer_is_never_remembered() -> None:
    cache = filled(NoAnswer(reason="down"))
    assert cache.good(DIGEST, NOW) is None
    assert cache.bad(DIGEST, NOW) is None


def test_an_answer_whose_look_up_began_before_a_revocation_is_not_kept() -> None:
    cache = TokenCache(good_seconds=60)
    fill = cache.begin(DIGEST)
    cache.forget(DIGEST)
    assert not cache.finish(fill, good(), NOW)
    assert cache.good(DIGEST, NOW) is None


def test_an_answer_whose_look_up_began_before_the_key_manager_changed_is_not_kept() -> None:
    cache = TokenCache(good_seconds=60)
    fill = cache.begin(DIGEST)
    cache.forget_key_manager(1)
    assert not cache.finish(fill, good(), NOW)


def test_an_answer_whose_look_up_began_before_a_flush_is_not_kept() -> None:
    cache = TokenCache(good_seconds=60)
    fill = cache.begin(DIGEST)
    cache.clear()
    assert not cache.finish(fill, good(), NOW)


def test_a_look_up_that_begins_after_the_invalidation_is_kept() -> None:
    cache = TokenCache(good_seconds=60)
    cache.forget(DIGEST)
    assert filled(good(), cache).good(DIGEST, NOW) is not None


def test_an_invalidation_of_one_token_leaves_the_look_up_of_another_alone() -> None:
    cache = TokenCache(good_seconds=60)
    fill = cache.begin(DIGEST)
    cache.forget(b"e" * 32)
    assert cache.finish(fill, good(), NOW)


def test_a_changed_key_manager_takes_its_tokens_along_and_nobody_elses() -> None:
    cache = filled(good())
    other = b"e" * 32
    cache.finish(cache.begin(other), good(key_manager_id=2), NOW)
    cache.forget_key_manager(1)
    assert cache.good(DIGEST, NOW) is None
    assert cache.good(other, NOW) is not None


def of(user_id: str) -> GoodToken:
    return replace(good(), user=UserFacts(username="somebody", id=user_id))


@pytest.mark.parametrize(("user_id", "stays"), [("7", False), ("", False), ("8", True)])
def test_a_person_who_changed_takes_their_tokens_along_and_those_of_users_nobody_knew(
    user_id: str, stays: bool
) -> None:
    cache = filled(of(user_id))
    cache.forget_user("7")
    assert (cache.good(DIGEST, NOW) is not None) == stays


def test_a_person_who_changed_leaves_machines_alone() -> None:
    cache = filled(good())
    cache.forget_user("7")
    assert cache.good(DIGEST, NOW) is not None


def test_an_answer_whose_look_up_began_before_its_user_changed_is_not_kept() -> None:
    cache = TokenCache(good_seconds=60)
    fill = cache.begin(DIGEST)
    cache.forget_user("7")
    assert not cache.finish(fill, of("7"), NOW)


def test_the_number_of_tokens_is_bounded_and_the_longest_unused_goes_first() -> None:
    cache = TokenCache(good_seconds=60, good_tokens=2, bad_tokens=2)
    for digest in (b"1", b"2"):
        cache.finish(cache.begin(digest), good(), NOW)
    cache.good(b"1", NOW)
    cache.finish(cache.begin(b"3"), good(), NOW)
    assert [cache.good(digest, NOW) is not None for digest in (b"1", b"2", b"3")] == [True, False, True]


def test_a_flood_of_bad_tokens_does_not_push_good_ones_out() -> None:
    cache = TokenCache(good_seconds=60, good_tokens=2, bad_tokens=2)
    cache = filled(good(), cache)
    for number in range(10):
        cache.finish(cache.begin(bytes([number])), bad(), NOW)
    assert cache.good(DIGEST, NOW) is not None
    assert cache.sizes()["bad_tokens"] == 2


# --- the live source ------------------------------------------------------------------------------------------------


class SlowAdapter(AdapterInMemory):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__("introspection")
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def introspect(self, token: str) -> Introspection:
        self.asked.set()
        assert self.may_answer.wait(5)
        return super().introspect(token)


class Live:
    """A live source over one adapter."""

    def __init__(self, adapter: AdapterInMemory, *, wait_seconds: float = 5.0) -> None:
        self.world = World(adapters={1: adapter})
        self.cache = TokenCache(good_seconds=60)
        self.monotonic = ManualClock(0.0)
        self.executor = ThreadPoolExecutor(max_workers=4)
        self.source = LiveTokens(
            cache=self.cache,
            resolver=TokenResolver(self.world, self.world.clock, quiet=QuietPeriods(self.monotonic.now)),
            executor=self.executor,
            clock=self.world.clock,
            wait_seconds=wait_seconds,
            after_lookup=lambda: None,
        )

    async def ask(self) -> Resolved:
        answer = self.source.look_up("opaque", DIGEST, route(), self.world.facts)
        return answer if isinstance(answer, Resolved) else await answer


def test_calls_that_wait_for_the_same_token_share_one_question() -> None:
    adapter = SlowAdapter()
    adapter.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    live = Live(adapter)

    async def run() -> list[Resolved]:
        waiting = [asyncio.ensure_future(live.ask()) for _ in range(20)]
        await asyncio.to_thread(adapter.asked.wait, 5)
        adapter.may_answer.set()
        return await asyncio.gather(*waiting)

    answers = asyncio.run(run())
    assert all(isinstance(answer, GoodToken) for answer in answers)
    assert adapter.introspections == 1


def test_a_token_that_is_revoked_while_it_is_looked_up_is_not_remembered_as_good() -> None:
    adapter = SlowAdapter()
    adapter.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    live = Live(adapter)

    async def run() -> None:
        waiting = asyncio.ensure_future(live.ask())
        await asyncio.to_thread(adapter.asked.wait, 5)
        live.cache.forget(DIGEST)
        adapter.may_answer.set()
        await waiting

    asyncio.run(run())
    assert live.cache.good(DIGEST, NOW) is None


@pytest.mark.parametrize(("retry_after", "pause"), [(None, 1.0), (0.0, 0.0), (30.0, 30.0), (86_400.0, 300.0)])
def test_a_key_manager_that_did_not_answer_is_left_alone_for_as_long_as_it_asked(
    retry_after: float | None, pause: float
) -> None:
    adapter = AdapterInMemory("introspection")
    adapter.error = KeyManagerUnavailable(retry_after=retry_after)
    live = Live(adapter)

    async def run() -> list[Resolved]:
        asked = [await live.ask()]
        if pause:
            live.monotonic.time += pause - 0.5
            asked += [await live.ask() for _ in range(50)]
        adapter.error = None
        adapter.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
        live.monotonic.time += 0.5
        return [*asked, await live.ask()]

    *first, last = asyncio.run(run())
    assert all(isinstance(answer, NoAnswer) and 1 <= answer.retry_after <= 300 for answer in first)
    assert isinstance(last, GoodToken)
    assert adapter.introspections == 2


def test_a_caller_does_not_wait_longer_than_its_patience_and_the_answer_serves_the_next_one() -> None:
    adapter = SlowAdapter()
    adapter.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    live = Live(adapter, wait_seconds=0.05)

    async def run() -> tuple[Resolved, Resolved]:
        first = await live.ask()
        adapter.may_answer.set()
        second = await live.ask()
        return first, second

    first, second = asyncio.run(run())
    assert isinstance(first, NoAnswer)
    assert isinstance(second, GoodToken)
    assert adapter.introspections == 1


def test_a_bad_word_counts_only_for_those_who_were_asked() -> None:
    first, second = AdapterInMemory("introspection"), AdapterInMemory("introspection")
    first.answers["opaque"] = Inactive(reason="unknown")
    second.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    live = Live(first)
    live.world.adapters[2] = second
    live.world.facts.put_key_managers([key_manager(2)])

    async def ask(accepted: frozenset[int] | None) -> Resolved:
        answer = live.source.look_up("opaque", DIGEST, route(accepted=accepted), live.world.facts)
        return answer if isinstance(answer, Resolved) else await answer

    async def run() -> list[Resolved]:
        return [await ask(frozenset({1})), await ask(frozenset({1})), await ask(None)]

    one, again, all_of_them = asyncio.run(run())
    assert isinstance(one, BadToken)
    assert isinstance(again, BadToken)
    assert isinstance(all_of_them, GoodToken)
    assert (first.introspections, second.introspections) == (2, 1)
