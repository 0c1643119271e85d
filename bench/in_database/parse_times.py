"""``python -m bench.in_database.parse_times REPEATS FILE ...``: seconds of parsing and validating each document."""

import json
import sys
import time
from pathlib import Path
from statistics import median

from publisher.definitions import parse_definition


def main(arguments: list[str]) -> None:
    """Print ``{name: {first, again, operations}}``; ``again`` is the median of the later parses."""
    repeats = int(arguments[0])
    found = {}
    for path in map(Path, arguments[1:]):
        text = path.read_text()
        seconds = []
        for _ in range(repeats + 1):
            started = time.monotonic()
            definition = parse_definition(text)
            seconds.append(time.monotonic() - started)
        found[path.name] = {
            "first": seconds[0],
            "again": median(seconds[1:]),
            "operations": len(definition.operations),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
