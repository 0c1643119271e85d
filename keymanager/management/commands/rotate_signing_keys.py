"""``manage.py rotate_signing_keys``: sign the backend JWT and the resident's tokens with new keys."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import ArchwayError
from keymanager.services.signing_keys import rotate_backend_jwt_key, rotate_resident_key


class Command(BaseCommand):
    """Rotates both kinds of signing keys, or one."""

    help = "Sign with new keys from now on. The old ones stay published for a while, then they are deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--resident", action="store_true", help="only the key of the resident key manager's tokens")
        choice.add_argument("--backend-jwt", action="store_true", help="only the key of the backend JWT")
        parser.add_argument(
            "--retire-after",
            type=int,
            metavar="SECONDS",
            help="how long the old keys stay published (default: as long as something signed with them can be alive, "
            "and up to an hour more); 0 after a key was stolen",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and print the new key ids."""
        seconds: int | None = options["retire_after"]
        if seconds is not None and not 0 <= seconds <= timedelta(days=3650).total_seconds():
            raise CommandError("--retire-after: From 0 seconds to ten years.")
        published_for = None if seconds is None else timedelta(seconds=seconds)
        try:
            if not options["resident"]:
                self.stdout.write(f"backend JWT: {rotate_backend_jwt_key(published_for=published_for)}")
            if not options["backend_jwt"]:
                self.stdout.write(f"resident key manager: {rotate_resident_key(published_for=published_for)}")
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc
