"""Serve the validator that the gateway asks about every call."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Becomes the supervisor: one process to signal, and nothing of this command stays in memory."""

    # Pages and URLs are not this process's; it must start without them.
    requires_system_checks: list[str] = []
    help = "Serve the validator. The gateway asks it about every call."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and with how many processes."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.ARCHWAY_VALIDATOR_PORT)
        parser.add_argument(
            "--socket", default=settings.ARCHWAY_VALIDATOR_SOCKET, help="a Unix socket besides the port"
        )
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Does not return."""
        command = validator_command(
            host=options["host"], port=options["port"], local=options["socket"], workers=options["workers"]
        )
        self.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606 - a fixed program with parsed arguments


def validator_command(*, host: str, port: int, local: str = "", workers: int) -> list[str]:
    """The server's command line, for whoever wants to start it otherwise. ``local``: a Unix socket, or ""."""
    return [
        sys.executable, "-m", "keymanager.validation.supervisor",
        "--host", host,
        "--port", str(port),
        "--socket", local,
        "--workers", str(workers),
    ]  # fmt: skip
