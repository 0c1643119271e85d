"""How long the gateway still lets a call through after the portal has answered that it will not."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.deployment import LOST, POSTGRES, REDIS, SQLITE, Deployment, deployed
from bench.percentiles import times_of
from bench.portal_client import Client, PortalClient, UnexpectedAnswer
from bench.report import Table, Target
from bench.scale import Scale

BOUND_MILLISECONDS = {REDIS: 250.0, POSTGRES: 2000.0, SQLITE: 2000.0, LOST: 2000.0}
_PAUSE_SECONDS = 0.002
_GIVE_UP_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bed:
    """One client subscribed to one API, and a token that works."""

    portal: PortalClient
    client: Client
    api: str
    prefix: str
    token: str
    chance: random.Random

    def delay(self, change: Callable[[], object], *, prefix: str = "", token: str = "") -> float:
        """Seconds from the answer to ``change`` until the first refusal; refused once is refused for good."""
        prefix, token = prefix or self.prefix, token or self.token
        # A change comes at any moment of the follower's round.
        time.sleep(self.chance.uniform(0, 0.3))
        change()
        answered = time.monotonic()
        while self.portal.gateway_status(prefix, token) == 200:
            if time.monotonic() - answered > _GIVE_UP_SECONDS:
                raise UnexpectedAnswer(f"still allowed at {prefix} {_GIVE_UP_SECONDS:.0f} s after the change")
            time.sleep(_PAUSE_SECONDS)
        seconds = time.monotonic() - answered
        for _ in range(3):
            if self.portal.gateway_status(prefix, token) == 200:
                raise UnexpectedAnswer(f"allowed again at {prefix} after a refusal")
        return seconds


def run(scale: Scale) -> list[Table]:
    """The part ``revocation``."""
    rows: list[list[str | float]] = []
    targets = []
    for kind in (REDIS, LOST, POSTGRES, SQLITE):
        with deployed(kind) as deployment:
            measured = _measure(deployment, scale)
        for change, seconds in measured.items():
            times = times_of(seconds)
            rows.append([kind, change, times.count, times.p50, times.p99, times.greatest])
            bound = BOUND_MILLISECONDS[kind]
            targets.append(Target(name=f"{kind}: {change}, p99", measured=times.p99, bound=bound, unit="ms"))
    return [
        Table(
            title="From the portal's answer to the first refusal at the gateway",
            columns=["databases", "change", "samples", "p50 ms", "p99 ms", "max ms"],
            rows=rows,
            note=(
                "One caller asks every 2 ms; its own round trip is part of each time. Every change came at a random "
                "moment of the poll interval (250 ms). With fewer than 100 samples p99 is the greatest value."
            ),
            targets=targets,
        )
    ]


def _measure(deployment: Deployment, scale: Scale) -> dict[str, list[float]]:
    with PortalClient(deployment) as portal:
        client = portal.clients(["revocation"], "resident")[0]
        api, prefix = portal.publish(0)
        subscription = portal.subscribe(client.application, api)
        token = portal.first_token(client)
        portal.store("DELETE", f"/subscriptions/{subscription}/")
        bed = _Bed(portal=portal, client=client, api=api, prefix=prefix, token=token, chance=random.Random(1))  # noqa: S311
        changes = {
            "block subscription": _block,
            "unsubscribe": _unsubscribe,
            "revoke token": _revoke,
            "retire API": _retire,
        }
        return {name: [change(bed, number) for number in range(scale.changes)] for name, change in changes.items()}


def _block(bed: _Bed, _number: int) -> float:
    subscription = bed.portal.subscribe(bed.client.application, bed.api)
    bed.portal.await_allowed(bed.prefix, bed.token)
    block = f"/subscriptions/{subscription}/block/"
    seconds = bed.delay(lambda: bed.portal.publisher("POST", block, {"scope": "all"}))
    bed.portal.store("DELETE", f"/subscriptions/{subscription}/")
    return seconds


def _unsubscribe(bed: _Bed, _number: int) -> float:
    subscription = bed.portal.subscribe(bed.client.application, bed.api)
    bed.portal.await_allowed(bed.prefix, bed.token)
    return bed.delay(lambda: bed.portal.store("DELETE", f"/subscriptions/{subscription}/"))


def _revoke(bed: _Bed, number: int) -> float:
    if number == 0:
        bed.portal.subscribe(bed.client.application, bed.api)
    token = bed.portal.first_token(bed.client) if number == 0 else bed.portal.token(bed.client)
    bed.portal.await_allowed(bed.prefix, token)
    return bed.delay(lambda: bed.portal.revoke(bed.client, token), token=token)


def _retire(bed: _Bed, number: int) -> float:
    api, prefix = bed.portal.publish(number + 1)
    bed.portal.subscribe(bed.client.application, api)
    bed.portal.await_allowed(prefix, bed.token)
    bed.portal.publisher("POST", f"/apis/{api}/lifecycle/", {"action": "deprecate"})
    retire = f"/apis/{api}/lifecycle/"
    return bed.delay(lambda: bed.portal.publisher("POST", retire, {"action": "retire"}), prefix=prefix)
