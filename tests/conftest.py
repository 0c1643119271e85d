"""Rules for every test: in continuous integration nothing may be skipped unseen."""

import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from joserfc.jwk import RSAKey
from xdist.scheduler import LoadScopeScheduling

from tests.ready_keys import ReadyKeys
from tests.servers import keycloak, mitreid, openam

# By the word that the ids of its tests have: the fixture of a server that takes long to start, and that each process
# starts for itself. Of Keycloak a whole run has one, from outside.
ONE_PROCESS_EACH = {"openam": "openam_server", "mitreid": "mitreid_server"}
SLOW_TO_START = (*ONE_PROCESS_EACH.values(), "keycloak_url")
START_SECONDS = 500


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist loadscope`` one process gets all tests of a class or module, and all of a slow server."""
    if config.getvalue("dist") != "loadscope":
        return None
    scheduler = LoadScopeScheduling(config, log)
    scope_of = scheduler._split_scope

    def by_server(nodeid: str) -> str:
        return next((word for word in ONE_PROCESS_EACH if word in nodeid), scope_of(nodeid))

    scheduler._split_scope = by_server
    return scheduler


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a slow server waits for its start within its own time."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for word, fixture in ONE_PROCESS_EACH.items():
            if fixture in fixtures and word not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid} uses {fixture}, so its name must say {word}")
        if not set(SLOW_TO_START).isdisjoint(fixtures):
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
def ready_keys() -> Iterator[ReadyKeys]:
    """Where every RSA key of this process comes from."""
    keys = ReadyKeys(RSAKey.binding.generate_private_key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAKey.binding, "generate_private_key", staticmethod(keys.take))
        yield keys


@pytest.fixture(autouse=True)
def rsa_keys_are_ready(ready_keys: ReadyKeys) -> Iterator[None]:
    """Each test takes its own of the keys at hand."""
    with ready_keys.one_test():
        yield


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
