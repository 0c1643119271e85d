"""Rules for every test: in continuous integration nothing may be skipped unseen."""

import os
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from tests.servers import keycloak, mitreid, openam

# Servers that take long to start, by their fixtures. Of the first two each process that needs one starts its own, so
# tests that use them are kept in one process; every process may have the third from outside.
ONE_PROCESS_EACH = ("openam_server", "mitreid_server")
SLOW_TO_START = (*ONE_PROCESS_EACH, "keycloak_url")
START_SECONDS = 500


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups for ``--dist loadgroup``: tests that share a slow server, else those of one class or module."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        used = [name for name in ONE_PROCESS_EACH if name in fixtures]
        item.add_marker(pytest.mark.xdist_group(used[0] if used else item.nodeid.rpartition("::")[0]))
        if not set(SLOW_TO_START).isdisjoint(fixtures):
            # The first test of them waits for the start, within its own time.
            item.add_marker(pytest.mark.timeout(START_SECONDS))


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


@pytest.fixture(scope="session")
def openam_server() -> Iterator[openam.OpenAmServer]:
    """A real OpenAM, set up anew; whoever changes its settings puts them back."""
    with openam.start() as started:
        yield started


@pytest.fixture(scope="session")
def mitreid_server() -> Iterator[mitreid.MitreidServer]:
    """A real MITREid Connect."""
    with mitreid.start() as started:
        yield started
