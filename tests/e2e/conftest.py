"""One installation for all tests of this folder that one test process runs."""

from collections.abc import Iterator

import pytest

from tests.e2e.installed import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation") / "home")
    try:
        made.start()
        yield made
    finally:
        made.stop()
