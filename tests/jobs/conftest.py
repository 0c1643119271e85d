"""People and servers for the tests of registrations."""

from collections.abc import Iterator

import pytest

from accounts.actor import Actor
from accounts.models import Role
from keymanager.services.adapters import close_adapters
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, person


@pytest.fixture(autouse=True)
def no_adapter_outlives_a_test() -> Iterator[None]:
    yield
    close_adapters()


@pytest.fixture
def admin(db: None) -> Actor:
    return person("admin", Role.ADMINISTRATOR)


@pytest.fixture
def developer(db: None) -> Actor:
    return person("app-developer", Role.APP_DEVELOPER)


@pytest.fixture
def server() -> Iterator[RfcServer]:
    with RfcServer() as running:
        yield running


@pytest.fixture
def worker() -> Worker:
    return Worker()
