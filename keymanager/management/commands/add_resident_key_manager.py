"""``manage.py add_resident_key_manager``: offer the embedded authorization server as a key manager."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import ArchwayError
from keymanager.services.key_managers import ensure_resident, resident_was_deleted


class Command(BaseCommand):
    """Adds the resident key manager, or brings its issuer up to date."""

    help = (
        "Add the resident key manager. Repeat it after ARCHWAY_PUBLIC_URL was changed; else repeating changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("--again", action="store_true", help="add it although an administrator has deleted it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make sure that it is there."""
        if resident_was_deleted() and not options["again"]:
            raise CommandError("An administrator has deleted it. Give --again to add it anew.")
        try:
            row = ensure_resident()
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{row.slug}: {row.issuer}{'' if row.enabled else ' (disabled)'}")
