"""Adapters in packages of their own: found by entry point, proven by our suite, and harmless when they are broken."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from keymanager.adapters.registry import GROUP, SHIPPED, PackageFault, found_in_packages
from keymanager.adapters.rfc import RfcAdapter
from keymanager.system_checks import check_adapter_packages

ROOT = Path(__file__).resolve().parents[2]
PORTER = ROOT / "tests" / "packages" / "porter"
BETTERAUTH = ROOT / "tests" / "packages" / "betterauth"


class Good(RfcAdapter):
    slug = "good"


class WithoutLabel(RfcAdapter):
    slug = "unlabelled"
    label = ""


NO_ADAPTER = object()


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=f"{__name__}:{value}" if ":" not in value else value, group=GROUP)


def test_an_adapter_is_found_by_its_entry_point() -> None:
    assert found_in_packages([point("good", "Good")], SHIPPED) == ({"good": Good}, [])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("good", "nowhere.at_all:Adapter", "cannot be imported: ModuleNotFoundError"),
        ("good", "Missing", "cannot be imported: AttributeError"),
        ("good", "NO_ADAPTER", "is no KeyManagerAdapter"),
        ("other", "Good", "must be the adapter's slug, which is 'good'"),
        ("unlabelled", "WithoutLabel", "needs a label"),
        ("rfc", "Good", "There is an adapter 'rfc' already."),
    ],
)
def test_a_broken_entry_point_gives_no_adapter_and_says_why(name: str, value: str, words: str) -> None:
    adapters, (fault,) = found_in_packages([point(name, value)], SHIPPED)
    assert adapters == {}
    assert words in fault.reason


def test_of_two_packages_with_one_slug_the_second_is_refused() -> None:
    adapters, faults = found_in_packages([point("good", "Good"), point("good", "Good")], SHIPPED)
    assert (list(adapters), len(faults)) == (["good"], 1)


def test_a_broken_package_is_an_error_of_the_system_check(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = PackageFault(name="porter", distribution="archway-porter", reason="It cannot be imported.")
    monkeypatch.setattr("keymanager.system_checks.PACKAGE_FAULTS", [fault])
    (error,) = check_adapter_packages()
    assert (error.id, error.is_serious()) == ("keymanager.E001", True)
    assert "archway-porter" in error.msg


@pytest.mark.parametrize(
    "module",
    [
        "contract",
        "rfc.adapter",
        "rfc.check",
        "rfc.answers",
        "trial_client",
        "verification",
        "managed_clients",
        "api_registry",
    ],
)
def test_what_the_guide_names_can_be_imported_first(module: str) -> None:
    run(dict(os.environ), "-c", f"import keymanager.adapters.{module}")


def installed_package(package: Path, tests: Path, scratch: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that sees the package, installed into a folder of its own, and its ``tests``."""
    target = scratch.mktemp("packages")
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--offline", "--quiet", "--no-deps", "--target", target, package]
    subprocess.run([str(part) for part in command], check=True, timeout=60)
    path = os.pathsep.join([str(target), str(ROOT), str(tests)])
    return {**os.environ, "PYTHONPATH": path, "ARCHWAY_HOME": str(scratch.mktemp("home"))}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installed_package(PORTER, PORTER, tmp_path_factory)


def run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_package_passes_the_conformance_suite(installed: dict[str, str]) -> None:
    printed = run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", str(PORTER / "conformance.py"))
    assert " passed" in printed


def test_the_portal_offers_the_example_package(installed: dict[str, str]) -> None:
    run(installed, "manage.py", "check")
    assert "porter" in run(installed, "manage.py", "keymanager", "add", "--help")


@pytest.mark.servers
def test_a_package_for_a_real_server_passes_the_conformance_suite(tmp_path_factory: pytest.TempPathFactory) -> None:
    tests = BETTERAUTH / "tests"
    environment = installed_package(BETTERAUTH, tests, tmp_path_factory)
    run(environment, "manage.py", "check")
    assert "betterauth" in run(environment, "manage.py", "keymanager", "add", "--help")
    printed = run(environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", str(tests / "conformance.py"))
    assert " passed" in printed
