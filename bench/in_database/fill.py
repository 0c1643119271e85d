"""``python -m bench.in_database.fill API_VERSIONS APPLICATIONS SUBSCRIPTIONS``: fills a migrated PostgreSQL."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from bench.in_database.rows import Size, counts, fill, vacuum  # noqa: E402 - models need the app registry


def main(arguments: list[str]) -> None:
    """Fill, then print the numbers of rows as JSON."""
    api_versions, applications, subscriptions = (int(argument) for argument in arguments)
    fill(Size(api_versions=api_versions, applications=applications, subscriptions=subscriptions))
    vacuum()
    print(counts())


if __name__ == "__main__":
    main(sys.argv[1:])
