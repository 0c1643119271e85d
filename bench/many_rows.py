"""Filling a database with many rows, from outside Django."""

import json
import subprocess
import sys

from bench.imports import ROOT
from portal.runner.layout import Layout


def fill(layout: Layout, *, api_versions: int, applications: int, subscriptions: int) -> dict[str, int]:
    """Add rows until there are as many; the numbers of rows by model."""
    numbers = [str(number) for number in (api_versions, applications, subscriptions)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.in_database.fill", *numbers],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=layout.environment(),
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found
