"""``manage.py run_gateway``: Envoy, kept in step with what is published."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from gateway.running import Gateway


class Command(BaseCommand):
    """Run the gateway."""

    # Pages and URLs are not this process's.
    requires_system_checks: list[str] = []
    help = "Run Envoy on this machine and keep its routes in step with the published APIs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--name", default="default", help="this gateway's name in reports")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        gateway = Gateway(Path(settings.ARCHWAY_HOME) / "gateway", name=options["name"])

        def stop(_number: int, _frame: FrameType | None) -> None:
            gateway.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        gateway.run()
