"""``manage.py demo``: every process of Archway on this machine, loopback only, until Ctrl-C or SIGTERM."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.errors import ConfigurationError
from portal.environment import env_port
from portal.runner.external import EXTERNAL_SLUG, EXTERNALS
from portal.runner.first_calls import first_calls
from portal.runner.installation import start_installation
from portal.runner.layout import BACKEND_PORT_VARIABLE, EXTERNAL_PORT_VARIABLE, Layout
from portal.runner.processes import Children

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: a second one must not interrupt the stopping.
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


class Command(BaseCommand):
    """Run everything."""

    help = "Run web, worker, validator, gateway and a sample backend on this machine."
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
        """Start, say how to make the first call, watch, stop."""
        layout = _layout(external=options["external"])
        children = Children()
        for number in _STOPPING:
            signal.signal(number, _stop)
        try:
            self._run(children, layout)
        except Stopped:
            self.stdout.write("Stopping.")
        except ConfigurationError as exc:
            raise CommandError(str(exc)) from exc
        finally:
            for number in _STOPPING:
                signal.signal(number, signal.SIG_IGN)
            children.stop()

    def _run(self, children: Children, layout: Layout) -> None:
        layout.require_different_ports()
        layout.require_free_ports()
        self.stdout.write("Starting Archway ...")
        self.stdout.flush()
        prepared = start_installation(children, layout)
        self._report(layout, prepared.passwords)
        while True:
            time.sleep(0.5)
            if child := children.ended():
                raise ConfigurationError(f"{child.name} ended (exit {child.exit_code()}):\n{child.log_tail()}")

    def _report(self, layout: Layout, passwords: Mapping[str, str]) -> None:
        if passwords:
            self.stdout.write("People (these passwords are shown once):")
            for username, password in passwords.items():
                self.stdout.write(f"  {username:15} {password}")
        self.stdout.write(first_calls(layout))
        self.stdout.write(self.style.SUCCESS("Archway is ready"))
        self.stdout.write(
            f"Portal {layout.web_url}   gateway {layout.gateway_url}   data and logs {layout.home}   Ctrl-C stops"
        )
        self.stdout.flush()


def _layout(*, external: str) -> Layout:
    return Layout(
        home=Path(settings.ARCHWAY_HOME),
        web_port=settings.ARCHWAY_PORT,
        gateway_port=settings.ARCHWAY_GATEWAY_PORT,
        validator_port=settings.ARCHWAY_VALIDATOR_PORT,
        backend_port=env_port(BACKEND_PORT_VARIABLE, settings.ARCHWAY_PORT + 2),
        external_port=env_port(EXTERNAL_PORT_VARIABLE, settings.ARCHWAY_PORT + 3) if external else 0,
        external=external or EXTERNAL_SLUG,
    )
