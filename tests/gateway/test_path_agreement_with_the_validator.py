"""The same nasty paths through a second Envoy that asks the real validator on its Unix socket; one API is open only.

What the first gateway's validator was asked says what Envoy sends; reading it by ``common.paths`` says what the real
one must answer. So a byte that its HTTP server read in another way would show.
"""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings

from common.gateway_contract import CHECK_EXACTLY
from common.paths import PrefixTable, gateway_path
from gateway.envoy.config import build_config
from gateway.envoy.declarations import GatewaySettings
from gateway.envoy.files import write_config
from gateway.envoy.process import EnvoyProcess
from tests.gateway.conftest import PORTAL, Gateway
from tests.gateway.test_path_agreement import TARGETS, api_of
from tests.servers.process import ServerProcess, free_port

pytestmark = pytest.mark.gateway

ROOT = Path(__file__).resolve().parents[2]
OPEN = "/museum/1.0.0"


@pytest.fixture(scope="module")
def validator(
    gateway: Gateway, new_portal_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """``run_validator`` over a portal that has published the gateway's APIs; ``OPEN`` needs no token."""
    home = tmp_path_factory.mktemp("validator")
    database = shutil.copyfile(new_portal_database, home / "portal.sqlite3")
    environment = {
        **os.environ,
        "ARCHWAY_HOME": str(home),
        "ARCHWAY_DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONPATH": str(ROOT),
    }
    prefixes = sorted(_published(gateway), key=lambda prefix: prefix != OPEN)
    subprocess.run(
        [sys.executable, "-m", "tests.integration.validator_actions", "publish", *prefixes],
        cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    process = ServerProcess("validator", home=home)
    process.start(
        [sys.executable, ROOT / "manage.py", "run_validator", "--port", str(process.port), "--socket", home / "v.sock"],
        ready=lambda: _is_ready(process.port),
        seconds=60.0,
        environment=environment,
    )
    yield process
    process.stop()


@pytest.fixture(scope="module")
def judged_for_real(
    gateway: Gateway, validator: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The gateway's APIs and backend behind the real validator."""
    folder = tmp_path_factory.mktemp("envoy")
    options = GatewaySettings(
        listen_port=free_port(),
        validator_socket=str(validator.home / "v.sock"),
        portal_url=PORTAL,
        cors_origins=(PORTAL,),
        workers=1,
    )
    write_config(folder, build_config(options, gateway.apis, folder=folder))
    with EnvoyProcess(folder, options) as process:
        yield replace(gateway, port=options.listen_port, process=process, folder=folder)


def _published(gateway: Gateway) -> list[str]:
    """Prefixes of the portal's APIs: it does not take two that differ in case only."""
    return [api.prefix for api in gateway.apis if api.id != "upper"]


def _is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


@given(target=TARGETS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(target="/museum/1.0.0/2/x")
@example(target="/museum/1.0.0;v=2/x")
@example(target="/museum/1.0.0/..;/1/x")
@example(target="/museum/1.0.0/%252e%252e/1")
@example(target="/museum/1.0.0/%C3%BC[0]|^`{}")
@example(target="/museum/1.0.0/\xff\xc3\xbc")
@example(target="/museum/1.0.0?/../../api4/1")
@example(target="/museum/1.0.0??a=%00&b= \xfc")
@example(target="/museum/1.0.0#/../../api4/1")
@example(target="/museum/1.0.0/" + "../" * 500 + "api4/1/x")
@example(target="/museum/1.0.0/" + "x/" * 3000)
@example(target="http://a.test/museum/1.0.0/../../api4/1/x")
def test_the_validator_as_it_runs_judges_the_api_that_envoy_calls(
    gateway: Gateway, judged_for_real: Gateway, target: str
) -> None:
    table = PrefixTable((prefix, prefix) for prefix in _published(gateway))
    mark = str(uuid.uuid4())
    gateway.call(target, ("x-request-id", mark))
    asked = gateway.validator.received(mark)
    answer = judged_for_real.call(target, token="")
    if not asked:
        assert answer.status in {400, 404, 431}
        return
    path = gateway_path(asked[0].target.removeprefix(CHECK_EXACTLY))
    found = table.find(path) if path is not None else None
    if path is None:
        assert (answer.status, answer.code) == (400, "bad_path")
    elif found is None:
        assert (answer.status, answer.code) == (404, "api_not_found")
    elif found[0] != OPEN:
        assert (answer.status, answer.code) == (401, "token_missing")
    else:
        assert answer.status == 200
        assert api_of(answer) == ("museum", found[1])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_that_envoy_forwards_is_read_by_the_validator(judged_for_real: Gateway, method: str) -> None:
    answer = judged_for_real.call("/museum/1.0.0/x", method=method, token="")
    assert answer.status == (200 if method in {"GET", "HEAD"} else 405)


@pytest.mark.parametrize("size", [100, 8_000, 20_000])
def test_headers_as_long_as_envoy_takes_them_reach_the_validator(judged_for_real: Gateway, size: int) -> None:
    answer = judged_for_real.call("/museum/1.0.0/x", ("user-agent", "x" * size), ("x-request-id", "\xff"), token="")
    assert answer.status == 200


def test_a_body_is_left_for_the_backend(judged_for_real: Gateway) -> None:
    answer = judged_for_real.call("/museum/1.0.0/x", token="", body=b"x" * 50_000)
    assert answer.echoed.body_bytes == 50_000
