"""The one HTTP client behind every adapter and every fetch of a typed URL.

It follows no redirect, keeps no cookie, reads no proxy setting from the environment, never retries, limits size
and time, refuses private addresses unless allowed, and translates every failure once into ``common.errors``.
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NoReturn, Self
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
from common.http_transport import PooledTransport

__all__ = [
    "AddressGuard",
    "HttpClient",
    "HttpLimits",
    "HttpRequest",
    "HttpResponse",
    "PrivateAddressRefused",
    "failed_answer",
    "parse_retry_after",
]

DEFINITION_BYTES = 5 * 1024 * 1024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Seconds for connecting, for silence while reading, and in total; bytes of the answer's body."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 15.0
    max_response_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. At most one of ``form`` and ``json`` is given.

    ``repeatable``: sending it twice does no harm, so a lost answer is ``KeyManagerUnavailable`` instead of
    ``OutcomeUnknown``. ``None`` means that the method decides (GET, HEAD and OPTIONS are repeatable).
    """

    method: str
    url: str
    headers: Pairs = field(default=(), repr=False)
    form: Pairs | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    repeatable: bool | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether a lost answer leaves nothing unknown."""
        return self.method.upper() in _SAFE_METHODS if self.repeatable is None else self.repeatable


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One answer, read to its end. Header names are in lower case. ``seconds``: from sending to the last byte."""

    status: int
    url: str
    headers: Pairs = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """First value of a header, or ""."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), "")

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """True when the media type says JSON."""
        return self.content_type == "application/json" or self.content_type.endswith("+json")

    @property
    def text(self) -> str:
        """The body as UTF-8, undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json_object(self, *, any_content_type: bool = False) -> dict[str, Any]:
        """The body as a JSON object. Raises ``KeyManagerProtocolError`` for anything else."""
        where = f"{address_only(self.url)} answered {self.status} with"
        if not (any_content_type or self.is_json):
            raise KeyManagerProtocolError(f"{where} {self.content_type or 'no content type'} instead of JSON")
        try:
            value = json.loads(self.body)
        except ValueError as exc:
            raise KeyManagerProtocolError(f"{where} a body that is not JSON") from exc
        if not isinstance(value, dict):
            raise KeyManagerProtocolError(f"{where} JSON that is not an object")
        return value

    def json_object_or_empty(self) -> dict[str, Any]:
        """The body as a JSON object whatever the content type, or {} (for error answers, which are often sloppy)."""
        try:
            return self.json_object(any_content_type=True)
        except KeyManagerProtocolError:
            return {}


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
            wait = parse_retry_after(response.header("retry-after"), now=self._now())
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
            raise InputError(exc.message, fields={name: [exc.message]}) from exc
        except ArchwayError as exc:
            raise InputError.of(name, exc.message) from exc

    def _exchange(self, request: HttpRequest, limits: HttpLimits) -> HttpResponse:
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


def check_url(url: str) -> httpx2.URL:
    """An absolute http(s) URL without user information. Raises ``InputError`` naming ``url``."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as exc:
        raise InputError.of("url", "this is not a URL") from exc
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InputError.of("url", "an absolute http or https URL is needed")
    if parsed.userinfo:
        raise InputError.of("url", "a URL must not carry a user name or password")
    return parsed


def address_only(url: str) -> str:
    """Scheme, host, port and path of a URL: what may be shown of it. Query and fragment can carry secrets."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, mark, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def parse_retry_after(value: str, *, now: float) -> float | None:
    """Seconds to wait from a ``Retry-After`` header (RFC 9110 10.2.3): seconds or an HTTP date; ``None`` if neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


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
