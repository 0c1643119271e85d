"""``manage.py smoke``: everything in a fresh folder on free ports, the main job walked once, then stopped."""

import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import ConfigurationError
from portal.runner.calls import WalkFailed
from portal.runner.external import EXTERNAL_SLUG, EXTERNALS
from portal.runner.installation import start_installation
from portal.runner.layout import Layout
from portal.runner.processes import Children, free_ports
from portal.runner.walk import Walk


class Command(BaseCommand):
    """Walk the main job."""

    help = "Start everything in a fresh folder on free ports, walk the main job by REST, stop."

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--external",
            nargs="?",
            const=EXTERNAL_SLUG,
            default="",
            choices=EXTERNALS,
            help="with a real server as second key manager",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, walk, stop."""
        external: str = options["external"]
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="archway-smoke-") as folder:
            web, gateway, validator, backend, provider = free_ports(5)
            layout = Layout(
                home=Path(folder),
                web_port=web,
                gateway_port=gateway,
                validator_port=validator,
                backend_port=backend,
                external_port=provider if external else 0,
                external=external or EXTERNAL_SLUG,
                fresh=True,
            )
            children = Children()
            try:
                self._walk(children, layout)
            except (WalkFailed, ConfigurationError) as exc:
                logs = "\n\n".join(f"--- {child.name}\n{child.log_tail(25)}" for child in children.children)
                raise CommandError(f"{exc}\n\n{logs}") from exc
            finally:
                children.stop()
        self.stdout.write(self.style.SUCCESS(f"The main job works ({time.monotonic() - started:.1f} s)"))

    def _walk(self, children: Children, layout: Layout) -> None:
        started = time.monotonic()
        prepared = start_installation(children, layout, tokens_for=("api-developer", "app-developer"))
        self.stdout.write(f"  ok  {(time.monotonic() - started) * 1000:7.0f} ms  everything runs")
        Walk(
            publisher_url=layout.web_url,
            store_url=layout.web_url,
            front_door_url=layout.web_url,
            gateway_url=layout.gateway_url,
            backend_url=layout.backend_url,
            key_manager=layout.external if layout.external_port else "resident",
            developer_token=prepared.tokens["api-developer"],
            subscriber_token=prepared.tokens["app-developer"],
            say=self.stdout.write,
        ).run()
