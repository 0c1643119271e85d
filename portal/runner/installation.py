"""The processes of one run: how each is started, and when it serves."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keymanager.management.commands.run_validator import validator_command
from portal.runner.external import EXTERNAL_GATEWAY_SECRET, EXTERNAL_REGISTRATION_TOKEN, EXTERNAL_SLUG, KEYCLOAK_SLUG
from portal.runner.layout import Layout
from portal.runner.processes import Child, Children, answers, listens
from portal.runner.sample_api import SAMPLE_SCOPES

# Java servers compile themselves first.
_SLOWEST_START = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Passwords of people who are new, and API tokens that were asked for, by user name."""

    passwords: Mapping[str, str] = field(repr=False)
    tokens: Mapping[str, str] = field(repr=False)


def start_installation(children: Children, layout: Layout, *, tokens_for: Sequence[str] = ()) -> Prepared:
    """Prepare the data folder and start everything; returns when everything serves. Raises ``ConfigurationError``."""
    layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    children.start(backend(layout))
    if layout.external_port:
        children.start(oidc_provider(layout) if layout.external == EXTERNAL_SLUG else identity_provider(layout))
        children.await_ready(seconds=_SLOWEST_START)
    prepared = prepare(layout, tokens_for=tokens_for)
    children.start(web(layout), validator(layout), gateway(layout), worker(layout))
    children.await_ready()
    return prepared


def prepare(layout: Layout, *, tokens_for: Sequence[str] = ()) -> Prepared:
    """Database, static files and what the demo contains; repeating it keeps what is there."""
    arguments = ["--backend-url", layout.backend_url]
    if layout.external_port:
        arguments += ["--external-issuer", layout.external_url, "--external", layout.external]
        if layout.external != EXTERNAL_SLUG:
            arguments += ["--external-file", str(layout.external_file)]
    for username in tokens_for:
        arguments += ["--token", username]
    printed = json.loads(layout.run_management("prepare_demo", *arguments))
    return Prepared(passwords=printed["passwords"], tokens=printed["tokens"])


def backend(layout: Layout) -> Child:
    """The sample API's backend."""
    command = [sys.executable, "-m", "portal.runner.sample_backend", str(layout.backend_port)]
    return _child(layout, "backend", command, listens(layout.backend_port))


def oidc_provider(layout: Layout) -> Child:
    """A real oidc-provider, as the second key manager."""
    command = [
        sys.executable, "-m", "tests.servers.run_oidc_provider",
        "--port", str(layout.external_port), "--initial-access-token", EXTERNAL_REGISTRATION_TOKEN,
        "--gateway-secret", EXTERNAL_GATEWAY_SECRET, "--scopes", " ".join(SAMPLE_SCOPES),
        "--clients-file", str(layout.home / "oidc-provider-clients.json"),
    ]  # fmt: skip
    return _child(layout, "oidc-provider", command, listens(layout.external_port))


def identity_provider(layout: Layout) -> Child:
    """A real server as the second key manager. Of Keycloak what is changed there is kept, others begin anew."""
    name = layout.external
    kept = ["--home", str(layout.home / name)] if name == KEYCLOAK_SLUG else []
    command = [
        sys.executable, "-m", "tests.servers.run_idp", name, "--port", str(layout.external_port),
        "--key-manager", str(layout.external_file), *kept,
    ]  # fmt: skip
    child = _child(layout, name, command, lambda: f"{name} is ready." in child.log_since_start())
    return child


def web(layout: Layout, *, name: str = "web", port: int = 0, parts: Sequence[str] = ()) -> Child:
    """A web process; ``port`` 0 is the layout's, no ``parts`` means all of them."""
    port = port or layout.web_port
    command = [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "portal.wsgi:application",
        "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "16", "--no-ws", "--respawn-failed-workers",
    ]  # fmt: skip
    child = _child(layout, name, command, answers(port, "/readyz"))
    if parts:
        child.environment = {**child.environment, "ARCHWAY_PARTS": ",".join(parts)}
    return child


def validator(layout: Layout) -> Child:
    """The validator."""
    command = validator_command(
        host="127.0.0.1", port=layout.validator_port, local=str(layout.validator_socket), workers=1
    )
    return _child(layout, "validator", command, answers(layout.validator_port, "/healthz"))


def gateway(layout: Layout) -> Child:
    """Envoy and what keeps it in step."""
    return _child(layout, "gateway", layout.manage("run_gateway"), listens(layout.gateway_port))


def worker(layout: Layout) -> Child:
    """Worker and beat in one process."""
    command = [
        sys.executable, "-m", "celery", "--app", "portal", "--skip-checks", "worker", "--beat", "--pool", "threads",
        "--concurrency", "4", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    child = _child(layout, "worker", command, lambda: " ready." in child.log_since_start())
    return child


def _child(layout: Layout, name: str, command: Sequence[str], ready: Callable[[], bool]) -> Child:
    return Child(
        name=name,
        command=command,
        environment=layout.environment(),
        log=layout.home / "log" / f"{name}.log",
        ready=ready,
    )
