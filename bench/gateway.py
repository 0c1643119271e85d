"""What the question to the validator costs: Envoy with and without it, on the same calls, in interleaved rounds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.deployment import SQLITE, Deployment, deployed
from bench.each_once import CONNECTIONS as FEW_CONNECTIONS
from bench.each_once import Call
from bench.load import CONNECTIONS, Cell, Served, once_each, saturate
from bench.plain_envoy import answering_envoy, plain_envoy
from bench.portal_client import PortalClient
from bench.process_facts import named
from bench.report import Table, Target
from bench.scale import Scale
from gateway.envoy.declarations import GatewayApi, Upstream
from portal.runner.external import EXTERNAL_SLUG
from portal.runner.processes import free_ports

APIS = 10
APPLICATIONS = 5
SHARE = 0.4
GATEWAY_THREADS = 2  # as the portal's own default
KINDS = {"JWT": "resident", "opaque": EXTERNAL_SLUG}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tokens:
    warm: list[str]
    cold: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Everything that stays the same between the cells. ``plain`` and ``validated``: served by whom."""

    plain: Served
    validated: Served
    prefixes: Sequence[str]
    tokens: dict[str, _Tokens]


def run(scale: Scale) -> list[Table]:
    """The part ``gateway``."""
    with deployed(SQLITE, external=True) as deployment, _stage(deployment, scale) as stage:
        rounds = [_round(stage, scale, number) for number in range(scale.rounds)]
    return [_table({name: [cells[name] for cells in rounds] for name in rounds[0]})]


@contextmanager
def _stage(deployment: Deployment, scale: Scale) -> Iterator[_Stage]:
    upstream_port, plain_port = free_ports(2)
    upstream = f"http://127.0.0.1:{upstream_port}"
    home = deployment.layout.home
    with answering_envoy(_folder(home, "upstream"), upstream_port) as backend, PortalClient(deployment) as portal:
        prefixes = [portal.publish(number, upstream=upstream) for number in range(APIS)]
        apis = [
            GatewayApi(id=prefix, prefix=prefix, production=Upstream(url=upstream), sandbox=Upstream(url=upstream))
            for _, prefix in prefixes
        ]
        tokens = {kind: _tokens(portal, slug, [api for api, _ in prefixes], scale) for kind, slug in KINDS.items()}
        for each in tokens.values():
            portal.await_allowed(prefixes[-1][1], each.warm[0])
        deployment.stop_worker()
        with plain_envoy(_folder(home, "plain"), plain_port, apis, threads=GATEWAY_THREADS) as plain:
            yield _Stage(
                plain=Served(port=plain_port, gateway=[plain.pid], validator=[], upstream=[backend.pid]),
                validated=Served(
                    port=deployment.layout.gateway_port,
                    gateway=named(deployment.pids("gateway"), "envoy"),
                    validator=deployment.pids("validator"),
                    upstream=[backend.pid],
                ),
                prefixes=[prefix for _, prefix in prefixes],
                tokens=tokens,
            )


def _folder(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    return folder


def _tokens(portal: PortalClient, key_manager: str, apis: Sequence[str], scale: Scale) -> _Tokens:
    clients = portal.clients([f"{key_manager} {number}" for number in range(APPLICATIONS)], key_manager)
    for client in clients:
        for api in apis:
            portal.subscribe(client.application, api)
    return _Tokens(
        warm=portal.tokens(clients, scale.tokens),
        cold=portal.tokens(clients, scale.cold_tokens * scale.rounds),
    )


def _round(stage: _Stage, scale: Scale, number: int) -> dict[str, Cell]:
    cells = {}
    for kind, tokens in stage.tokens.items():
        calls = [Call(path=f"{prefix}/books", token=token) for token in tokens.warm for prefix in stage.prefixes]
        fresh = tokens.cold[number * scale.cold_tokens : (number + 1) * scale.cold_tokens]
        first = [Call(path=f"{stage.prefixes[i % APIS]}/books", token=token) for i, token in enumerate(fresh)]
        cells[f"plain, {kind}"] = saturate(stage.plain, calls, seconds=scale.cell_seconds)
        once_each(stage.validated, calls)  # fills the cache
        cells[f"validated warm, {kind}"] = saturate(stage.validated, calls, seconds=scale.cell_seconds)
        cells[f"validated cold, {kind}"] = once_each(stage.validated, first)
    return cells


def _table(cells: dict[str, list[Cell]]) -> Table:
    rows: list[list[str | float]] = []
    targets = []
    for name, measured in cells.items():
        pairs = list(zip(measured, cells[f"plain, {name.rpartition(' ')[2]}"], strict=True))
        ratio = median(cell.rps / base.rps for cell, base in pairs)
        shares = [base.all_us / cell.all_us for cell, base in pairs]
        latency = [median(values) for values in zip(*((c.driven.p50, c.driven.p99) for c in measured), strict=True)]
        rows.append(
            [
                name,
                median(cell.rps for cell in measured),
                f"{latency[0]:.1f} / {latency[1]:.1f}",
                median(cell.gateway_us for cell in measured),
                median(cell.validator_us for cell in measured),
                median(cell.upstream_us for cell in measured),
                "" if "cold" in name else f"{ratio:.2f}",
                f"{median(shares):.2f} ({min(shares):.2f}-{max(shares):.2f})",
                f"{median(base.served_us / cell.served_us for cell, base in pairs):.2f}",
                median(cell.foreign_cores for cell in measured),
            ]
        )
        if "warm" in name:
            for what, share in (("requests/s", ratio), ("CPU share", median(shares))):
                targets.append(
                    Target(name=f"{name}: {what}, of plain", measured=share, bound=SHARE, unit="", at_least=True)
                )
    return Table(
        title="Plain Envoy against validated Envoy",
        columns=[
            *("scenario", "requests/s", "p50 / p99 ms", "Envoy CPU µs", "validator CPU µs", "backend CPU µs"),
            *("requests/s, of plain", "CPU share, of plain", "without the backend", "foreign cores"),
        ],
        rows=rows,
        note=(
            f"Medians of {len(next(iter(cells.values())))} interleaved rounds; ratios are taken within one round. CPU "
            "is per request. CPU share: that of plain Envoy and backend, divided by that of Envoy, validator and "
            f"backend. Latencies are of a closed loop at saturation ({CONNECTIONS} connections). Cold: each token is "
            f"seen for the first time, driven over {FEW_CONNECTIONS} connections by a slower program."
        ),
        targets=targets,
    )
