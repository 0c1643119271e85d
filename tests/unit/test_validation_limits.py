"""Plan limits."""

from typing import Any

from keymanager.validation.limits import SharedCounts, WindowLimits
from tests.unit.validation_kit import ManualClock, plan


def test_exactly_as_many_calls_as_the_plan_says_pass_in_a_window() -> None:
    limits, clock = WindowLimits(), ManualClock(600.0)
    answers = [limits.take(1, plan(5, 60), clock.now()) for _ in range(8)]
    assert answers == [0, 0, 0, 0, 0, 60, 60, 60]


def test_the_wait_ends_with_the_window_and_the_next_window_starts_empty() -> None:
    limits, clock = WindowLimits(), ManualClock(600.0)
    limits.take(1, plan(1, 60), clock.now())
    clock.time = 659.5
    assert limits.take(1, plan(1, 60), clock.now()) == 1
    clock.time = 660.0
    assert limits.take(1, plan(1, 60), clock.now()) == 0


def test_subscriptions_do_not_share_their_limits() -> None:
    limits = WindowLimits()
    assert [limits.take(number, plan(1, 60), 600.0) for number in (1, 2)] == [0, 0]


def test_a_refused_call_is_not_counted() -> None:
    limits = WindowLimits()
    for _ in range(5):
        limits.take(1, plan(1, 60), 600.0)
    assert limits.counters[1].here == 1


def test_a_raised_limit_counts_at_once_against_the_present_window() -> None:
    limits = WindowLimits()
    assert [limits.take(1, plan(2, 60), 600.0) for _ in range(3)][-1] > 0
    assert [limits.take(1, plan(3, 60), 600.0) for _ in range(2)] == [0, 60]


def test_a_lowered_limit_counts_at_once() -> None:
    limits = WindowLimits()
    for _ in range(3):
        limits.take(1, plan(5, 60), 600.0)
    assert limits.take(1, plan(3, 60), 600.0) > 0


def test_a_plan_without_limit_counts_nothing() -> None:
    limits = WindowLimits()
    assert limits.take(1, plan(), 600.0) == 0
    assert limits.counters == {}


def test_counters_of_past_windows_are_dropped() -> None:
    limits = WindowLimits()
    limits.take(1, plan(1, 60), 600.0)
    limits.forget_past(659.0)
    assert len(limits.counters) == 1
    limits.forget_past(660.0)
    assert len(limits.counters) == 0


class Counts:
    """As much of Redis as the sharing uses."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.answers: list[Any] = []

    def pipeline(self, *, transaction: bool) -> "Counts":
        assert not transaction
        self.answers = []
        return self

    def __enter__(self) -> "Counts":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def incrby(self, name: str, amount: int) -> None:
        self.values[name] = self.values.get(name, 0) + amount
        self.answers.append(self.values[name])

    def expire(self, name: str, seconds: int) -> None:
        assert seconds > 60
        assert name
        self.answers.append(True)

    def execute(self) -> list[Any]:
        return self.answers


def test_two_validators_that_share_counts_let_through_no_more_than_the_plan_after_a_sync() -> None:
    redis, here, there = Counts(), WindowLimits(), WindowLimits()
    shared = [SharedCounts(here, redis), SharedCounts(there, redis)]
    assert [limits.take(1, plan(10, 60), 600.0) for limits in [here, there] * 4] == [0] * 8
    for _ in range(2):
        for share in shared:
            share.sync()
    assert [here.take(1, plan(10, 60), 600.0) for _ in range(3)] == [0, 0, 60]
    for share in shared:
        share.sync()
    assert there.take(1, plan(10, 60), 600.0) > 0


def test_between_two_syncs_the_overshoot_is_what_the_others_let_through_meanwhile() -> None:
    redis, here, there = Counts(), WindowLimits(), WindowLimits()
    passed = [limits.take(1, plan(10, 60), 600.0) for limits in [here, there] * 10].count(0)
    assert passed == 20
    for limits in (here, there):
        SharedCounts(limits, redis).sync()
    assert there.take(1, plan(10, 60), 600.0) > 0
