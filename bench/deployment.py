"""A whole Archway in a temporary folder on free ports, on the databases that a measurement asks for."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.process_facts import tree
from portal.runner import installation
from portal.runner.layout import Layout
from portal.runner.processes import Child, Children, await_child, free_ports, stop_children
from tests.servers import postgres, redis

SQLITE = "SQLite, polling"
POSTGRES = "PostgreSQL, NOTIFY"
REDIS = "PostgreSQL + Redis"
LOST = "PostgreSQL + Redis, every push lost"
PEOPLE = ("api-developer", "app-developer", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What runs, and where. ``tokens``: API tokens of the demo's people."""

    layout: Layout
    children: Children
    tokens: Mapping[str, str] = field(repr=False)

    def pids(self, name: str) -> list[int]:
        """Process ids of one child and everything below it."""
        process = self._child(name).process
        return tree(process.pid) if process else []

    def stop_worker(self) -> None:
        """End the worker; jobs stay queued."""
        stop_children(self._child("worker"))

    def start_worker(self) -> None:
        """Start it again and return when it takes jobs."""
        child = self._child("worker")
        child.start()
        await_child(child)

    def _child(self, name: str) -> Child:
        return next(child for child in self.children.children if child.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Databases that run. ``all_are_told``: settings of every process; ``portal_is_told``: of web and worker."""

    all_are_told: Mapping[str, str]
    portal_is_told: Mapping[str, str]


@contextmanager
def stores(kind: str) -> Iterator[Stores]:
    """Start the databases of ``kind``."""
    with ExitStack() as stack:
        told: dict[str, str] = {}
        elsewhere: dict[str, str] = {}
        if kind != SQLITE:
            told["ARCHWAY_DATABASE_URL"] = stack.enter_context(postgres.start()).database_url
        if kind in (REDIS, LOST):
            told["ARCHWAY_REDIS_URL"] = stack.enter_context(redis.start()).url
        if kind == LOST:
            # The portal speaks into a Redis that nobody of the gateway's side listens to.
            elsewhere["ARCHWAY_REDIS_URL"] = stack.enter_context(redis.start()).url
        yield Stores(all_are_told=told, portal_is_told=elsewhere)


@contextmanager
def laid_out(kind: str, *, external: bool = False) -> Iterator[tuple[Layout, Stores]]:
    """A data folder, free ports and empty databases; nothing of Archway runs yet."""
    with tempfile.TemporaryDirectory(prefix="archway-bench-") as folder, stores(kind) as databases:
        web, gateway, validator, backend, provider = free_ports(5)
        yield (
            Layout(
                home=Path(folder),
                web_port=web,
                gateway_port=gateway,
                validator_port=validator,
                backend_port=backend,
                external_port=provider if external else 0,
                fresh=True,
                more=databases.all_are_told,
            ),
            databases,
        )


@contextmanager
def migrated(kind: str) -> Iterator[Layout]:
    """Empty tables, nothing running."""
    with laid_out(kind) as (layout, _):
        (layout.home / "static").mkdir()
        layout.run_management("migrate", "--verbosity", "0")
        yield layout


@contextmanager
def deployed(kind: str, *, external: bool = False) -> Iterator[Deployment]:
    """Everything running and seeded as the demo is. ``external``: with a real oidc-provider as second key manager."""
    children = Children()
    with laid_out(kind, external=external) as (layout, databases):
        try:
            children.start(installation.backend(layout))
            if external:
                children.start(installation.oidc_provider(layout))
                children.await_ready()
            prepared = installation.prepare(layout, tokens_for=PEOPLE)
            portal = [installation.web(layout), installation.worker(layout)]
            for child in portal:
                child.environment = {**child.environment, **databases.portal_is_told}
            children.start(installation.validator(layout), installation.gateway(layout), *portal)
            children.await_ready()
            yield Deployment(layout=layout, children=children, tokens=prepared.tokens)
        finally:
            children.stop()
