"""``manage.py support_matrix``: what key managers can do, as the table of the docs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from keymanager.adapters.registry import SHIPPED
from keymanager.services.support_matrix import presets_table, reference_table, settings_table, support_matrix


class Command(BaseCommand):
    """Prints Markdown."""

    help = "Print what each key manager adapter can do, or its settings, or its presets, as a Markdown table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--settings-of", choices=sorted(SHIPPED), help="the settings of this adapter instead")
        choice.add_argument("--reference", action="store_true", help="how far each is proven, and what it needs there")
        choice.add_argument("--presets", action="store_true", help="what the presets of the rfc adapter set instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        if options["settings_of"]:
            table = settings_table(options["settings_of"])
        elif options["reference"]:
            table = reference_table()
        else:
            table = presets_table() if options["presets"] else support_matrix()
        self.stdout.write(table, ending="")
