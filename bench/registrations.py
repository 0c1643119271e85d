"""Registrations per second through the engine, against a bare loop on the same identity provider."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import httpx2

from bench.deployment import REDIS, SQLITE, deployed
from bench.imports import ROOT
from bench.portal_client import PortalClient, await_true
from bench.report import Table
from bench.scale import Scale
from portal.runner.external import EXTERNAL_REGISTRATION_TOKEN, EXTERNAL_SLUG
from portal.runner.layout import Layout

ENGINE_THREADS = 4  # as the demo's worker has
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Registrations per second; ``exchanges``: HTTP calls that the engine made for one."""

    alone: float
    together: float
    engine: float
    exchanges: float


def run(scale: Scale) -> list[Table]:
    """The part ``registrations``."""
    rows: list[list[str | float]] = []
    for kind in (SQLITE, REDIS):
        rounds = _measure(kind, scale)
        rows.append(
            [
                kind,
                median(each.alone for each in rounds),
                median(each.together for each in rounds),
                median(each.engine for each in rounds),
                f"{median(each.engine / each.together for each in rounds):.2f}",
                median(each.exchanges for each in rounds),
            ]
        )
    return [
        Table(
            title="Client registrations per second at oidc-provider",
            columns=[
                *("databases", "bare loop, 1 connection", f"bare loop, {ENGINE_THREADS} connections"),
                *(f"engine, {ENGINE_THREADS} threads", "engine, of bare", "HTTP calls each"),
            ],
            rows=rows,
            note=(
                f"Medians of {_ROUNDS} interleaved rounds of {scale.registrations}. The engine's rate is from the "
                "start of its first attempt to the end of its last, all jobs queued beforehand; it claims, records "
                "each exchange, seals secrets and announces the change, the bare loop does none of it."
            ),
        )
    ]


def _measure(kind: str, scale: Scale) -> list[_Round]:
    with deployed(kind, external=True) as deployment, PortalClient(deployment) as portal:
        found = []
        for number in range(_ROUNDS):
            alone = _bare(deployment.layout, scale.registrations, connections=1)
            together = _bare(deployment.layout, scale.registrations, connections=ENGINE_THREADS)
            deployment.stop_worker()
            credentials = [
                portal.request_client(f"round {number} {i}", EXTERNAL_SLUG)[1] for i in range(scale.registrations)
            ]
            deployment.start_worker()
            await_true(
                lambda last=credentials: all(  # type: ignore[misc] # mypy cannot infer a lambda with a default
                    portal.store("GET", f"/credentials/{each}/")["state"] == "active" for each in last
                ),
                "active clients",
                pause=1.0,
            )
            rate, exchanges = _engine(deployment.layout, credentials)
            found.append(_Round(alone=alone, together=together, engine=rate, exchanges=exchanges))
        return found


def _bare(layout: Layout, count: int, *, connections: int) -> float:
    body = {
        "client_name": "bare loop",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "read",
        "archway_marker": "bare",
    }
    headers = {"Authorization": f"Bearer {EXTERNAL_REGISTRATION_TOKEN}"}

    share = count // connections

    def loop(http: httpx2.Client) -> None:
        for _ in range(share):
            http.post(f"{layout.external_url}/reg", json=body, headers=headers).raise_for_status()

    with ExitStack() as stack:
        clients = [stack.enter_context(httpx2.Client(timeout=30, trust_env=False)) for _ in range(connections)]
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=connections))
        started = time.monotonic()
        list(pool.map(loop, clients))
        return share * connections / (time.monotonic() - started)


def _engine(layout: Layout, credentials: list[str]) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.in_database.attempt_times", *credentials]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=layout.environment())
    facts = json.loads(done.stdout)
    return len(credentials) / facts["seconds"], facts["exchanges"] / len(credentials)
