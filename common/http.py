"""The one HTTP client behind every adapter and every fetch of a typed URL.

It follows no redirect, keeps no cookie, reads no proxy setting from the environment, never retries, limits size
and time, refuses private addresses unless allowed, and translates every failure once into ``common.errors``.
"""

import json
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urlencode

import httpx2

from common.address_guard import AddressGuard, PrivateAddressRefused, deadline
from common.errors import (
    ArchwayError,
    InputError,
    KeyManagerProtocolError,
    KeyManagerUnavailable,
    OutcomeUnknown,
)
from common.exchanges import HttpExchange, note, recording
from common.http_transport import PooledTransport
from common.http_values import (
    HttpLimits,
    HttpRequest,
    HttpResponse,
    Pairs,
    address_only,
    check_url,
    parse_retry_after,
    rate_limit_wait,
)
from common.redact import redact_body, redact_text

__all__ = [
    "AddressGuard",
    "HttpClient",
    "HttpLimits",
    "HttpRequest",
    "HttpResponse",
    "PrivateAddressRefused",
    "address_only",
    "check_url",
    "failed_answer",
    "parse_retry_after",
]

DEFINITION_BYTES = 5 * 1024 * 1024
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class HttpClient:
    """Thread-safe; make one per purpose and keep it. ``transport`` replaces the network (in-process server, tests)."""

    def __init__(
        self,
        *,
        limits: HttpLimits | None = None,
        guard: AddressGuard | None = None,
        transport: httpx2.BaseTransport | None = None,
        ssl_context: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
        user_agent: str = "archway",
    ) -> None:
        self.limits = limits or HttpLimits()
        self._transport = transport or PooledTransport(guard or AddressGuard(), ssl_context)
        self._now = now
        self._user_agent = user_agent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def send(self, request: HttpRequest, *, limits: HttpLimits | None = None) -> HttpResponse:
        """Send and read the whole answer, of any status but 429 and 503.

        Raises ``KeyManagerUnavailable`` when nothing was done (also for 429 and 503), ``OutcomeUnknown`` when a
        request that is not repeatable was sent and no whole answer came, ``KeyManagerProtocolError`` for an
        oversized answer, ``PrivateAddressRefused`` and ``InputError`` for an address that is not acceptable.
        """
        response = self._exchange(request, limits or self.limits)
        if response.status in (429, 503):
            wait = rate_limit_wait(response, now=self._now())
            what = "asks for fewer calls" if response.status == 429 else "is not available"
            raise KeyManagerUnavailable(
                f"{address_only(request.url)} {what} (HTTP {response.status})", retry_after=wait
            )
        return response

    def get(self, url: str, *, headers: Pairs = ()) -> HttpResponse:
        """GET, accepting JSON."""
        return self.send(HttpRequest(method="GET", url=url, headers=(("Accept", "application/json"), *headers)))

    def fetch_text(self, url: str, *, name: str = "url", limits: HttpLimits | None = None) -> str:
        """The text behind a URL that a person typed (5 MB unless ``limits`` says else).

        Raises ``InputError`` naming the field ``name`` for every way in which that can fail.
        """
        bounds = limits or HttpLimits(total=20.0, max_response_bytes=DEFINITION_BYTES)
        try:
            response = self._exchange(HttpRequest(method="GET", url=url), bounds)
            if response.status != 200:
                hint = ": redirects are not followed" if 300 <= response.status < 400 else ""
                raise InputError.of(name, f"the address answered HTTP {response.status}{hint}")
            return response.body.decode("utf-8-sig")
        except PrivateAddressRefused as exc:
            raise PrivateAddressRefused(exc.message, fields={name: [exc.message]}) from exc
        except UnicodeDecodeError as exc:
            raise InputError.of(name, "the answer is not UTF-8 text") from exc
        except InputError as exc:
            said = [message for messages in exc.fields.values() for message in messages]
            raise InputError.of(name, " ".join(said) or exc.message) from exc
        except ArchwayError as exc:
            raise InputError.of(name, exc.message) from exc

    def _exchange(self, request: HttpRequest, limits: HttpLimits) -> HttpResponse:
        """Send, and note the exchange where somebody records them."""
        if not recording():
            return self._round_trip(request, limits)
        started = time.monotonic()
        try:
            response = self._round_trip(request, limits)
        except ArchwayError as exc:
            note(_noted(request, None, exc.message, time.monotonic() - started))
            raise
        note(_noted(request, response, "", response.seconds))
        return response

    def _round_trip(self, request: HttpRequest, limits: HttpLimits) -> HttpResponse:
        outgoing = self._build(request, limits)
        started = time.monotonic()
        mark = deadline.set(started + limits.total)
        try:
            answer = self._transport.handle_request(outgoing)
            try:
                body = _read_body(answer, request, limits, started)
            finally:
                answer.close()
        except _NOT_SENT as exc:
            raise KeyManagerUnavailable(f"{address_only(request.url)} cannot be reached ({_cause(exc)})") from exc
        except (httpx2.TransportError, httpx2.DecodingError) as exc:
            _raise_lost(request, exc)
        finally:
            deadline.reset(mark)
        return HttpResponse(
            status=answer.status_code,
            url=request.url,
            headers=tuple((key.lower(), value) for key, value in answer.headers.multi_items()),
            body=body,
            seconds=time.monotonic() - started,
        )

    def _build(self, request: HttpRequest, limits: HttpLimits) -> httpx2.Request:
        check_url(request.url)
        timeouts = {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": limits.connect}
        headers = [("User-Agent", self._user_agent), ("Accept-Encoding", "identity"), *request.headers]
        content: bytes | None = None
        if request.form is not None:
            content = urlencode(request.form).encode()
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif request.json is not None:
            content = json.dumps(dict(request.json)).encode()
            headers.append(("Content-Type", "application/json"))
        return httpx2.Request(
            request.method, request.url, headers=headers, content=content, extensions={"timeout": timeouts}
        )


def failed_answer(request: HttpRequest, response: HttpResponse) -> KeyManagerUnavailable | OutcomeUnknown:
    """The error for a 5xx answer that the caller cannot read any better: unknown unless the request is repeatable."""
    message = f"{address_only(request.url)} failed with HTTP {response.status}"
    return KeyManagerUnavailable(message) if request.is_repeatable else OutcomeUnknown(message)


def _read_body(answer: httpx2.Response, request: HttpRequest, limits: HttpLimits, started: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in answer.iter_bytes():
        size += len(chunk)
        if size > limits.max_response_bytes:
            message = f"{address_only(request.url)} answered more than {limits.max_response_bytes} bytes"
            raise KeyManagerProtocolError(message) if request.is_repeatable else OutcomeUnknown(message)
        if time.monotonic() - started > limits.total:
            raise httpx2.ReadTimeout("the total time is used up")
        parts.append(chunk)
    return b"".join(parts)


def _noted(request: HttpRequest, response: HttpResponse | None, error: str, seconds: float) -> HttpExchange:
    sent = ""
    if request.form is not None:
        sent = redact_body(urlencode(request.form).encode(), "application/x-www-form-urlencoded")
    elif request.json is not None:
        sent = redact_body(json.dumps(dict(request.json)).encode(), "application/json")
    return HttpExchange(
        method=request.method,
        url=redact_text(request.url),
        request_body=sent,
        status=response.status if response else 0,
        response_body=redact_body(response.body, response.content_type) if response else "",
        error=error,
        milliseconds=round(seconds * 1000),
    )


def _raise_lost(request: HttpRequest, error: httpx2.RequestError) -> NoReturn:
    if isinstance(error, httpx2.LocalProtocolError):
        raise InputError("A value cannot be sent in an HTTP request") from error
    message = f"{address_only(request.url)} gave no whole answer ({_cause(error)})"
    if request.is_repeatable:
        raise KeyManagerUnavailable(message) from error
    raise OutcomeUnknown(message) from error


def _cause(error: Exception) -> str:
    """A word for people; the library's own text could quote what was sent."""
    names = {
        "ConnectError": "no connection",
        "ConnectTimeout": "no connection in time",
        "PoolTimeout": "all connections are busy",
        "ReadTimeout": "no answer in time",
        "WriteTimeout": "it does not read what we send",
        "RemoteProtocolError": "the connection was closed or the answer is not HTTP",
        "ReadError": "the connection broke",
        "WriteError": "the connection broke",
        "DecodingError": "the body is not encoded as it says",
    }
    return names.get(type(error).__name__, type(error).__name__)
