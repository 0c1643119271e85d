"""The values that go into and come out of ``common.http.HttpClient``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from common.errors import InputError, KeyManagerProtocolError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

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
        value = self._json(any_content_type=any_content_type)
        if not isinstance(value, dict):
            raise KeyManagerProtocolError(f"{self._where} JSON that is not an object")
        return value

    def json_list(self) -> list[Any]:
        """The body as a JSON list. Raises ``KeyManagerProtocolError`` for anything else."""
        value = self._json(any_content_type=False)
        if not isinstance(value, list):
            raise KeyManagerProtocolError(f"{self._where} JSON that is not a list")
        return value

    @property
    def _where(self) -> str:
        return f"{address_only(self.url)} answered {self.status} with"

    def _json(self, *, any_content_type: bool) -> Any:
        if not (any_content_type or self.is_json):
            raise KeyManagerProtocolError(f"{self._where} {self.content_type or 'no content type'} instead of JSON")
        try:
            return json.loads(self._json_text)
        except (ValueError, RecursionError) as exc:
            raise KeyManagerProtocolError(f"{self._where} a body that is not JSON") from exc

    @property
    def _json_text(self) -> str:
        """JSON is UTF-8 (RFC 8259 section 8.1); servlet containers of old say that theirs is Latin-1, and it is."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            if "charset=iso-8859-1" not in self.header("content-type").lower().replace(" ", ""):
                raise
            return self.body.decode("latin-1")

    def json_object_or_empty(self) -> dict[str, Any]:
        """The body as a JSON object whatever the content type, or {} (for error answers, which are often sloppy)."""
        try:
            return self.json_object(any_content_type=True)
        except KeyManagerProtocolError:
            return {}


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
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise InputError.of("url", "a port is a number from 1 to 65535")
    return parsed


def address_only(url: str) -> str:
    """Scheme, host, port and path of a URL: what may be shown of it. Query and fragment can carry secrets."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, mark, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def rate_limit_wait(response: HttpResponse, *, now: float) -> float | None:
    """Seconds to wait from ``Retry-After``, else until the epoch second that a rate limit header names; ``None``
    if neither says. Okta and Auth0 send the latter alone, spelled differently.
    """
    wait = parse_retry_after(response.header("retry-after"), now=now)
    if wait is not None:
        return wait
    for name in ("x-rate-limit-reset", "x-ratelimit-reset"):
        reset = response.header(name).strip()
        if reset.isascii() and reset.isdigit():
            return max(0.0, float(reset) - now)
    return None


def parse_retry_after(value: str, *, now: float) -> float | None:
    """Seconds to wait from a ``Retry-After`` header (RFC 9110 10.2.3): seconds or an HTTP date; ``None`` if neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None
