"""A client that sends exactly the bytes that it is given."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse

from tests.fakes.gateway_peers import Headers, Received


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer; header names in lower case."""

    status: int
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header, or ""."""
        return next(iter(self.all(name)), "")

    @property
    def code(self) -> str:
        """``code`` of a problem document; "" when it is none."""
        if self.first("content-type") != "application/problem+json":
            return ""
        code: str = json.loads(self.body)["code"]
        return code

    @property
    def echoed(self) -> Received:
        """What the backend received."""
        said = json.loads(self.body)
        return Received(
            method=said["method"],
            target=said["target"],
            headers=tuple((name, value) for name, value in said["headers"]),
            body_bytes=said["body_bytes"],
        )


def send(port: int, request: bytes, *, seconds: float = 10.0) -> RawAnswer:
    """Sends the bytes on a connection of their own and reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        return receive(connection, request.partition(b" ")[0].decode("latin-1"))


def receive(connection: socket.socket, method: str = "GET") -> RawAnswer:
    """Reads one answer from a connection."""
    with HTTPResponse(connection, method=method) as response:
        response.begin()
        return RawAnswer(
            status=response.status,
            headers=tuple((name.lower(), value) for name, value in response.getheaders()),
            body=response.read(),
        )


def request(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    """The bytes of an HTTP/1.1 request on a connection that ends with it."""
    lines = [f"{method} {target} HTTP/1.1", "host: gateway.test", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
