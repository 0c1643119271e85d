"""What stands around the gateway in its tests: a validator that answers as told, a backend that says what reached it.

Both are real HTTP servers on loopback.
"""

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as its bytes were, header names in lower case, in order."""

    method: str
    target: str
    headers: Headers
    body_bytes: int

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header, or ""."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a peer answers. ``raw``: these bytes instead, and the end of the connection."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    raw: bytes | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[Received], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.received: list[Received] = []
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(30)

    def handle_one_request(self) -> None:
        try:
            self._one_request()
        except (OSError, ValueError):
            self.close_connection = True

    def _one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        # The standard handler repairs "//" at the start of a path: the tests want to see it.
        method, target, _ = self.raw_requestline.decode("latin-1").split(" ", 2)
        request = Received(
            method=method,
            target=target,
            headers=tuple((name.lower(), value) for name, value in self.headers.items()),
            body_bytes=self._read_body(),
        )
        with self.server.lock:
            self.server.received.append(request)
        self._send(self.server.answer(request))

    def _read_body(self) -> int:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return len(self.rfile.read(int(self.headers.get("content-length", "0"))))
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return total

    def _send(self, reply: Answer) -> None:
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        lines = [f"HTTP/1.1 {reply.status} Told", *(f"{name}: {value}" for name, value in reply.headers)]
        lines.append(f"content-length: {len(reply.body)}")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body)


class Peer:
    """A server whose answers come from ``answer``; ``received`` finds what was asked by its ``x-request-id``."""

    def __init__(self, answer: Callable[[Received], Answer], *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(answer)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def received(self, request_id: str) -> list[Received]:
        """The requests that carried this ``x-request-id``."""
        with self._server.lock:
            return [request for request in self._server.received if request.first("x-request-id") == request_id]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def echo(request: Received) -> Answer:
    """A backend that answers what it received, and a few headers that it should not be able to set."""
    body = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body_bytes": request.body_bytes,
    }
    return Answer(
        headers=(
            ("content-type", "application/json"),
            ("server", "backend/1.0"),
            ("access-control-allow-origin", "*"),
            ("x-archway-reference", "made-up"),
            ("x-envoy-upstream-service-time", "1"),
        ),
        body=json.dumps(body).encode(),
    )
