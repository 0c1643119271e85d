"""One web process for each part of the portal, all on one database."""

from collections.abc import Iterator, Mapping

import pytest

from portal.parts import PARTS
from portal.runner.installation import web
from portal.runner.processes import Children, free_ports
from tests.e2e.installed import Installation

# A busy machine takes its time to start so many processes.
pytestmark = pytest.mark.timeout(300)

# A path that each part answers when its process has it.
PATHS: Mapping[str, str] = {
    "publisher": "/api/v1/publisher/apis/",
    "store": "/api/v1/store/apis/",
    "administration": "/api/v1/admin/plans/",
    "keymanager": "/.well-known/oauth-authorization-server",
}


@pytest.fixture(scope="module")
def parts(installation: Installation) -> Iterator[Mapping[str, str]]:
    """Base URL of each part's own process."""
    children = Children()
    ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
    try:
        children.start(
            *(web(installation.layout, name=f"web-{part}", port=port, parts=[part]) for part, port in ports.items())
        )
        children.await_ready()
        yield {part: f"http://127.0.0.1:{port}" for part, port in ports.items()}
    finally:
        children.stop()


def test_the_main_job_is_walked_across_four_processes_with_one_part_each(
    installation: Installation, parts: Mapping[str, str]
) -> None:
    installation.walk(suffix="-parts", bases=[parts["publisher"], parts["store"], parts["keymanager"]]).run()


@pytest.mark.parametrize("part", PARTS)
def test_only_the_process_that_has_a_part_answers_its_urls(
    installation: Installation, parts: Mapping[str, str], part: str
) -> None:
    statuses = {served: installation.http.get(f"{base}{PATHS[part]}").status_code for served, base in parts.items()}

    assert {served for served, status in statuses.items() if status != 404} == {part}
