"""Where a run's processes listen and keep their data, and what they are told."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import ConfigurationError
from portal.runner.processes import require_free

ROOT = Path(__file__).resolve().parent.parent.parent
BACKEND_PORT_VARIABLE = "ARCHWAY_SAMPLE_BACKEND_PORT"
EXTERNAL_PORT_VARIABLE = "ARCHWAY_OIDC_PROVIDER_PORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Ports and the data folder of one run on one machine, loopback only.

    ``fresh``: settings of Archway in the caller's environment are not this run's. ``more``: further variables.
    ``external``: which server the second key manager is, if ``external_port`` is given.
    """

    home: Path
    web_port: int
    gateway_port: int
    validator_port: int
    backend_port: int
    external_port: int = 0
    external: str = "oidc-provider"
    fresh: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def web_url(self) -> str:
        """Where the portal answers."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def backend_url(self) -> str:
        """Where the sample backend answers."""
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def external_url(self) -> str:
        """Issuer of the second key manager, or ""."""
        realm = "/realms/archway" if self.external == "keycloak" else ""
        return f"http://127.0.0.1:{self.external_port}{realm}" if self.external_port else ""

    @property
    def external_file(self) -> Path:
        """Where the second key manager writes how it is to be reached."""
        return self.home / f"{self.external}.json"

    @property
    def validator_socket(self) -> Path:
        """Where the gateway asks the validator, which is on the same machine."""
        return self.home / "validator.sock"

    def environment(self) -> dict[str, str]:
        """The whole environment of every process of the run."""
        inherited = {
            name: value for name, value in os.environ.items() if not (self.fresh and name.startswith("ARCHWAY_"))
        }
        return {
            "ARCHWAY_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            **inherited,
            "ARCHWAY_HOME": str(self.home),
            "ARCHWAY_PORT": str(self.web_port),
            "ARCHWAY_GATEWAY_PORT": str(self.gateway_port),
            "ARCHWAY_VALIDATOR_PORT": str(self.validator_port),
            "ARCHWAY_VALIDATOR_SOCKET": str(self.validator_socket),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **self.more,
        }

    def require_different_ports(self) -> None:
        """Raise ``ConfigurationError`` naming two variables that give the same port."""
        variables: dict[int, str] = {}
        for variable, port in self._ports().items():
            if (other := variables.setdefault(port, variable)) != variable:
                raise ConfigurationError(f"Port {port} is given twice: {other} and {variable} must differ.")

    def require_free_ports(self) -> None:
        """Raise ``ConfigurationError`` naming the first port that is taken and the variable that changes it."""
        for variable, port in self._ports().items():
            require_free(port, variable)

    def _ports(self) -> dict[str, int]:
        ports = {
            "ARCHWAY_PORT": self.web_port,
            "ARCHWAY_GATEWAY_PORT": self.gateway_port,
            "ARCHWAY_VALIDATOR_PORT": self.validator_port,
            BACKEND_PORT_VARIABLE: self.backend_port,
        }
        return {**ports, EXTERNAL_PORT_VARIABLE: self.external_port} if self.external_port else ports

    def manage(self, *arguments: str) -> list[str]:
        """The command line of a management command."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def run_management(self, *arguments: str) -> str:
        """Run a management command to its end; its standard output. Raises ``ConfigurationError``."""
        done = subprocess.run(
            self.manage(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            check=False,
            text=True,
        )
        if done.returncode:
            raise ConfigurationError(f"manage.py {arguments[0]} failed (exit {done.returncode}).")
        return done.stdout
