"""The main job with a real identity provider that is not ours."""

import subprocess
import sys

import pytest

from portal.runner.layout import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["resident", "oidc-provider", "keycloak"])
def test_the_smoke_command_walks_the_main_job_and_says_so(name: str) -> None:
    flags = [] if name == "resident" else ["--external", name]
    command = [sys.executable, str(ROOT / "manage.py"), "smoke", *flags]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The main job works" in done.stdout
    assert f"{name} registers a client" in done.stdout
