"""What a validator needs to hold a large portal in memory: time to its first answer, and memory."""

import time
from statistics import median

from bench.deployment import POSTGRES, migrated
from bench.many_rows import fill
from bench.process_facts import pss_megabytes, tree
from bench.report import Table
from bench.scale import Scale
from portal.runner import installation
from portal.runner.layout import Layout
from portal.runner.processes import ChildFailed, Children

_PATIENCE_SECONDS = 120.0


def run(scale: Scale) -> list[Table]:
    """The part ``validator``."""
    rows: list[list[str | float]] = []
    with migrated(POSTGRES) as layout:
        sizes = [(1, 1, 1), (scale.api_versions, scale.applications, scale.subscriptions)]
        for api_versions, applications, subscriptions in sizes:
            facts = fill(layout, api_versions=api_versions, applications=applications, subscriptions=subscriptions)
            starts = [_start(layout) for _ in range(scale.starts)]
            rows.append(
                [
                    facts["ApiVersion"],
                    facts["Operation"],
                    facts["Application"],
                    facts["Subscription"],
                    median(seconds for seconds, _ in starts),
                    median(memory for _, memory in starts),
                ]
            )
    return [
        Table(
            title="The validator's start and memory",
            columns=["API versions", "operations", "applications", "subscriptions", "start s", "memory MB (PSS)"],
            rows=rows,
            note=(
                f"Medians of {scale.starts} starts on PostgreSQL, one worker process. Start: from the command until "
                "/healthz says ready, interpreter and imports included. Memory: all processes of the validator."
            ),
        )
    ]


def _start(layout: Layout) -> tuple[float, float]:
    children = Children()
    child = installation.validator(layout)
    try:
        started = time.monotonic()
        children.start(child)
        children.await_ready(seconds=_PATIENCE_SECONDS)
        seconds = time.monotonic() - started
        if child.process is None:
            raise ChildFailed("the validator has no process")
        return seconds, pss_megabytes(tree(child.process.pid))
    finally:
        children.stop()
