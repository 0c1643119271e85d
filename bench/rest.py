"""Server time and number of queries of the REST lists in a large portal on PostgreSQL."""

import sys
from dataclasses import dataclass

from bench.report import Table, Target
from bench.scale import Scale
from bench.small_and_large import printed_by, small_and_large
from portal.runner.layout import Layout

BOUND_MILLISECONDS = 60.0
# The last of 4,000 pages. It is shown, and is no target.
DEEPEST = "/store/subscriptions/?page={last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTimes:
    """One list. ``queries``: of a page of 25, ``queries_200``: of a page of 200; times in ms, of a page of 25."""

    who: str
    path: str
    queries: int
    queries_200: int
    p50: float
    p95: float
    greatest: float
    slow_plans: str


def run(scale: Scale) -> list[Table]:
    """The part ``rest``."""
    measured, numbers = small_and_large(scale, _times)
    rows: list[list[str | float]] = []
    targets = []
    for before, after in measured:
        queries = f"{before.queries} / {before.queries_200} / {after.queries} / {after.queries_200}"
        rows.append([after.who, after.path, after.p50, after.p95, after.greatest, queries])
        name = f"{after.path} ({after.who}), p95"
        if after.path != DEEPEST:
            targets.append(Target(name=name, measured=after.p95, bound=BOUND_MILLISECONDS, unit="ms"))
        if len({before.queries, before.queries_200, after.queries, after.queries_200}) > 1:
            targets.append(
                Target(
                    name=f"{after.path} ({after.who}): more queries with more rows",
                    measured=max(after.queries_200, after.queries) - before.queries,
                    bound=0,
                    unit="",
                )
            )
        if after.slow_plans:
            print(f"\n{name} is slow:\n{after.slow_plans}", file=sys.stderr)
    return [
        Table(
            title="REST lists",
            columns=["caller", "list", "p50 ms", "p95 ms", "max ms", "queries"],
            rows=rows,
            note=(
                f"PostgreSQL with {numbers} rows; {scale.rest_requests} requests each, in shuffled order, inside one "
                "process: from the request to the rendered answer, all middleware included, without a socket. `large` "
                "owns nearly everything, `small` twenty applications. Queries: small database page of 25 / of 200, "
                "then large database page of 25 / of 200."
            ),
            targets=targets,
        )
    ]


def _times(layout: Layout, requests: int) -> list[ListTimes]:
    found = printed_by("bench.in_database.list_times", layout, str(requests), str(BOUND_MILLISECONDS))
    return [ListTimes(**row) for row in found]
