"""Following the change feed: nothing is missed, and nothing is allowed when that is not sure."""

from collections.abc import Sequence

import pytest
from django.db import OperationalError

from keymanager.validation.feed import READ_AT_ONCE, START_DEPTH, Change, ChangeReader
from keymanager.validation.feed_tables import NoWake
from keymanager.validation.follower import FeedActions, Follower
from keymanager.validation.snapshot import Snapshot
from tests.unit.validation_kit import ManualClock


class Feed:
    """The table, in memory: rows appear in the order in which a test commits them."""

    def __init__(self, *ids: int) -> None:
        self.rows = {number: Change(id=number, kind="plan", object_id=f"object-{number}") for number in ids}
        self.error: Exception | None = None
        self.watched_asked: list[int] = []

    def commit(self, *ids: int) -> None:
        for number in ids:
            self.rows[number] = Change(id=number, kind="plan", object_id=f"object-{number}")

    def newest_ids(self, limit: int) -> list[int]:
        self._fail()
        return sorted(self.rows, reverse=True)[:limit]

    def after(self, number: int, limit: int) -> list[Change]:
        self._fail()
        return [self.rows[n] for n in sorted(self.rows) if n > number][:limit]

    def among(self, numbers: Sequence[int]) -> list[Change]:
        self._fail()
        self.watched_asked.append(len(numbers))
        return [self.rows[n] for n in numbers if n in self.rows]

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


def started(feed: Feed, clock: ManualClock | None = None, window: float = 300.0) -> ChangeReader:
    reader = ChangeReader(feed, monotonic=(clock or ManualClock(0.0)).now, window=window)
    reader.start()
    return reader


def ids(changes: list[Change]) -> list[int]:
    return [change.id for change in changes]


def test_a_row_that_commits_late_under_a_lower_id_is_not_missed() -> None:
    feed = Feed(1)
    reader = started(feed)
    feed.commit(3)
    assert ids(reader.poll()) == [3]
    feed.commit(2)
    assert ids(reader.poll()) == [2]


def test_a_row_that_was_under_way_when_the_follower_started_is_not_missed() -> None:
    feed = Feed(1, 3)
    reader = started(feed)
    feed.commit(2)
    assert ids(reader.poll()) == [2]


def test_each_change_is_handed_out_once() -> None:
    feed = Feed()
    reader = started(feed)
    feed.commit(1, 2, 4)
    assert ids(reader.poll()) == [1, 2, 4]
    assert reader.poll() == []
    feed.commit(3)
    assert ids(reader.poll()) == [3]
    assert reader.poll() == []


def test_what_was_committed_before_the_start_is_not_handed_out_again() -> None:
    assert started(Feed(1, 2, 3)).poll() == []


def test_an_id_that_was_rolled_back_is_watched_for_the_window_and_then_forgotten() -> None:
    feed, clock = Feed(1), ManualClock(0.0)
    reader = started(feed, clock)
    feed.commit(3)
    reader.poll()
    assert reader.watched == 1
    clock.time = 301.0
    reader.poll()
    assert reader.watched == 0


def test_without_gaps_a_poll_asks_for_what_is_new_and_nothing_else() -> None:
    feed = Feed(1, 2)
    reader = started(feed)
    feed.commit(3, 4)
    reader.poll()
    reader.poll()
    assert feed.watched_asked == []


def test_many_gaps_are_read_in_parts_and_still_not_missed() -> None:
    feed = Feed(5000)
    reader = started(feed)
    assert reader.watched == START_DEPTH
    feed.commit(4500, 5001)
    assert ids(reader.poll()) == [4500, 5001]


def test_more_changes_than_one_round_reads_are_read_by_the_next_without_a_loss() -> None:
    followed = Followed()
    followed.follower.step()
    followed.feed.commit(*range(1, READ_AT_ONCE + 3))
    followed.clock.time = 4.0
    followed.follower.step()
    followed.clock.time = 5.5
    assert not followed.follower.fresh()
    followed.clock.time = 4.0
    followed.follower.step()
    assert len(followed.applied) == READ_AT_ONCE + 2
    followed.clock.time = 5.5
    assert followed.follower.fresh()


# --- the follower -------------------------------------------------------------------------------------------------


class Followed:
    """A follower whose rounds a test makes one by one."""

    def __init__(self, *ids: int) -> None:
        self.feed = Feed(*ids)
        self.clock = ManualClock(0.0)
        self.applied: list[int] = []
        self.flushes = 0
        self.while_loading: list[int] = []
        self.broken = False
        self.follower = Follower(
            reader=ChangeReader(self.feed, monotonic=self.clock.now, window=300.0),
            actions=FeedActions(load=self.load, apply=self.apply, flush=self.flush),
            wake=NoWake(),
            poll_seconds=0.25,
            stale_seconds=5.0,
            monotonic=self.clock.now,
            close=lambda: None,
        )

    def load(self) -> Snapshot:
        self.feed.commit(*self.while_loading)
        return Snapshot()

    def apply(self, snapshot: Snapshot, change: Change) -> None:
        if self.broken:
            raise OperationalError("gone")
        self.applied.append(change.id)

    def flush(self) -> None:
        self.flushes += 1


def test_nothing_is_fresh_before_the_first_load() -> None:
    assert not Followed().follower.fresh()


def test_what_is_committed_while_loading_is_applied_before_anything_is_fresh() -> None:
    followed = Followed(1)
    followed.while_loading = [2]
    followed.follower.step()
    assert followed.applied == [2]
    assert followed.follower.fresh()


def test_ten_changes_of_one_object_are_one_reload() -> None:
    followed = Followed()
    followed.follower.step()
    followed.feed.rows = {n: Change(id=n, kind="plan", object_id="same") for n in range(1, 11)}
    followed.follower.step()
    assert followed.applied == [10]


def test_a_short_outage_of_the_database_is_caught_up_with_and_a_long_one_makes_everything_stale() -> None:
    followed = Followed()
    followed.follower.step()
    followed.feed.error = OperationalError("gone")
    followed.clock.time = 4.9
    with pytest.raises(OperationalError):
        followed.follower.step()
    assert followed.follower.fresh()
    followed.clock.time = 5.1
    assert not followed.follower.fresh()


def test_after_a_long_outage_everything_is_loaded_anew_and_every_conclusion_is_forgotten() -> None:
    followed = Followed()
    followed.follower.step()
    before = followed.follower.snapshot
    followed.clock.time = 60.0
    followed.follower.step()
    assert followed.follower.snapshot is not before
    assert (followed.follower.loads, followed.flushes) == (2, 2)
    assert followed.follower.fresh()


def test_a_change_that_could_not_be_applied_makes_everything_stale_until_it_is_loaded_anew() -> None:
    followed = Followed()
    followed.follower.step()
    followed.feed.commit(1)
    followed.broken = True
    with pytest.raises(OperationalError):
        followed.follower.step()
    assert not followed.follower.fresh()
    followed.broken = False
    followed.follower.step()
    assert followed.follower.loads == 2
