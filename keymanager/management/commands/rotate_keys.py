"""``manage.py rotate_keys``: seal every stored secret anew with the newest key."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from keymanager import sealing
from keymanager.services.key_rotation import rotate_keys


class Command(BaseCommand):
    """Rotate."""

    help = "Seal every stored secret anew with the newest key; prints counts. It can be interrupted and repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--new-key", action="store_true", help="make a new key in the key file first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key if asked, then rotate."""
        if options["new_key"]:
            if settings.ARCHWAY_SECRET_KEYS:
                raise CommandError("The keys are in ARCHWAY_SECRET_KEYS: put the new one first there.")
            self.stdout.write(f"new key: {sealing.add_key().key_id}")
        for label, count in rotate_keys().items():
            self.stdout.write(f"{label}: {count}")
