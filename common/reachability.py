"""Whether a server could be called, told in steps: its name, a connection, TLS. Not one byte of a request is sent."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import httpcore2

from common.address_guard import LOOKUPS_FOR_PEOPLE, AddressGuard, PrivateAddressRefused, resolve
from common.http_transport import shared_ssl_context

_PORTS: Final = {"http": 80, "https": 443}


class Part(StrEnum):
    """What one step looks at."""

    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"


class Finding(StrEnum):
    """How one step ended."""

    FOUND = "found"
    NAME_UNKNOWN = "name_unknown"
    NAME_SILENT = "name_silent"
    PRIVATE = "private"
    CONNECTED = "connected"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    NO_TLS = "no_tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachStep:
    """One step. ``detail``: addresses, TLS version or what the TLS library says; ``milliseconds``: how long it took."""

    part: Part
    finding: Finding
    detail: str = ""
    milliseconds: int = 0


def reach(
    url: str, *, guard: AddressGuard, seconds: float = 4.0, ssl_context: ssl.SSLContext | None = None
) -> tuple[ReachStep, ...]:
    """Look up the host of ``url`` (absolute, http or https), connect, and greet by TLS where it is https.

    The first step that fails is the last one. An address that ``guard`` does not permit is not connected to.
    ``seconds`` bounds all of it.
    """
    return tuple(_steps(url, guard, time.monotonic() + seconds, ssl_context or shared_ssl_context()))


def _steps(url: str, guard: AddressGuard, end: float, context: ssl.SSLContext) -> Iterator[ReachStep]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    named, addresses = _look_up(host, port, guard, end)
    yield named
    if not addresses:
        return
    connected, connection = _connect(addresses, port, end)
    yield connected
    if connection is None:
        return
    with connection:
        if parts.scheme == "https":
            yield _greet(connection, host, context, end)


def _look_up(host: str, port: int, guard: AddressGuard, end: float) -> tuple[ReachStep, list[str]]:
    started = time.monotonic()
    try:
        addresses = guard.choose(host, resolve(host, port, _left(end), LOOKUPS_FOR_PEOPLE))
    except PrivateAddressRefused:
        return _step(Part.NAME, Finding.PRIVATE, started), []
    except httpcore2.ConnectTimeout:
        return _step(Part.NAME, Finding.NAME_SILENT, started), []
    except httpcore2.ConnectError:
        return _step(Part.NAME, Finding.NAME_UNKNOWN, started), []
    return _step(Part.NAME, Finding.FOUND, started, ", ".join(addresses)), addresses


def _connect(addresses: list[str], port: int, end: float) -> tuple[ReachStep, socket.socket | None]:
    """The first connection that comes about; else what the last address did."""
    started = time.monotonic()
    finding = Finding.UNREACHABLE
    for address in addresses:
        try:
            connection = socket.create_connection((address, port), timeout=_left(end))
        except ConnectionRefusedError:
            finding = Finding.REFUSED
        except TimeoutError:
            finding = Finding.SILENT
        except OSError:
            finding = Finding.UNREACHABLE
        else:
            return _step(Part.CONNECTION, Finding.CONNECTED, started, f"{address}, port {port}"), connection
    return _step(Part.CONNECTION, finding, started, f"port {port}"), None


def _greet(connection: socket.socket, host: str, context: ssl.SSLContext, end: float) -> ReachStep:
    started = time.monotonic()
    connection.settimeout(_left(end))
    try:
        with context.wrap_socket(connection, server_hostname=host) as secured:
            return _step(Part.TLS, Finding.TRUSTED, started, secured.version() or "")
    except ssl.SSLCertVerificationError as exc:
        return _step(Part.TLS, Finding.UNTRUSTED, started, exc.verify_message)
    except TimeoutError:
        return _step(Part.TLS, Finding.SILENT, started)
    except OSError:
        return _step(Part.TLS, Finding.NO_TLS, started)


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0.05)


def _step(part: Part, finding: Finding, started: float, detail: str = "") -> ReachStep:
    return ReachStep(part=part, finding=finding, detail=detail, milliseconds=round((time.monotonic() - started) * 1000))
