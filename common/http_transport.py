"""The pooled transport under ``HttpClient``: HTTP/1.1 keep-alive connections through the guarded backend."""

import ssl
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpcore2
import httpx2

from common.address_guard import LOOKUPS, AddressGuard, GuardedBackend

MAX_CONNECTIONS = 50
# Much shorter than the 2 to 5 s after which many servers close an idle connection: a request that meets a connection
# which is being closed has an unknown outcome, and a busy machine may let seconds pass before the request is out.
KEEPALIVE_SECONDS = 1.0


@cache
def shared_ssl_context() -> ssl.SSLContext:
    """The one TLS context of the process (the system's certificate authorities, or ``SSL_CERT_FILE``)."""
    return ssl.create_default_context()


# The most specific classes first: the first match is the translation.
_ERRORS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (httpcore2.ConnectTimeout, httpx2.ConnectTimeout),
    (httpcore2.ReadTimeout, httpx2.ReadTimeout),
    (httpcore2.WriteTimeout, httpx2.WriteTimeout),
    (httpcore2.PoolTimeout, httpx2.PoolTimeout),
    (httpcore2.ConnectError, httpx2.ConnectError),
    (httpcore2.ReadError, httpx2.ReadError),
    (httpcore2.WriteError, httpx2.WriteError),
    (httpcore2.LocalProtocolError, httpx2.LocalProtocolError),
    (httpcore2.RemoteProtocolError, httpx2.RemoteProtocolError),
    (httpcore2.UnsupportedProtocol, httpx2.UnsupportedProtocol),
    (httpcore2.TimeoutException, httpx2.ReadTimeout),
    (httpcore2.NetworkError, httpx2.ReadError),
    (httpcore2.ProtocolError, httpx2.RemoteProtocolError),
)
_CAUGHT = tuple(known for known, _ in _ERRORS)


def _translated(error: Exception) -> httpx2.TransportError:
    for known, translation in _ERRORS:
        if isinstance(error, known):
            return translation(str(error))
    raise error


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except _CAUGHT as exc:
            raise _translated(exc) from exc

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class PooledTransport(httpx2.BaseTransport):
    """Connections to the outside. Thread-safe. ``guard=None`` connects anywhere; ``lookups`` resolves the names."""

    def __init__(
        self,
        guard: AddressGuard | None,
        ssl_context: ssl.SSLContext | None = None,
        lookups: ThreadPoolExecutor = LOOKUPS,
    ) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context or shared_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=GuardedBackend(guard, lookups),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; the answer's body is read by whoever asked. Raises httpx2's transport errors."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        outgoing = httpcore2.Request(
            request.method, url, headers=request.headers.raw, content=request.read(), extensions=request.extensions
        )
        try:
            answer = self._pool.handle_request(outgoing)
        except _CAUGHT as exc:
            raise _translated(exc) from exc
        if not isinstance(answer.stream, Iterable):
            raise TypeError("the pool answered with an asynchronous body")
        return httpx2.Response(status_code=answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
