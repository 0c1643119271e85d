"""Rules for every test: in continuous integration nothing may be skipped unseen."""

import os
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from tests.servers import keycloak


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was skipped, and say that this is not allowed where it is not."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("CI"):
        terminalreporter.write_line(f"{len(skipped)} tests were skipped; nothing may be skipped here.", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run with skipped tests into a failed one under CI."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@receiver(post_migrate)
def seeded_plans_survive_a_flush(sender: AppConfig, **_: object) -> None:
    """A test with real transactions empties every table behind it; the plans of the migration must be there again."""
    if sender.name == "subscriptions":
        migration = import_module("subscriptions.migrations.0002_seed_plans")
        migration.seed_plans(apps, None)


@pytest.fixture(scope="session")
def keycloak_url() -> Iterator[str]:
    """Where a real Keycloak answers."""
    with keycloak.shared() as address:
        yield address
