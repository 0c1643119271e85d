"""The figures that `make bench` prints."""

import os

import pytest

from bench.percentiles import times_of
from bench.process_facts import cpu_seconds, pss_megabytes, tree
from bench.report import PartReport, Table, Target, markdown


def test_p99_is_the_greatest_value_below_a_hundred_samples() -> None:
    times = times_of([0.001 * number for number in range(1, 51)])
    assert times.count == 50
    assert [times.p99, times.greatest] == pytest.approx([50, 50])


def test_percentiles_are_nearest_ranks_in_milliseconds() -> None:
    times = times_of([0.001 * number for number in range(1, 201)])
    assert [times.p50, times.p95, times.p99] == pytest.approx([100.5, 190, 198])


@pytest.mark.parametrize(
    ("measured", "at_least", "met"),
    [(0.40, True, True), (0.39, True, False), (60.0, False, True), (61.0, False, False)],
)
def test_a_target_is_met_on_its_bound_and_missed_beyond_it(measured: float, at_least: bool, met: bool) -> None:
    bound = 0.40 if at_least else 60.0
    assert Target(name="x", measured=measured, bound=bound, unit="", at_least=at_least).met is met


def test_a_report_names_the_load_of_the_machine_and_every_missed_target() -> None:
    target = Target(name="lists", measured=61, bound=60, unit="ms")
    table = Table(title="Lists", columns=["list", "p95 ms"], rows=[["/apis/", 61.0]], targets=[target])
    report = PartReport(part="rest", seconds=3, load_before=1, load_after=2.5, tables=[table])
    text = markdown([report])
    assert "load average 1.0 before, 2.5 after" in text
    assert "| /apis/ | 61.0 |" in text
    assert "| lists | 61 ms | ≤ 60 ms | **MISSED** |" in text


def test_a_process_has_used_time_and_memory_and_stands_at_the_head_of_its_tree() -> None:
    own = os.getpid()
    assert tree(own)[0] == own
    assert cpu_seconds([own]) > 0
    assert pss_megabytes([own]) > 1
    assert cpu_seconds([2**22 + 1]) == 0
