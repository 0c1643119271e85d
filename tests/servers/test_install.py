"""The installer asks for exactly what is missing, and says so when it may not install it."""

import os
import stat
from pathlib import Path

import pytest

from tests.servers import install
from tests.servers.layout import NODE_PACKAGE


@pytest.fixture
def apt_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian on which redis-server is installed and nothing else; the file lists the calls of apt-get."""
    calls = tmp_path / "calls"
    calls.touch()
    scripts = {
        "dpkg-query": 'for last; do :; done\n[ "$last" = redis-server ] && printf installed && exit 0\nexit 1\n',
        "apt-get": f'echo "$*" >> {calls}\nexit ${{APT_STATUS:-0}}\n',
    }
    for name, text in scripts.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return calls


def test_only_missing_packages_are_installed_after_one_update(apt_calls: Path) -> None:
    assert install.main(["redis-server", "glewlwyd", "postgresql"]) == 0
    assert apt_calls.read_text().splitlines() == [
        "update -q",
        "install -y -q --no-install-recommends glewlwyd postgresql",
    ]


def test_java_and_maven_come_with_the_first_server_that_runs_on_them(
    apt_calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(apt_calls.parent))
    next(install._steps(["redis-server", "openam"]))()
    assert apt_calls.read_text().splitlines()[-1].endswith(" default-jre-headless maven")


def test_nothing_is_run_when_everything_is_there(apt_calls: Path) -> None:
    assert install.main(["redis-server"]) == 0
    assert apt_calls.read_text() == ""


def test_without_root_the_missing_packages_are_named_and_the_status_is_1(
    apt_calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install.main(["redis-server", "glewlwyd", "chromium", "--no-browser"]) == 1
    assert "not root, and missing: glewlwyd (apt-get install glewlwyd)" in capsys.readouterr().err
    assert apt_calls.read_text() == ""


def test_a_failing_apt_get_is_reported(
    apt_calls: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APT_STATUS", "100")
    assert install.main(["glewlwyd"]) == 1
    assert "`apt-get update -q` failed; still missing: glewlwyd" in capfd.readouterr().err
    assert apt_calls.read_text() == "update -q\n"


def test_the_committed_npm_lock_names_no_registry() -> None:
    lock = (NODE_PACKAGE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"node_modules/oidc-provider": {\n      "version": "9.13.3"' in lock
