"""What others changed at a key manager, on a fake: one client that cannot be read, and changes that meet our own."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from accounts.actor import Actor
from common.clock import SystemClock
from common.http import HttpClient
from common.http_transport import PooledTransport
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import Capability
from keymanager.adapters.pingfederate import PingFederateAdapter, PingFederateConfig
from keymanager.models import Credential, KeyManager
from keymanager.services import credentials, key_managers, outside_changes
from tests.conformance.test_pingfederate import LOOPBACK, values_for
from tests.conformance.world import Behaviour, Match, Wire, answer, refused_connection
from tests.fakes.pingfederate_server import PingFederateServer
from tests.jobs.kit import Worker, application, registration_of, wish

pytestmark = pytest.mark.django_db

CODE = {"grant_types": ["authorization_code"], "redirect_uris": ["https://app.example/back"]}


class TellsOfAll(PingFederateAdapter):
    """Says of every client that somebody changed it, until the cursor has moved."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities | {Capability.CHANGES}

    def changes_since(self, cursor: str) -> tuple[tuple[str, ...], str]:
        return tuple(client.handle.client_id for client in self.list_clients()), f"{cursor}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fake whose changes are told, and the way to it."""

    server: PingFederateServer
    wire: Wire
    adapter: TellsOfAll
    key_manager: KeyManager
    worker: Worker
    developer: Actor

    def client(self, name: str) -> Credential:
        """An active client of an application of this name."""
        row = wish(self.developer, application(self.developer, name), self.key_manager, **CODE)
        self.worker.settle()
        row.refresh_from_db()
        assert registration_of(row).state == "active"
        return row

    def change(self, row: Credential, **members: object) -> None:
        """What somebody changes there."""
        self.server.managed.documents[row.client_id].update(members)

    def follow(self) -> int:
        """One look at what is told."""
        return outside_changes.follow(self.key_manager.pk, adapters=lambda _: self.adapter)

    @property
    def cursor(self) -> str:
        """Up to where the feed was read."""
        return KeyManager.objects.get(pk=self.key_manager.pk).changes_cursor


@pytest.fixture
def told(admin: Actor, developer: Actor) -> Iterator[Told]:
    with PingFederateServer() as server:
        values = values_for(server)
        wire = Wire(PooledTransport(LOOPBACK))
        adapter = TellsOfAll(parse_config(PingFederateConfig, values), HttpClient(transport=wire), SystemClock())
        row = key_managers.create_key_manager(
            actor=admin, slug="ping", name="Ping", adapter="pingfederate", config=values
        )
        yield Told(
            server=server,
            wire=wire,
            adapter=adapter,
            key_manager=row,
            worker=Worker(adapters=lambda _: adapter),
            developer=developer,
        )
        wire.close()


def reading_of(*rows: Credential) -> Match:
    """The reads of these clients."""
    paths = tuple(f"/{row.client_id}" for row in rows)
    return lambda request: request.method == "GET" and request.url.path.endswith(paths)


def code_of(row: Credential) -> str:
    """What the registration says."""
    return registration_of(row).last_error_code


@pytest.mark.parametrize(
    ("behaviour", "cursor"),
    [
        (answer(403, json={"message": "forbidden"}), "+"),
        (answer(200, text="<html>"), "+"),
        (answer(500, text="oops"), ""),
        (refused_connection, ""),
    ],
    ids=["forbidden", "unparsable", "failing", "unreachable"],
)
def test_a_client_that_cannot_be_read_hides_no_other_and_is_asked_again_where_that_can_help(
    told: Told, behaviour: Behaviour, cursor: str
) -> None:
    rows = [told.client("first"), told.client("second")]
    for row in rows:
        told.change(row, redirectUris=["https://evil.example/back"])
    for turn, (unreadable, other) in enumerate((rows, rows[::-1]), start=1):
        told.wire.plan(reading_of(unreadable), behaviour)
        told.follow()
        assert code_of(other) == "changed_outside"
        assert told.cursor == cursor * turn
    told.wire.heal()


def test_a_key_manager_that_answers_for_no_client_is_not_asked_about_all_of_them(told: Told) -> None:
    rows = [told.client(f"number {number}") for number in range(5)]
    told.wire.plan(reading_of(*rows), answer(503))
    told.wire.sent.clear()
    assert told.follow() == 0
    assert len(told.wire.matching(reading_of(*rows))) == 3
    assert told.cursor == ""


def test_a_client_that_is_switched_off_there_says_so_after_every_change_of_ours(told: Told) -> None:
    row = told.client("off")
    told.change(row, enabled=False)
    told.follow()
    assert code_of(row) == "changed_outside"

    credentials.change_credential(actor=told.developer, credential=row, redirect_uris=["https://app.example/new"])
    told.worker.settle()
    assert registration_of(row).state == "active"
    [words] = outside_changes.outside_warnings(Credential.objects.get(pk=row.pk))
    assert "enabled" in words
    assert "switched on there" in words

    credentials.rotate_secret(actor=told.developer, credential=row)
    told.worker.settle()
    told.follow()
    assert (registration_of(row).state, code_of(row)) == ("active", "changed_outside")

    told.change(row, enabled=True)
    told.follow()
    assert code_of(row) == ""


def test_a_retry_finds_out_that_it_is_on_again_where_no_feed_tells(told: Told) -> None:
    row = told.client("off")
    told.change(row, enabled=False)
    credentials.change_credential(actor=told.developer, credential=row, redirect_uris=["https://app.example/new"])
    told.worker.settle()
    assert code_of(row) == "changed_outside"
    told.change(row, enabled=True)
    # The adapter of the portal itself has no feed.
    credentials.retry(actor=told.developer, registration=registration_of(row))
    told.worker.settle()
    assert (registration_of(row).state, code_of(row)) == ("active", "")


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
def test_what_was_read_before_a_retry_is_not_said_after_it(told: Told, gone: bool) -> None:
    row = told.client("raced")
    told.change(row, redirectUris=["https://evil.example/back"])
    told.follow()
    assert code_of(row) == "changed_outside"

    def a_retry_overtakes_the_answer(request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response:
        told.wire.heal()
        before = inner.handle_request(request)
        content = before.read()
        credentials.retry(actor=told.developer, registration=registration_of(row))
        told.worker.settle()
        assert code_of(row) == ""
        status = 404 if gone else before.status_code
        return httpx2.Response(status, headers={"Content-Type": "application/json"}, content=content)

    told.wire.plan(reading_of(row), a_retry_overtakes_the_answer)
    told.follow()
    assert (registration_of(row).state, code_of(row)) == ("active", "")
