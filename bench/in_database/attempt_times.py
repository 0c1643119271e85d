"""``python -m bench.in_database.attempt_times CREDENTIAL ...``: how long their registration took together."""

import json
import os
import sys
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from keymanager.models import RegistrationAttempt  # noqa: E402 - models need the app registry


def main(credentials: list[str]) -> None:
    """Print ``{seconds, attempts, exchanges}``: from the first attempt's start to the last one's end."""
    rows = list(
        RegistrationAttempt.objects.filter(registration__credential__in=[uuid.UUID(each) for each in credentials])
    )
    ends = [row.started_at.timestamp() + (row.milliseconds or 0) / 1000 for row in rows]
    seconds = max(ends) - min(row.started_at.timestamp() for row in rows)
    exchanges = sum(len(row.exchanges) for row in rows)
    print(json.dumps({"seconds": seconds, "attempts": len(rows), "exchanges": exchanges}))


if __name__ == "__main__":
    main(sys.argv[1:])
