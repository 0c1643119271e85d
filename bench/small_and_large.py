"""One measurement in a small and in a large portal on PostgreSQL."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from bench.deployment import POSTGRES, migrated
from bench.imports import ROOT
from bench.many_rows import fill
from bench.scale import Scale
from portal.runner.layout import Layout

Times = TypeVar("Times")


def small_and_large(
    scale: Scale, measure: Callable[[Layout, int], list[Times]]
) -> tuple[list[tuple[Times, Times]], str]:
    """What ``measure`` (portal, number of requests) finds in both, side by side, and the rows of the large."""
    with migrated(POSTGRES) as layout:
        layout.run_management("collectstatic", "--noinput", "--verbosity", "0")
        fill(layout, api_versions=30, applications=60, subscriptions=600)
        small = measure(layout, 3)
        facts = fill(
            layout,
            api_versions=scale.api_versions,
            applications=scale.applications,
            subscriptions=scale.subscriptions,
        )
        large = measure(layout, scale.rest_requests)
    return list(zip(small, large, strict=True)), ", ".join(f"{count:,} {name}" for name, count in facts.items())


def printed_by(module: str, layout: Layout, *arguments: str) -> list[dict[str, Any]]:
    """The JSON list that ``module`` prints, run as a process of that portal."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=layout.environment(),
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows
