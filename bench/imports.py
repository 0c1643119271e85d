"""How long real OpenAPI documents take: read alone, and as a whole REST create."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.deployment import SQLITE, deployed
from bench.portal_client import PortalClient
from bench.report import Table, Target
from bench.scale import Scale

ROOT = Path(__file__).resolve().parents[1]
BOUND_SECONDS = 3.0
_REPEATS = 3


def documents() -> list[Path]:
    """The documents below ``$ARCHWAY_SHARED/data/openapi``."""
    folder = Path(os.environ.get("ARCHWAY_SHARED", ROOT.parent / "shared")) / "data" / "openapi"
    found = sorted(path for path in folder.glob("*") if path.suffix in {".json", ".yaml"})
    if not found:
        raise FileNotFoundError(f"no OpenAPI documents in {folder}: set ARCHWAY_SHARED")
    return found


def run(_scale: Scale) -> list[Table]:
    """The part ``import``."""
    paths = documents()
    command = [sys.executable, "-m", "bench.in_database.parse_times", str(_REPEATS), *(str(path) for path in paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    parsed: dict[str, dict[str, float]] = json.loads(done.stdout)
    rows: list[list[str | float]] = []
    targets = []
    with deployed(SQLITE) as deployment, PortalClient(deployment) as portal:
        for number, path in enumerate(paths):
            created = _create(portal, path, number)
            facts = parsed[path.name]
            size = path.stat().st_size / 1024
            rows.append([path.name, size, int(facts["operations"]), facts["first"], facts["again"], created])
            targets.append(Target(name=f"import {path.name}", measured=created, bound=BOUND_SECONDS, unit="s"))
    return [
        Table(
            title="Import of OpenAPI documents",
            columns=["document", "KiB", "operations", "parse, first s", "parse, later s", "REST create s"],
            rows=rows,
            note="REST create: from the request to the 201, on SQLite, each document once in a portal just started.",
            targets=targets,
        )
    ]


def _create(portal: PortalClient, path: Path, number: int) -> float:
    body = {
        "name": f"Import {number}",
        "version": "1.0.0",
        "context": f"/import{number}",
        "endpoints": {"production": portal.layout.backend_url},
        "plans": ["unlimited"],
        "definition": path.read_text(),
    }
    started = time.monotonic()
    portal.publisher("POST", "/apis/", body)
    return time.monotonic() - started
