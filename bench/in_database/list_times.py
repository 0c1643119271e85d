"""``python -m bench.in_database.list_times REQUESTS BOUND_MS``: server time and queries of every REST list."""

import json
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client

# As the web process does: it loads every view before the first request.
import portal.wsgi  # noqa: F401 - measures the process as it is served
from accounts.queries import personal_team_of
from accounts.services import create_api_token
from bench.in_database.rows import person
from bench.percentiles import times_of
from subscriptions.models import ApiVersion, Application, Subscription

_ROOT = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list as one person reads it; nobody when ``who`` is "anyone"."""

    who: str
    path: str
    shown: str


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Counts queries and keeps the statements with their seconds."""

    statements: list[tuple[float, str, Any]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """See Django's database instrumentation."""
        started = time.monotonic()
        try:
            return execute(sql, params, many, context)
        finally:
            self.statements.append((time.monotonic() - started, sql, params))


def listings() -> list[Listing]:
    """Every list, with the filters that people use."""
    middle = ApiVersion.objects.count() // 2
    version = ApiVersion.objects.order_by("api__name")[middle].pk
    application = Application.objects.filter(team__name="large").order_by("name")[0].pk
    last = Subscription.objects.filter(application__team__name="large").count() // 25
    paths = {
        "large": [
            "/publisher/apis/", "/publisher/apis/?state=published", "/publisher/apis/?q=number",
            "/publisher/apis/?page=2",
            f"/publisher/apis/{version}/subscriptions/", f"/publisher/apis/{version}/registrations/",
            "/store/apis/", "/store/applications/", "/store/applications/?q=application",
            "/store/subscriptions/", "/store/subscriptions/?page=2",
            f"/store/subscriptions/?application={application}",
            f"/store/subscriptions/?page={last}",
            "/admin/registrations/", "/admin/registrations/?state=active",
            "/admin/registrations/?key_manager=resident", "/admin/registrations/?state=refused",
            "/admin/audit/", "/admin/audit/?actor=large", "/admin/audit/?action=credential",
            f"/admin/audit/?object_id={application}",
        ],
        "small": ["/store/applications/", "/store/subscriptions/", "/publisher/apis/"],
        "anyone": [
            "/store/apis/", "/store/apis/?q=number", "/store/apis/?tag=books", "/store/apis/?key_manager=resident",
        ],
    }  # fmt: skip
    ids = {str(version): "{id}", str(application): "{id}", f"page={last}": "page={last}"}
    found = []
    for who, each in paths.items():
        for path in each:
            shown = path
            for written, word in ids.items():
                shown = shown.replace(written, word)
            found.append(Listing(who=who, path=path, shown=shown))
    return found


def clients() -> dict[str, Client]:
    """A test client for each person, signed in by an API token."""
    found = {"anyone": Client()}
    for name in ("large", "small"):
        user = person(name)
        token = create_api_token(user=user, team=personal_team_of(user), name="bench")
        found[name] = Client(headers={"Authorization": f"Bearer {token.value}"})
    return found


def call(client: Client, path: str) -> float:
    """Seconds of one request; it must answer 200."""
    started = time.monotonic()
    answer = client.get(f"{_ROOT}{path}", headers={"Host": "127.0.0.1"})
    seconds = time.monotonic() - started
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
    return seconds


def recorded(client: Client, path: str) -> Recorder:
    """What the request asks the database."""
    recorder = Recorder()
    with connection.execute_wrapper(recorder):
        call(client, path)
    return recorder


def plans(recorder: Recorder) -> str:
    """The statements that took longer than 5 ms, with their plans."""
    lines = []
    for seconds, sql, params in recorder.statements:
        if seconds < 0.005:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        lines.append(f"{seconds * 1000:.1f} ms  {sql[:1500]}\n{plan}")
    return "\n\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print one object per list, as JSON."""
    requests, bound = int(arguments[0]), float(arguments[1])
    everyone, every = clients(), listings()
    counted = {}
    for listing in every:
        client, join = everyone[listing.who], "&" if "?" in listing.path else "?"
        call(client, listing.path)
        wide = re.sub(r"page=\d+", "page=1", listing.path) + f"{join}page_size=200"
        counted[listing] = (recorded(client, listing.path), recorded(client, wide))
    seconds: dict[Listing, list[float]] = defaultdict(list)
    order = every * requests
    random.Random(1).shuffle(order)  # noqa: S311 - not a secret
    for listing in order:
        seconds[listing].append(call(everyone[listing.who], listing.path))
    found = []
    for listing in every:
        times = times_of(seconds[listing])
        page, wide_page = counted[listing]
        found.append(
            {
                "who": listing.who,
                "path": listing.shown,
                "queries": len(page.statements),
                "queries_200": len(wide_page.statements),
                "p50": times.p50,
                "p95": times.p95,
                "greatest": times.greatest,
                "slow_plans": plans(page) if times.p95 > bound else "",
            }
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
