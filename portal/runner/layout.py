"""Which processes a run has, where they listen and keep their data."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigurationError
from portal.runner.processes import Child, Children, answers, require_free
from portal.runner.sample_api import SAMPLE_SCOPES

ROOT = Path(__file__).resolve().parent.parent.parent
BACKEND_PORT_VARIABLE = "ARCHWAY_SAMPLE_BACKEND_PORT"
EXTERNAL_PORT_VARIABLE = "ARCHWAY_OIDC_PROVIDER_PORT"
# Of a throw-away server on loopback.
EXTERNAL_REGISTRATION_TOKEN = "demo-initial-access-token"  # noqa: S105
EXTERNAL_GATEWAY_SECRET = "demo-gateway-secret"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Ports and the data folder of one run on one machine, loopback only."""

    home: Path
    web_port: int
    gateway_port: int
    validator_port: int
    backend_port: int
    external_port: int = 0

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
        return f"http://127.0.0.1:{self.external_port}" if self.external_port else ""

    def environment(self) -> dict[str, str]:
        """What every process of the run is told."""
        return {
            "ARCHWAY_HOME": str(self.home),
            "ARCHWAY_PORT": str(self.web_port),
            "ARCHWAY_GATEWAY_PORT": str(self.gateway_port),
            "ARCHWAY_VALIDATOR_PORT": str(self.validator_port),
            "ARCHWAY_ALLOWED_NETWORKS": os.environ.get("ARCHWAY_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128"),
            "PYTHONUNBUFFERED": "1",
        }

    def require_free_ports(self) -> None:
        """Raise ``ConfigurationError`` naming the first port that is taken and the variable that changes it."""
        require_free(self.web_port, "ARCHWAY_PORT")
        require_free(self.gateway_port, "ARCHWAY_GATEWAY_PORT")
        require_free(self.validator_port, "ARCHWAY_VALIDATOR_PORT")
        require_free(self.backend_port, BACKEND_PORT_VARIABLE)
        if self.external_port:
            require_free(self.external_port, EXTERNAL_PORT_VARIABLE)

    def manage(self, *arguments: str) -> list[str]:
        """The command line of a management command."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def run_management(self, *arguments: str) -> str:
        """Run a management command to its end; its standard output. Raises ``ConfigurationError``."""
        done = subprocess.run(
            self.manage(*arguments),
            env={**os.environ, **self.environment()},
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            check=False,
            text=True,
        )
        if done.returncode:
            raise ConfigurationError(f"manage.py {arguments[0]} failed (exit {done.returncode}).")
        return done.stdout


def _child(layout: Layout, name: str, command: list[str], port: int) -> Child:
    return Child(
        name=name,
        command=command,
        environment={**layout.environment(), "PYTHONPATH": str(ROOT)},
        log=layout.home / "log" / f"{name}.log",
        ready=answers(port),
    )


def start_external(children: Children, layout: Layout) -> None:
    """Start a real oidc-provider as the second key manager."""
    command = [
        sys.executable, "-m", "tests.servers.run_oidc_provider",
        "--port", str(layout.external_port), "--initial-access-token", EXTERNAL_REGISTRATION_TOKEN,
        "--gateway-secret", EXTERNAL_GATEWAY_SECRET, "--scopes", " ".join(SAMPLE_SCOPES),
    ]  # fmt: skip
    children.start(_child(layout, "oidc-provider", command, layout.external_port))


def start_all(children: Children, layout: Layout) -> None:
    """Start sample backend, web, worker, validator and gateway, each when the one before is ready."""
    scripts = Path(sys.executable).parent
    backend = [sys.executable, "-m", "portal.runner.sample_backend", str(layout.backend_port)]
    children.start(_child(layout, "backend", backend, layout.backend_port))
    web = [
        str(scripts / "granian"), "--interface", "wsgi", "portal.wsgi:application",
        "--host", "127.0.0.1", "--port", str(layout.web_port),
        "--workers", "1", "--blocking-threads", "16", "--no-ws", "--respawn-failed-workers",
    ]  # fmt: skip
    children.start(_child(layout, "web", web, layout.web_port))
    validator = layout.manage("run_validator", "--host", "127.0.0.1", "--port", str(layout.validator_port))
    children.start(_child(layout, "validator", validator, layout.validator_port))
    children.start(_child(layout, "gateway", layout.manage("run_gateway"), layout.gateway_port))
    worker = _child(
        layout,
        "worker",
        [
            sys.executable, "-m", "celery", "--app", "portal", "worker", "--beat", "--pool", "threads",
            "--concurrency", "4", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
        ],
        layout.web_port,
    )  # fmt: skip
    worker.ready = lambda: worker.exit_code() is not None or "ready." in worker.log_tail(50)
    children.start(worker)
