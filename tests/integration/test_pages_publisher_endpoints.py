"""The check of an API's endpoints: what a page says of a backend, and what the portal never connects to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from common.address_guard import AddressGuard, resolve
from common.errors import InputError
from common.reachability import Finding, reach
from publisher.fetching import fetch_definition
from subscriptions.models import ApiVersion
from tests.integration.rest_kit import World, api_body, make_world
from tests.integration.socket_peers import make_certificate, peer
from tests.servers.process import free_port

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


@pytest.fixture
def address(world: World, client: Client) -> str:
    client.force_login(world.publisher.user)
    made = world.publisher.post("/publisher/apis/", api_body()).json()
    return f"/publisher/apis/{made['id']}/endpoints/"


def findings(url: str, *, guard: AddressGuard = LOOPBACK, seconds: float = 2.0) -> list[Finding]:
    return [step.finding for step in reach(url, guard=guard, seconds=seconds)]


def test_a_backend_that_listens_is_reachable_and_gets_no_byte() -> None:
    received: list[bytes] = []
    with peer(lambda connection: received.append(connection.recv(100))) as port:
        assert findings(f"http://localhost:{port}/base") == [Finding.FOUND, Finding.CONNECTED]
    assert not [data for data in received if data]


def test_a_closed_port_is_refused_and_an_unknown_name_is_said_to_be_unknown() -> None:
    assert findings(f"http://127.0.0.1:{free_port()}") == [Finding.FOUND, Finding.REFUSED]
    assert findings("https://no-such-host.invalid") == [Finding.NAME_UNKNOWN]


def test_names_that_are_never_answered_do_not_hold_up_what_goes_to_key_managers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, ask = threading.Event(), socket.getaddrinfo

    def asked(host: str, *rest: Any, **options: Any) -> Any:
        if host.endswith(".silent.invalid"):
            over.wait(20)
        return ask(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    try:
        for number in range(9):
            assert findings(f"http://a{number}.silent.invalid", seconds=0.05) == [Finding.NAME_SILENT]
        assert resolve("localhost", 80, 5.0)
    finally:
        over.set()


def test_the_name_in_the_url_of_a_definition_is_looked_up_beside_those_of_key_managers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[str] = []

    def asked(*_rest: Any, **_options: Any) -> Any:
        threads.append(threading.current_thread().name)
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    with pytest.raises(InputError):
        fetch_definition("http://definitions.invalid/openapi.json", [])
    assert threads[0].startswith("resolve-for-people")


def test_a_backend_without_tls_or_silent_under_https_is_told_apart() -> None:
    with peer(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert findings(f"https://localhost:{port}")[-1] == Finding.NO_TLS
    with peer(lambda connection: connection.recv(10_000) and connection.recv(10_000)) as port:
        assert findings(f"https://localhost:{port}", seconds=0.5)[-1] == Finding.SILENT


def test_a_certificate_of_an_unknown_authority_is_untrusted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = make_certificate(tmp_path)
    context.load_cert_chain(pem)

    def greet(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    with peer(greet) as port:
        assert findings(f"https://localhost:{port}")[-1] == Finding.UNTRUSTED
        trusting = ssl.create_default_context(cafile=str(pem))
        steps = reach(f"https://localhost:{port}", guard=LOOPBACK, ssl_context=trusting)
        assert steps[-1].finding == Finding.TRUSTED


def test_a_private_address_is_never_connected_to(client: Client, address: str, settings: Settings) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = []
    met: list[bool] = []
    with peer(lambda _: met.append(True)) as port:
        form = {"production": f"http://localhost:{port}", "sandbox": f"http://[::ffff:127.0.0.1]:{port}", "check": "1"}
        answer = client.post(address, form)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("it is inside a private network") == 2
    assert "Reachable" not in page
    assert not met


def test_a_check_shows_each_step_keeps_what_was_typed_and_saves_nothing(
    client: Client, address: str, settings: Settings
) -> None:
    settings.ARCHWAY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    before = ApiVersion.objects.get()
    with peer(lambda _: None) as port:
        typed = {"production": f"http://127.0.0.1:{port}/v1", "sandbox": f"http://127.0.0.1:{free_port()}"}
        page = client.post(address, {**typed, "check": "1"}).content.decode()
    assert "Reachable" in page
    assert "Not reachable" in page
    assert "Nothing listens there" in page
    assert f'value="{typed["sandbox"]}"' in page
    after = ApiVersion.objects.get()
    assert (after.production_url, after.revision) == (before.production_url, before.revision)


def test_an_address_that_could_not_be_saved_is_not_checked_either(client: Client, address: str) -> None:
    answer = client.post(address, {"production": "ftp://host/", "sandbox": "", "check": "1"})
    assert answer.status_code == 422
    assert '<a href="#id_production">' in answer.content.decode()


def test_without_any_endpoint_the_check_says_that_nothing_was_checked(client: Client, address: str) -> None:
    page = client.post(address, {"production": "", "sandbox": "", "check": "1"}).content.decode()
    assert "Nothing was checked" in page
