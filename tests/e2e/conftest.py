"""One installation for all tests of this folder that one test process runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installed import Installation


@pytest.fixture(scope="session")
def installation(new_portal_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation") / "home", database=new_portal_database)
    try:
        made.start()
        yield made
    finally:
        made.stop()
