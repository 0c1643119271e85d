"""The HTTP client against real sockets on loopback: slow, broken, private and encrypted peers."""

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.errors import KeyManagerUnavailable, OutcomeUnknown
from common.http import AddressGuard, HttpClient, HttpLimits, HttpRequest, PrivateAddressRefused
from tests.integration.socket_peers import make_certificate, peer

LOOPBACK = AddressGuard.of("127.0.0.0/8", "::1/128")
SHORT = HttpLimits(connect=2.0, read=0.4, total=0.8)


@contextmanager
def concurrent_peer(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Like ``peer``, with a thread for every connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            behave(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join(5)


def trickle(head: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return behave


def read_only(connection: socket.socket) -> None:
    connection.recv(65536)


def read_and_stay_silent(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(65536)


def answer_ok(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "headers"],
)
def test_a_trickling_server_is_left_at_the_total_deadline(head: bytes) -> None:
    with peer(trickle(head)) as port, HttpClient(limits=SHORT, guard=LOOPBACK) as http:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            http.send(HttpRequest(method="POST", url=f"http://127.0.0.1:{port}/", json={}))
        assert time.monotonic() - started < 2.0


def test_a_silent_server_is_left_at_the_read_limit() -> None:
    with (
        peer(read_and_stay_silent) as port,
        HttpClient(limits=SHORT, guard=LOOPBACK) as http,
        pytest.raises(KeyManagerUnavailable),
    ):
        http.get(f"http://127.0.0.1:{port}/")


def test_a_connection_closed_after_the_request_leaves_a_write_unknown() -> None:
    with (
        peer(read_only) as port,
        HttpClient(limits=SHORT, guard=LOOPBACK) as http,
        pytest.raises(OutcomeUnknown),
    ):
        http.send(HttpRequest(method="PUT", url=f"http://127.0.0.1:{port}/", json={"a": 1}))


def test_a_write_does_not_meet_a_server_that_is_closing_its_idle_connection() -> None:
    def behave(connection: socket.socket) -> None:
        answered_at = None
        while connection.recv(65536):
            # As a server that closes idle connections after 1.5 s, in the moment in which the request is on its way.
            if answered_at is not None and time.monotonic() - answered_at > 1.5:
                return
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
            answered_at = time.monotonic()

    with concurrent_peer(behave) as port, HttpClient(guard=LOOPBACK) as http:
        register = HttpRequest(method="POST", url=f"http://127.0.0.1:{port}/reg", json={})
        assert http.send(register).status == 201
        time.sleep(1.6)
        assert http.send(register).status == 201


def test_a_truncated_answer_leaves_a_write_unknown() -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"client_id"')

    with peer(behave) as port, HttpClient(limits=SHORT, guard=LOOPBACK) as http, pytest.raises(OutcomeUnknown):
        http.send(HttpRequest(method="POST", url=f"http://127.0.0.1:{port}/", json={"a": 1}))


def test_a_refused_connection_is_unavailable_even_for_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with HttpClient(guard=LOOPBACK) as http, pytest.raises(KeyManagerUnavailable):
        http.send(HttpRequest(method="POST", url=f"http://127.0.0.1:{port}/", json={}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    called = threading.Event()
    with peer(lambda _: called.set()) as port, HttpClient() as http, pytest.raises(PrivateAddressRefused):
        http.get(f"http://{host}:{port}/")
    assert not called.is_set()


def test_an_allowed_range_is_connected_to_by_name() -> None:
    with peer(answer_ok) as port, HttpClient(guard=LOOPBACK) as http:
        assert http.get(f"http://localhost:{port}/").json_object() == {}


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


def encrypted(certificate: Path) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as stream:
            answer_ok(stream)

    return behave


def test_the_certificate_is_checked_against_the_name_although_the_address_is_pinned(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    with peer(encrypted(certificate)) as port, HttpClient(guard=LOOPBACK, ssl_context=trusting) as http:
        assert http.get(f"https://localhost:{port}/").status == 200


def test_an_untrusted_certificate_is_unavailable_because_nothing_was_sent(certificate: Path) -> None:
    with (
        peer(encrypted(certificate)) as port,
        HttpClient(guard=LOOPBACK) as http,
        pytest.raises(KeyManagerUnavailable),
    ):
        http.send(HttpRequest(method="POST", url=f"https://localhost:{port}/", json={}))


def test_one_client_serves_many_threads_at_once() -> None:
    def answer_many(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    with concurrent_peer(answer_many) as port, HttpClient(guard=LOOPBACK) as http, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: http.get(f"http://127.0.0.1:{port}/").status, range(200)))
    assert answers == [200] * 200
