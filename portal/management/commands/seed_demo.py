"""``manage.py seed_demo``: what a fresh demo contains; prints new passwords once, as JSON on standard output."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.runner.seed import seed


class Command(BaseCommand):
    """Seed the demo."""

    help = "Make the demo's people, plans, key manager and API; prints the passwords of new people once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--backend-url", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed."""
        people = seed(backend_url=options["backend_url"])
        self.stdout.write(json.dumps({person.username: person.password for person in people}))
