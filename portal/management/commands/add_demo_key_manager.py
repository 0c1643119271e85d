"""``manage.py add_demo_key_manager``: the demo's oidc-provider as a second key manager."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.runner.external import add_external_key_manager


class Command(BaseCommand):
    """Add it."""

    help = "Add the demo's oidc-provider as a key manager."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--issuer", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Add it when it is missing."""
        add_external_key_manager(options["issuer"])
