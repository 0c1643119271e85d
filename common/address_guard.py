"""Refuses to connect to private addresses when the URL was typed by a person.

The check is made on the address that is really connected to: the name is resolved once, the addresses are
checked, and the connection goes to that very address. A name that answers differently the second time
(DNS rebinding) changes nothing.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import httpcore2

from common.errors import InputError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

# Cloud metadata services that live at an address which is globally routable on paper, and ranges that the
# standard library calls global in some versions only.
_NEVER_PUBLIC = tuple(
    ipaddress.ip_network(text) for text in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that is assigned for the public so far; what is outside is reserved or translates to IPv4 (RFC 4291 section 2.4).
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")

# Threads that look names up. A name server that never answers holds one for as long as it likes, so names that a person
# may try out at will have threads of their own: they must not hold up what goes to key managers.
LOOKUPS: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")
LOOKUPS_FOR_PEOPLE: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="resolve-for-people")

# Monotonic time at which the request of the present context must be over.
deadline: ContextVar[float | None] = ContextVar("archway_http_deadline", default=None)


class PrivateAddressRefused(InputError):
    """The URL leads to an address inside our own network, and no setting allows that range."""

    code = "private_address"
    title = "The address is not public"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Decides which addresses may be connected to. ``allowed``: ranges that are open although they are not public."""

    allowed: tuple[IPNetwork, ...] = ()

    @classmethod
    def of(cls, *ranges: str) -> "AddressGuard":
        """A guard that also allows ``ranges`` in CIDR notation. Raises ``ValueError`` for a malformed range."""
        return cls(allowed=tuple(ipaddress.ip_network(text, strict=False) for text in ranges))

    def permits(self, address: str) -> bool:
        """True when the numeric ``address`` may be connected to."""
        ip = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        if any(ip.version == network.version and ip in network for network in self.allowed):
            return True
        if any(ip in network for network in _NEVER_PUBLIC if network.version == ip.version):
            return False
        return ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in _PUBLIC_IPV6)

    def choose(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Those of ``addresses`` that may be connected to. Raises ``PrivateAddressRefused`` when there is none."""
        chosen = [address for address in addresses if self.permits(address)]
        if not chosen:
            message = f"{host} is not a public address; an administrator can allow its range"
            raise PrivateAddressRefused(message, fields={"url": [message]})
        return chosen


def _embedded(ip: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address carries (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


class GuardedBackend(httpcore2.NetworkBackend):
    """httpcore's blocking network backend with the address guard and the total deadline."""

    def __init__(self, guard: AddressGuard | None, lookups: ThreadPoolExecutor = LOOKUPS) -> None:
        self._guard = guard
        self._lookups = lookups
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check, connect to the first checked address that answers."""
        addresses = resolve(host, port, _remaining(timeout, httpcore2.ConnectTimeout), self._lookups)
        if self._guard is not None:
            addresses = self._guard.choose(host, addresses)
        options = list(socket_options or ())
        for position, address in enumerate(addresses):
            left = _remaining(timeout, httpcore2.ConnectTimeout)
            try:
                return DeadlineStream(self._inner.connect_tcp(address, port, left, local_address, options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if position == len(addresses) - 1:
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """Never used: a URL cannot name a Unix socket."""
        raise httpcore2.UnsupportedProtocol("Unix sockets are not used")


class DeadlineStream(httpcore2.NetworkStream):
    """A stream whose every operation also ends at the total deadline, so that a trickling peer cannot hold us."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read at most ``max_bytes``."""
        return self._inner.read(max_bytes, _remaining(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of ``buffer``."""
        self._inner.write(buffer, _remaining(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Begin TLS on the stream."""
        left = _remaining(timeout, httpcore2.ConnectTimeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Facts of the socket."""
        return self._inner.get_extra_info(info)


def _remaining(timeout: float | None, error: type[Exception]) -> float | None:
    """The smaller of ``timeout`` and what is left until the deadline. Raises ``error`` when nothing is left."""
    end = deadline.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise error("the total time is used up")
    return left if timeout is None else min(timeout, left)


def resolve(host: str, port: int, timeout: float | None, lookups: ThreadPoolExecutor = LOOKUPS) -> list[str]:
    """Numeric addresses of ``host``, in the resolver's order, which knows no timeout: a thread of ``lookups`` asks."""
    try:
        return [str(ipaddress.ip_address(host.partition("%")[0]))]
    except ValueError:
        pass
    future: Future[list[str]] = lookups.submit(_look_up, host, port)
    try:
        return future.result(timeout)
    except TimeoutError as exc:
        future.cancel()  # where it still waits for a thread, nobody wants it any more
        raise httpcore2.ConnectTimeout(f"{host} could not be resolved in time") from exc
    except (OSError, UnicodeError) as exc:
        # A name that DNS cannot hold (RFC 1035 section 2.3.4) fails before anybody is asked.
        raise httpcore2.ConnectError(f"{host} cannot be resolved") from exc


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
