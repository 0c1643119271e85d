"""The demo as a new user meets it."""

import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from portal.runner.layout import ROOT, Layout
from portal.runner.processes import free_ports
from tests.e2e.demo_run import DemoRun, first_calls_of

# A busy machine takes its time to start so many processes.
pytestmark = pytest.mark.timeout(300)

PORTS = ("ARCHWAY_PORT", "ARCHWAY_GATEWAY_PORT", "ARCHWAY_VALIDATOR_PORT", "ARCHWAY_SAMPLE_BACKEND_PORT")


@pytest.fixture
def ports() -> Mapping[str, int]:
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))


@pytest.fixture
def runs() -> Iterator[list[DemoRun]]:
    """Runs that are ended whatever happens."""
    started: list[DemoRun] = []
    yield started
    for run in started:
        if run.process.poll() is None:
            run.process.terminate()
            run.end()


def applications(home: Path) -> int:
    with closing(sqlite3.connect(home / "archway.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM subscriptions_application").fetchone()[0])


def test_the_demo_makes_the_printed_first_calls_work_stops_at_once_and_keeps_its_data(
    tmp_path: Path, ports: Mapping[str, int], runs: list[DemoRun]
) -> None:
    home = tmp_path / "a home"
    first = DemoRun(home, ports)
    runs.append(first)
    printed = first.read_until_ready()
    assert "these passwords are shown once" in printed

    commands = first_calls_of(printed)
    done = subprocess.run(
        ["bash", "-c", commands],
        cwd=ROOT,
        env=first.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "HTTP/1.1 200 OK" in done.stdout.splitlines()[-20:], done.stdout + done.stderr
    assert '"books"' in done.stdout
    assert home.stat().st_mode & 0o077 == 0

    told = time.monotonic()
    first.process.send_signal(signal.SIGTERM)
    assert first.end() == 0
    assert time.monotonic() - told < 5
    assert first.processes() == []

    second = DemoRun(home, ports)
    runs.append(second)
    assert "passwords" not in second.read_until_ready()
    assert applications(home) == 1
    second.process.send_signal(signal.SIGINT)
    assert second.end() == 0
    assert second.processes() == []


def test_a_port_that_is_taken_is_named_with_the_variable_that_changes_it(
    tmp_path: Path, ports: Mapping[str, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = DemoRun(tmp_path / "home", {**ports, "ARCHWAY_GATEWAY_PORT": port})
        assert run.end() == 1

    assert f"Port {port} is taken" in run.printed
    assert f"ARCHWAY_GATEWAY_PORT={port + 1}" in run.printed


@pytest.mark.parametrize("variable", PORTS)
def test_every_port_is_looked_at_before_anything_is_started(
    tmp_path: Path, ports: Mapping[str, int], variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web, gateway, validator, backend = {**ports, variable: taken.getsockname()[1]}.values()
        layout = Layout(
            home=tmp_path, web_port=web, gateway_port=gateway, validator_port=validator, backend_port=backend
        )
        with pytest.raises(ConfigurationError, match=f"{variable}="):
            layout.require_free_ports()
