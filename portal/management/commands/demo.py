"""``manage.py demo``: every process of Archway on this machine, loopback only, until Ctrl-C or SIGTERM."""

import json
import signal
import time
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.errors import ConfigurationError
from portal.environment import env_int
from portal.runner.first_calls import first_calls
from portal.runner.layout import BACKEND_PORT_VARIABLE, EXTERNAL_PORT_VARIABLE, Layout, start_all, start_external
from portal.runner.processes import Children


class Stopped(BaseException):
    """Ctrl-C or SIGTERM."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


class Command(BaseCommand):
    """Run everything."""

    help = "Run web, worker, validator, gateway and a sample backend on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--external", action="store_true", help="also a real oidc-provider as key manager")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, say how to make the first call, watch, stop."""
        layout = _layout(external=options["external"])
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        children = Children()
        try:
            self._run(children, layout)
        except Stopped:
            self.stdout.write("Stopping.")
        except ConfigurationError as exc:
            raise CommandError(str(exc)) from exc
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            children.stop()

    def _run(self, children: Children, layout: Layout) -> None:
        layout.require_free_ports()
        prepare(layout)
        passwords = seed(layout)
        if layout.external_port:
            start_external(children, layout)
            layout.run_management("add_demo_key_manager", "--issuer", layout.external_url)
        start_all(children, layout)
        self._report(layout, passwords)
        while True:
            time.sleep(0.5)
            if child := children.ended():
                raise ConfigurationError(f"{child.name} ended (exit {child.exit_code()}):\n{child.log_tail()}")

    def _report(self, layout: Layout, passwords: dict[str, str]) -> None:
        if passwords:
            self.stdout.write("People (these passwords are shown once):")
            for username, password in passwords.items():
                self.stdout.write(f"  {username:15} {password}")
        self.stdout.write(first_calls(layout))
        self.stdout.write(self.style.SUCCESS("Archway is ready"))
        self.stdout.write(
            f"Portal {layout.web_url}   gateway {layout.gateway_url}   data and logs {layout.home}   Ctrl-C stops"
        )


def _layout(*, external: bool) -> Layout:
    return Layout(
        home=Path(settings.ARCHWAY_HOME),
        web_port=settings.ARCHWAY_PORT,
        gateway_port=settings.ARCHWAY_GATEWAY_PORT,
        validator_port=settings.ARCHWAY_VALIDATOR_PORT,
        backend_port=env_int(BACKEND_PORT_VARIABLE, settings.ARCHWAY_PORT + 2),
        external_port=env_int(EXTERNAL_PORT_VARIABLE, settings.ARCHWAY_PORT + 3) if external else 0,
    )


def prepare(layout: Layout) -> None:
    """Migrate the database and collect static files."""
    for arguments in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        layout.run_management(*arguments)


def seed(layout: Layout) -> dict[str, str]:
    """Seed the demo; the passwords of people who are new."""
    passwords: dict[str, str] = json.loads(layout.run_management("seed_demo", "--backend-url", layout.backend_url))
    return passwords
