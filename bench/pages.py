"""Server time, CPU time and number of queries of the main pages in a large portal on PostgreSQL."""

import sys
from dataclasses import dataclass

from bench.imports import documents
from bench.report import Table, Target
from bench.scale import Scale
from bench.small_and_large import printed_by, small_and_large
from portal.runner.layout import Layout

_LARGE_DOCUMENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTimes:
    """One page; times and CPU in ms, ``bound`` is that of ``p95``."""

    name: str
    bound: float
    queries: int
    p50: float
    p95: float
    cpu_p50: float
    cpu_p95: float
    slow_plans: str


def run(scale: Scale) -> list[Table]:
    """The part ``pages``."""
    measured, numbers = small_and_large(scale, _times)
    rows: list[list[str | float]] = []
    targets = []
    for before, after in measured:
        rows.append(
            [after.name, after.p50, after.p95, after.cpu_p50, after.cpu_p95, f"{before.queries} / {after.queries}"]
        )
        targets.append(Target(name=f"{after.name}, p95", measured=after.p95, bound=after.bound, unit="ms"))
        if after.queries > before.queries:
            more = after.queries - before.queries
            targets.append(Target(name=f"{after.name}: more queries with more rows", measured=more, bound=0, unit=""))
        if after.slow_plans:
            print(f"\n{after.name} is slow:\n{after.slow_plans}", file=sys.stderr)
    return [
        Table(
            title="Pages",
            columns=["page", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms", "queries"],
            rows=rows,
            note=(
                f"PostgreSQL with {numbers} rows; {scale.rest_requests} requests each, in shuffled order, inside one "
                "process: from the request to the rendered page, with all middleware, without a socket, by a person "
                "with every role who owns nearly everything. CPU: of the web process alone. Queries: in the small "
                "database, then in the large one."
            ),
            targets=targets,
        )
    ]


def _times(layout: Layout, requests: int) -> list[PageTimes]:
    largest = sorted(documents(), key=lambda path: path.stat().st_size)[-_LARGE_DOCUMENTS:]
    found = printed_by("bench.in_database.page_times", layout, str(requests), *(str(path) for path in largest))
    return [PageTimes(**row) for row in found]
