"""``manage.py add_resident_key_manager``: offer the embedded authorization server as a key manager."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import ArchwayError
from keymanager.services.key_managers import ensure_resident


class Command(BaseCommand):
    """Adds the resident key manager, or brings its issuer up to date."""

    help = (
        "Add the resident key manager. Repeat it after ARCHWAY_PUBLIC_URL was changed; else repeating changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make sure that it is there."""
        try:
            row = ensure_resident()
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{row.slug}: {row.issuer}{'' if row.enabled else ' (disabled)'}")
