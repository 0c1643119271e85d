"""``manage.py prepare_demo``: all that must be done before the demo's processes start, in one go.

Prints one JSON object: ``passwords`` of people who are new (shown once), and the ``tokens`` that were asked for.
"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.models import User
from accounts.services import create_api_token
from portal.runner.external import EXTERNAL_SLUG, EXTERNALS, add_external_key_manager
from portal.runner.seed import seed


class Command(BaseCommand):
    """Prepare the data folder."""

    help = "Migrate, collect static files, make the demo's people, plans, key managers and API where they are missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--backend-url", required=True)
        parser.add_argument("--external-issuer", default="", help="add the server there as a key manager")
        parser.add_argument("--external-file", type=Path, help="its adapter and settings, as it wrote them")
        parser.add_argument("--external", choices=EXTERNALS, default=EXTERNAL_SLUG, help="which server that is")
        parser.add_argument("--token", action="append", default=[], help="make an API token for this user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare; repeating it keeps what is there."""
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        people = seed(backend_url=options["backend_url"])
        if options["external_issuer"]:
            add_external_key_manager(options["external"], options["external_issuer"], options["external_file"])
        tokens = {name: _token(name) for name in options["token"]}
        passwords = {person.username: person.password for person in people}
        self.stdout.write(json.dumps({"passwords": passwords, "tokens": tokens}))


def _token(username: str) -> str:
    user = User.objects.get(username=username)
    return create_api_token(user=user, name="made at the start", may_introspect=False).value
