"""``python -m bench.in_database.page_times REQUESTS DOCUMENT ...``: server and CPU time, queries of the main pages.

Each document is published first, where that has not been done yet, and its reference is one of the pages.
"""

import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import connection
from django.test import Client

# As the web process does: it loads every view before the first request.
import portal.wsgi  # noqa: F401 - measures the process as it is served
from accounts.queries import personal_team_of
from accounts.services import create_api_token
from bench.in_database.list_times import Recorder, plans
from bench.in_database.rows import person
from bench.percentiles import times_of
from common.markdown import short_text_html
from keymanager.models import Credential
from store.reference.kept import kept_description, kept_document, kept_groups, kept_operation
from subscriptions.models import ApiVersion, Application

BOUND_MILLISECONDS = 60.0
WHOLE_REFERENCE_MILLISECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. ``name``: how it is shown; ``bound``: of its p95, in milliseconds.

    ``first``: each time as if this process had never read the definition.
    """

    name: str
    path: str
    bound: float = BOUND_MILLISECONDS
    first: bool = False


def publish(path: Path) -> ApiVersion:
    """The document as a published API of the person ``large``."""
    found = ApiVersion.objects.filter(api__name=path.name).first()
    if found is not None:
        return found
    user = person("large")
    token = create_api_token(user=user, team=personal_team_of(user), name="bench").value
    client = Client(headers={"Authorization": f"Bearer {token}", "Host": "127.0.0.1"})
    body = {
        "name": path.name,
        "version": "1.0.0",
        "context": f"/{path.stem.replace('.', '-')}",
        "endpoints": {"production": "http://127.0.0.1:9000"},
        "plans": ["unlimited"],
        "key_managers": "all",
        "definition": path.read_text(encoding="utf-8"),
    }
    made = client.post("/api/v1/publisher/apis/", body, content_type="application/json")
    if made.status_code != 201:
        raise RuntimeError(f"{path.name}: {made.status_code} {made.content[:300]!r}")
    row = ApiVersion.objects.get(pk=made.json()["id"])
    moved = client.post(
        f"/api/v1/publisher/apis/{row.pk}/lifecycle/", {"action": "publish"}, content_type="application/json"
    )
    if moved.status_code != 200:
        raise RuntimeError(f"{path.name}: {moved.status_code} {moved.content[:300]!r}")
    return row


def pages(documents: list[Path]) -> Iterator[Page]:
    """The main pages, as the person ``large`` reads them."""
    for search in ("", "?q=number", "?tag=books", "?key_manager=resident", "?view=table", "?page=2", "?subscribed=1"):
        yield Page(name=f"store home {search}".strip(), path=f"/{search}")
    version = ApiVersion.objects.filter(api__name="Bench API 7").get()
    application = Application.objects.filter(team__name="large").order_by("name")[0]
    credential = Credential.objects.filter(application=application)[0]
    api, app, admin = f"/apis/{version.pk}/", f"/apps/{application.pk}/", "/admin-portal/"
    made = f"/publisher{api}"
    for name, path in {
        "API": api, "API, plans": f"{api}plans/", "API, reference": f"{api}reference/",
        "applications": "/apps/", "applications ?q=application": "/apps/?q=application", "application": app,
        "application, credentials": f"{app}credentials/", "application, subscriptions": f"{app}subscriptions/",
        "credential": f"/credentials/{credential.pk}/",
        "publisher": "/publisher/", "publisher ?q=number": "/publisher/?q=number", "publisher, API": made,
        "publisher, resources": f"{made}design/", "publisher, subscriptions": f"{made}subscriptions/",
        "publisher, registrations": f"{made}registrations/",
        "key managers": f"{admin}key-managers/", "key manager": f"{admin}key-managers/resident/",
        "queue": f"{admin}queue/", "queue ?show=all": f"{admin}queue/?show=all",
        "audit": f"{admin}audit/", "people": f"{admin}people/", "notifications": "/notifications/",
    }.items():  # fmt: skip
        yield Page(name=name, path=path)
    for document in documents:
        row = publish(document)
        reference = f"/apis/{row.pk}/reference/"
        yield Page(name=f"reference of {document.name}", path=reference, bound=WHOLE_REFERENCE_MILLISECONDS)
        operation = row.operations.order_by("position")[row.operations.count() // 2]
        one = Page(name=f"one operation of {document.name}", path=f"{reference}{operation.pk}/")
        yield one
        yield replace(one, name=f"{one.name}, first time", first=True)


def call(client: Client, page: Page) -> tuple[float, float]:
    """Seconds of one request, and of this process's CPU; it must answer 200 (286: a table that need not be polled)."""
    if page.first:
        for kept in (kept_document, kept_groups, kept_operation, kept_description, short_text_html):
            kept.cache_clear()
    started, cpu = time.monotonic(), time.process_time()
    answer = client.get(page.path, headers={"Host": "127.0.0.1"})
    taken = time.monotonic() - started, time.process_time() - cpu
    if answer.status_code not in (200, 286):
        raise RuntimeError(f"{page.path}: {answer.status_code} {answer.content[:300]!r}")
    return taken


def main(arguments: list[str]) -> None:
    """Print one object per page, as JSON."""
    requests, documents = int(arguments[0]), [Path(name) for name in arguments[1:]]
    client, every = Client(), list(pages(documents))
    client.force_login(person("large"))
    asked = {}
    for page in every:
        call(client, page)
        asked[page] = Recorder()
        with connection.execute_wrapper(asked[page]):
            call(client, page)
    taken: dict[Page, list[tuple[float, float]]] = defaultdict(list)
    order = every * requests
    random.Random(1).shuffle(order)  # noqa: S311 - not a secret
    # Last, since each of them makes the process forget what the others rely on.
    order.sort(key=lambda page: page.first)
    for page in order:
        taken[page].append(call(client, page))
    found = []
    for page in every:
        times = times_of([seconds for seconds, _ in taken[page]])
        cpu = times_of([seconds for _, seconds in taken[page]])
        found.append(
            {
                "name": page.name,
                "bound": page.bound,
                "queries": len(asked[page].statements),
                "p50": times.p50,
                "p95": times.p95,
                "cpu_p50": cpu.p50,
                "cpu_p95": cpu.p95,
                "slow_plans": plans(asked[page]) if times.p95 > page.bound else "",
            }
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
