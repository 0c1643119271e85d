"""Credentials and tokens per second through Archway, against the same identity provider alone."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Any, Final

from bench.deployment import SQLITE, Deployment, deployed
from bench.portal_client import Client, PortalClient, UnexpectedAnswer, await_true
from bench.report import Table
from bench.scale import Scale
from common.errors import ArchwayError
from common.http import AddressGuard, HttpClient
from keymanager.adapters.contract import ClientHandle, ClientMetadata, KeyManagerAdapter, TokenRequest
from keymanager.adapters.rfc.presets import with_preset
from keymanager.services.adapters import build_adapter
from tests.servers.process import ServerDidNotStart
from tests.servers.run_idp import SERVERS, Running

CONNECTIONS: Final = 4  # as many as the worker has threads
# It answers 500 ("Error executing sql query") to registrations of which it gets two at once: it has them one by one.
ONE_AT_A_TIME: Final = frozenset({"glewlwyd"})
_PATIENCE_SECONDS: Final = 300.0
_ROUNDS: Final = 3
_CLIENT_CREDENTIALS: Final = (("grant_type", "client_credentials"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Numbers per second: asked of the identity provider itself, and through Archway."""

    clients_alone: float
    clients: float
    tokens_alone: float
    tokens: float


def run(scale: Scale) -> list[Table]:
    """The part ``key_managers``: every server that ``tests.servers`` starts; one that cannot be measured is named."""
    rows: list[list[str | float]] = []
    with deployed(SQLITE) as deployment, PortalClient(deployment) as portal:
        for name in sorted(SERVERS):
            try:
                running = SERVERS[name](0, None)
                with running.server:
                    rows.append(_row(name, running.adapter, _rounds(deployment, portal, name, running, scale)))
            except (ServerDidNotStart, UnexpectedAnswer, ArchwayError) as exc:
                rows.append([name, f"not measured: {str(exc).splitlines()[0]}", *[""] * 6])
    return [
        Table(
            title="Credentials and tokens per second, through Archway and at the identity provider alone",
            columns=[
                *("identity provider", "adapter", "clients, alone", "clients, Archway", "of alone"),
                *("tokens, alone", "tokens, Archway", "of alone"),
            ],
            rows=rows,
            note=(
                f"Medians of {_ROUNDS} interleaved rounds of {scale.registrations} clients and as many tokens, over "
                f"{CONNECTIONS} connections, on SQLite. Clients of {', '.join(sorted(ONE_AT_A_TIME))}: the next one "
                "when the last is active, since it answers 500 to two at once. Alone: our adapter makes the same calls "
                "in a bare loop. "
                "Clients through Archway: from the first POST of an application with one credential to the moment at "
                "which the last credential is active. Tokens: client_credentials at `/token`, one client."
            ),
        )
    ]


def _rounds(deployment: Deployment, portal: PortalClient, name: str, running: Running, scale: Scale) -> list[_Round]:
    portal.add_key_manager(name, running.adapter, running.config)
    with _direct(running) as adapter:
        handle = _create(adapter)
        (client,) = portal.clients([f"{name} tokens"], name, scopes=())
        return [_round(adapter, handle, portal, client, name, scale.registrations) for _ in range(_ROUNDS)]


@contextmanager
def _direct(running: Running) -> Iterator[KeyManagerAdapter]:
    """The adapter without a portal around it."""
    values = dict(running.config)
    preset = str(values.pop("preset", ""))
    with HttpClient(guard=AddressGuard.of("127.0.0.0/8", "::1/128")) as http:
        yield build_adapter(running.adapter, with_preset(preset, values) if preset else values, http)


def _round(
    adapter: KeyManagerAdapter, handle: ClientHandle, portal: PortalClient, client: Client, name: str, count: int
) -> _Round:
    asked = TokenRequest(client_id=handle.client_id, client_secret=handle.client_secret, parameters=_CLIENT_CREDENTIALS)

    def token_alone() -> None:
        answer = adapter.issue_token(asked)
        if not answer.ok:
            raise UnexpectedAnswer(f"{name} gave no token: {answer.status} {answer.body.get('error')}")

    one_by_one = name in ONE_AT_A_TIME
    through = _one_by_one_through if one_by_one else _clients_through
    return _Round(
        clients_alone=_per_second(lambda: _create(adapter), count, connections=1 if one_by_one else CONNECTIONS),
        clients=through(portal, name, count),
        tokens_alone=_per_second(token_alone, count),
        tokens=_per_second(lambda: portal.token(client, scope=""), count),
    )


def _create(adapter: KeyManagerAdapter) -> ClientHandle:
    marker = str(uuid.uuid4())
    return adapter.create_client(ClientMetadata(client_name=f"bench {marker}", marker=marker)).handle


def _clients_through(portal: PortalClient, name: str, count: int) -> float:
    wished: list[str] = []
    started = monotonic()
    _per_second(lambda: wished.append(_wish(portal, name)), count)
    _await_active(portal, wished)
    return count / (monotonic() - started)


def _one_by_one_through(portal: PortalClient, name: str, count: int) -> float:
    return _per_second(lambda: _await_active(portal, [_wish(portal, name)], pause=0.01), count, connections=1)


def _wish(portal: PortalClient, name: str) -> str:
    return portal.request_client(str(uuid.uuid4()), name, scopes=())[1]


def _await_active(portal: PortalClient, credentials: Sequence[str], *, pause: float = 0.05) -> None:
    """Raises ``UnexpectedAnswer`` that says how far the first one is that does not become active."""
    left = list(credentials)
    shown: dict[str, Any] = {}

    def all_active() -> bool:
        while left:
            shown.update(portal.store("GET", f"/credentials/{left[-1]}/"))
            if shown["state"] != "active":
                return False
            left.pop()
        return True

    try:
        await_true(all_active, "active clients", pause=pause, seconds=_PATIENCE_SECONDS)
    except UnexpectedAnswer as exc:
        how_far = f"{len(left)} of {len(credentials)} left, one {shown['state']} after {shown['attempts']} attempts"
        raise UnexpectedAnswer(f"{exc}: {how_far}: {shown['last_error']}") from exc


def _per_second(call: Callable[[], object], count: int, *, connections: int = CONNECTIONS) -> float:
    started = monotonic()
    with ThreadPoolExecutor(max_workers=connections) as pool:
        for done in [pool.submit(call) for _ in range(count)]:
            done.result()
    return count / (monotonic() - started)


def _row(name: str, adapter: str, rounds: Sequence[_Round]) -> list[str | float]:
    return [
        name,
        adapter,
        median(each.clients_alone for each in rounds),
        median(each.clients for each in rounds),
        f"{median(each.clients / each.clients_alone for each in rounds):.2f}",
        median(each.tokens_alone for each in rounds),
        median(each.tokens for each in rounds),
        f"{median(each.tokens / each.tokens_alone for each in rounds):.2f}",
    ]
