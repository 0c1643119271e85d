"""``python -m bench [--quick] [part ...]``: measures, prints markdown, stores JSON below ``bench/results/``."""

import argparse
import importlib
import os
import platform
import sys
import tempfile
import time

import django

from bench.report import PartReport, Table, markdown, write_json
from bench.scale import FULL, QUICK, Scale

# By the module that measures it; they are imported late, since what starts the processes needs Django's app registry.
PARTS = {
    "gateway": "bench.gateway",
    "revocation": "bench.revocation",
    "import": "bench.imports",
    "registrations": "bench.registrations",
    "key_managers": "bench.key_managers",
    "validator": "bench.validator",
    "rest": "bench.rest",
    "pages": "bench.pages",
}


def main(arguments: list[str]) -> int:
    """Run the named parts, or all; status 1 when a target was missed."""
    parser = argparse.ArgumentParser(description="Measures Archway on this machine.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny numbers, to try the measurements themselves")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    scale = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory(prefix="archway-bench-") as home:
        os.environ["ARCHWAY_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        django.setup()
        reports = [_measure(name, scale) for name in options.parts or PARTS]
    path = write_json(reports, _machine())
    print(markdown(reports))
    print(f"Stored in {path}", file=sys.stderr)
    return int(any(not target.met for report in reports for table in report.tables for target in table.targets))


def _measure(name: str, scale: Scale) -> PartReport:
    print(f"{name} ...", file=sys.stderr, flush=True)
    before, started = os.getloadavg()[0], time.monotonic()
    tables: list[Table] = importlib.import_module(PARTS[name]).run(scale)
    return PartReport(
        part=name,
        seconds=time.monotonic() - started,
        load_before=before,
        load_after=os.getloadavg()[0],
        tables=tables,
    )


def _machine() -> dict[str, str]:
    return {
        "cores": str(os.cpu_count()),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
