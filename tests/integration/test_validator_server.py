"""The validator's server on a socket, with peers that are slow, rude, or many."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Awaitable, Iterator

import pytest
import uvloop

from keymanager.validation.connection import LONGEST_MESSAGE, Patience
from keymanager.validation.http_messages import Answer, Request, answer
from keymanager.validation.serving import serve
from keymanager.validation.shared_port import shared_socket


class Echo:
    """Answers with what it was asked: at once, or (``/later``) when it is released."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.waiting = 0

    def answer(self, request: Request, /) -> Answer | Awaitable[Answer]:
        if request.target == "/broken":
            raise RuntimeError("a defect")
        if request.target == "/large":
            return answer(200, [], "x" * 1_000_000)
        return self._later(request) if request.target.startswith("/later") else _echo(request)

    async def _later(self, request: Request) -> Answer:
        self.waiting += 1
        await self.release.wait()
        if request.target == "/later/broken":
            raise RuntimeError("a defect")
        return _echo(request)


def _echo(request: Request) -> Answer:
    said = f"{request.method} {request.target} {request.credentials} {request.get('x-name')}"
    return answer(200, [("x-echo", "yes")], said)


class Served:
    """A server in a thread of its own."""

    def __init__(self, patience: Patience) -> None:
        self.echo = Echo()
        self.loop = uvloop.new_event_loop()
        self._stop = asyncio.Event()
        self._socket = shared_socket("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(
            target=lambda: self.loop.run_until_complete(
                serve(self.echo, self._socket, stop=self._stop, patience=patience)
            )
        )
        self._thread.start()

    def connect(self) -> socket.socket:
        deadline = time.monotonic() + 5
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=8)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self.echo.release.set)

    def await_waiting(self, count: int) -> None:
        deadline = time.monotonic() + 5
        while self.echo.waiting < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def begin_stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> float:
        began = time.monotonic()
        if not self.loop.is_closed():
            self.begin_stop()
            self._thread.join(5)
            assert not self._thread.is_alive()
            self.loop.close()
            self._socket.close()
        return time.monotonic() - began


@pytest.fixture
def served() -> Iterator[Served]:
    started = Served(Patience(arrival=1, idle=1))
    yield started
    started.stop()


def ask(target: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", "host: validator", *fields, "", ""]).encode()


def until_closed(peer: socket.socket) -> bytes:
    """Everything that comes before the server hangs up."""
    found = b""
    while True:
        try:
            piece = peer.recv(65_536)
        except ConnectionResetError:
            return found
        if not piece:
            return found
        found += piece


def exchanged(served: Served, sent: bytes) -> bytes:
    """What the server answers before it hangs up."""
    with served.connect() as peer:
        peer.sendall(sent)
        return until_closed(peer)


CLOSE = "connection: close"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"])
def test_any_method_is_handed_over_as_it_came(served: Served, method: str) -> None:
    answered = exchanged(
        served, ask("/check?/a%2Fb?q", "Authorization: Bearer x", "X-Name: y", CLOSE, method=method)
    ).decode()
    assert answered.startswith("HTTP/1.1 200 OK\r\nx-echo: yes\r\ncontent-length: ")
    assert answered.endswith(f"{method} /check?/a%2Fb?q ['Bearer x'] y")
    assert "\r\ndate: " in answered


def test_the_answer_to_head_has_no_body(served: Served) -> None:
    answered = exchanged(served, ask("/a", method="HEAD") + ask("/b", CLOSE))
    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert b"HEAD /a" not in answered
    assert answered.endswith(b"GET /b [] None")


def test_every_credential_is_handed_over_in_order(served: Served) -> None:
    answered = exchanged(served, ask("/a", "authorization: one", "AUTHORIZATION: two", CLOSE))
    assert answered.endswith(b"['one', 'two'] None")


def test_a_request_in_single_bytes_is_read(served: Served) -> None:
    with served.connect() as peer:
        for byte in ask("/check?/slow", "x-name: z", CLOSE):
            peer.sendall(bytes([byte]))
        assert until_closed(peer).endswith(b"GET /check?/slow [] z")


def test_requests_that_come_at_once_are_answered_in_order_though_the_first_must_wait(served: Served) -> None:
    with served.connect() as peer:
        peer.sendall(ask("/later") + b"".join(ask(f"/{number}") for number in range(100)) + ask("/last", CLOSE))
        served.await_waiting(1)
        served.release()
        answered = until_closed(peer).decode()
    places = [answered.index(f"GET /{name} ") for name in ("later", *range(100), "last")]
    assert places == sorted(places)


def test_a_connection_of_http_1_0_ends_after_its_answer(served: Served) -> None:
    assert exchanged(served, ask("/a", version="1.0") + ask("/b", version="1.0")).count(b"200 OK") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET /a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ask("/a", "name without colon"),
        ask("/a", "x-a: 1", " folded"),
        ask("/a", "content-length: 1", "content-length: 2"),
        ask("/a", "content-length: -1"),
        ask("/a", "content-length: 5", "transfer-encoding: chunked") + b"0\r\n\r\n",
        ask("/a", "transfer-encoding: chunked", method="POST") + b"1\r\nx\r\n0\r\n\r\n",
        ask("/a", "transfer-encoding: gzip", method="POST"),
        ask("/a", "x-a: 1\x00"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_400_and_the_end(served: Served, sent: bytes) -> None:
    answered = exchanged(served, sent + ask("/smuggled"))
    assert answered.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"connection: close" in answered
    assert b"/smuggled" not in answered


def test_what_cannot_be_read_does_not_take_the_answer_before_it(served: Served) -> None:
    with served.connect() as peer:
        peer.sendall(ask("/later") + b"nonsense\r\n\r\n")
        served.await_waiting(1)
        served.release()
        answered = until_closed(peer)
    assert answered.index(b"GET /later") < answered.index(b"400 Bad Request")


def test_a_short_body_is_passed_over(served: Served) -> None:
    answered = exchanged(served, ask("/a", "content-length: 5", method="POST") + b"12345" + ask("/b", CLOSE))
    assert answered.count(b"200 OK") == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 2_000_000,
        ask("/a", *(f"x-{number}: {'y' * 1000}" for number in range(2000))),
        ask("/a", f"content-length: {10 * LONGEST_MESSAGE}", method="POST") + b"x" * 2_000_000,
    ],
    ids=["target", "headers", "body"],
)
def test_what_is_too_large_is_not_read_to_its_end(served: Served, sent: bytes) -> None:
    with served.connect() as peer:
        try:
            peer.sendall(sent)
        except OSError:  # it hung up while this was still talking
            return
        assert not until_closed(peer).startswith(b"HTTP/1.1 2")


def test_a_request_just_over_the_bound_is_431(served: Served) -> None:
    assert exchanged(served, ask("/a", f"x-a: {'y' * LONGEST_MESSAGE}")[: LONGEST_MESSAGE + 10]).startswith(
        b"HTTP/1.1 431 "
    )


def test_a_peer_that_never_finishes_its_headers_is_left(served: Served) -> None:
    with served.connect() as peer:
        began = time.monotonic()
        peer.sendall(b"GET /a HTTP/1.1\r\nx-a: ")
        while time.monotonic() - began < 6:
            try:
                peer.sendall(b"y")
            except OSError:
                return
            time.sleep(0.1)
    raise AssertionError("it was listened to without end")


def test_a_peer_that_says_nothing_is_left(served: Served) -> None:
    began = time.monotonic()
    assert exchanged(served, b"") == b""
    assert time.monotonic() - began < 6


def test_a_peer_that_does_not_read_its_answers_is_left(served: Served) -> None:
    with served.connect() as peer:
        peer.sendall(ask("/large") * 50)
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            try:
                peer.sendall(ask("/large"))
            except OSError:
                return
            time.sleep(0.1)
    raise AssertionError("answers were kept for it without end")


def test_peers_that_vanish_in_the_middle_leave_nothing_behind(served: Served) -> None:
    for sent in (b"", b"GET /a", ask("/later"), ask("/later") + ask("/a") * 20, ask("/large") * 20):
        peer = served.connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset instead of goodbye
        peer.sendall(sent)
        peer.close()
    assert exchanged(served, ask("/a", CLOSE)).startswith(b"HTTP/1.1 200")
    assert served.stop() < 3


@pytest.mark.parametrize("target", ["/broken", "/later/broken"])
def test_a_defect_is_500_and_the_connection_goes_on(served: Served, target: str) -> None:
    served.release()
    answered = exchanged(served, ask(target) + ask("/b", CLOSE))
    assert answered.startswith(b"HTTP/1.1 500 ")
    assert b"defect" not in answered
    assert answered.endswith(b"GET /b [] None")


def test_a_change_of_protocol_is_not_made(served: Served) -> None:
    answered = exchanged(served, ask("/a", "connection: upgrade", "upgrade: websocket") + b"\x81\x05hello")
    assert answered.startswith(b"HTTP/1.1 200")
    assert answered.count(b"HTTP/1.1") == 1


def test_a_thousand_connections_are_served() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    served = Served(Patience(arrival=30, idle=30))
    peers: list[socket.socket] = []
    try:
        peers.extend(served.connect() for _ in range(1000))
        for peer in peers:
            peer.sendall(ask("/a"))
        assert all(peer.recv(1000).startswith(b"HTTP/1.1 200") for peer in peers)
        for peer in peers[::2]:
            peer.sendall(ask("/later"))
        served.await_waiting(500)
        served.release()
        assert all(peer.recv(1000).startswith(b"HTTP/1.1 200") for peer in peers[::2])
    finally:
        for peer in peers:
            peer.close()
        served.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_stopping_answers_what_was_asked_and_hangs_up_on_the_silent(served: Served) -> None:
    with served.connect() as silent, served.connect() as busy:
        silent.sendall(ask("/a"))
        assert silent.recv(1000).startswith(b"HTTP/1.1 200")
        busy.sendall(ask("/later"))
        served.await_waiting(1)
        served.begin_stop()
        assert silent.recv(1000) == b""
        served.release()
        answered = until_closed(busy)
        assert answered.endswith(b"GET /later [] None")
        assert b"connection: close" in answered


def test_stopping_does_not_wait_for_an_answer_that_never_comes(served: Served) -> None:
    with served.connect() as busy:
        busy.sendall(ask("/later"))
        served.await_waiting(1)
        assert served.stop() < 3
