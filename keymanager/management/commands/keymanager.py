"""``manage.py keymanager``: list, discover, add, check, enable and disable key managers, for automation."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from accounts.models import Role
from common.errors import ArchwayError, InputError, NotFound
from keymanager.adapters.contract import StepState
from keymanager.adapters.registry import ADAPTERS
from keymanager.models import KeyManager, WhenDisabled
from keymanager.services import key_managers
from keymanager.services.checks import check_now
from keymanager.services.discovery import Discovered
from keymanager.services.discovery_findings import Level

# Whoever can run commands can do everything; the audit log says that it was here.
_OPERATOR = Actor(name="manage.py", roles=frozenset({Role.ADMINISTRATOR}))


class Command(BaseCommand):
    """One sub-command per action. Exit status 0: done and good; 1: it was refused, or a step failed."""

    help = "List key managers, discover what a server is, add one, check its connection, enable or disable it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sub-commands."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="one line for each: slug, adapter, state, issuer")
        discover = actions.add_parser("discover", help="what a server says of itself, and what looks wrong")
        discover.add_argument("url", help="its issuer, or its discovery document")
        discover.add_argument("--adapter", default="", choices=sorted(ADAPTERS))
        discover.add_argument("--json", action="store_true", help="print the configuration to begin with")
        add = actions.add_parser("add", help="add a key manager")
        add.add_argument("slug")
        add.add_argument("--adapter", required=True, choices=sorted(ADAPTERS))
        add.add_argument("--name", default="", help="default: the slug")
        add.add_argument("--config", default="-", metavar="FILE", help="a JSON object; - (default) is stdin")
        add.add_argument("--disabled", action="store_true", help="save it switched off")
        check = actions.add_parser("check", help="try everything that applications need, with a throw-away client")
        check.add_argument("slug")
        actions.add_parser("enable", help="switch it on").add_argument("slug")
        disable = actions.add_parser("disable", help="no new clients there")
        disable.add_argument("slug")
        disable.add_argument("--tokens", default="refuse", choices=WhenDisabled.values, help="its tokens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sub-command."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except InputError as exc:
            named = [f"{name}: {' '.join(messages)}" for name, messages in exc.fields.items()]
            raise CommandError("\n".join(named) or exc.message) from exc
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc

    def _list(self, options: dict[str, Any]) -> None:
        for row in KeyManager.objects.order_by("created_at", "id"):
            state = "enabled" if row.enabled else f"disabled (tokens: {row.when_disabled})"
            self.stdout.write("\t".join([row.slug, row.adapter, state, row.issuer]))

    def _discover(self, options: dict[str, Any]) -> None:
        found = key_managers.discover(url=options["url"], adapter=options["adapter"])
        if options["json"]:
            self.stdout.write(json.dumps(found.config, indent=2))
        else:
            self._tell(found)
        if any(item.level == Level.FATAL for item in found.findings):
            sys.exit(1)

    def _tell(self, found: Discovered) -> None:
        self.stdout.write(f"issuer: {found.issuer}\ndocument: {found.document_url or '(none)'}")
        self.stdout.write(f"adapter: {found.adapter}{f', preset {found.preset}' if found.preset else ''}")
        for suggestion in found.suggestions:
            self.stdout.write(f"  {suggestion.adapter} fits: {suggestion.reason}")
        for setting in found.settings:
            value = "(to be given)" if setting.origin == "person" else json.dumps(setting.value)
            self.stdout.write(f"setting {setting.name} = {value} [{setting.origin}]")
        for finding in found.findings:
            self.stdout.write(f"{finding.level} {finding.code}: {finding.message}")

    def _add(self, options: dict[str, Any]) -> None:
        row = key_managers.create_key_manager(
            actor=_OPERATOR,
            slug=options["slug"],
            name=options["name"] or options["slug"],
            adapter=options["adapter"],
            config=_config(options["config"]),
            enabled=not options["disabled"],
        )
        self.stdout.write(f"{row.slug}: {row.issuer}")

    def _check(self, options: dict[str, Any]) -> None:
        failed = False
        for step in check_now(actor=_OPERATOR, key_manager=_row(options["slug"])):
            self.stdout.write(f"{step.state.value:8}{step.name} ({step.milliseconds} ms) {step.reason}".rstrip())
            self.stdout.flush()
            failed = failed or step.state is StepState.FAILED
        if failed:
            sys.exit(1)

    def _enable(self, options: dict[str, Any]) -> None:
        key_managers.enable_key_manager(actor=_OPERATOR, key_manager=_row(options["slug"]))
        self.stdout.write(f"{options['slug']}: enabled")

    def _disable(self, options: dict[str, Any]) -> None:
        row = _row(options["slug"])
        key_managers.disable_key_manager(actor=_OPERATOR, key_manager=row, when_disabled=options["tokens"])
        self.stdout.write(f"{row.slug}: disabled (tokens: {options['tokens']})")


def _row(slug: str) -> KeyManager:
    row = KeyManager.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"There is no key manager {slug!r}.")
    return row


def _config(source: str) -> dict[str, Any]:
    """The configuration from a file or standard input. Raises ``CommandError``; its text is never repeated."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as exc:
        raise CommandError(f"--config: {source} cannot be read as JSON ({type(exc).__name__}).") from exc
    if not isinstance(value, dict):
        raise CommandError("--config: This must be a JSON object.")
    return value
