"""Calls of Auth0's Management API: our own token for it, its errors, its two kinds of pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected, KeyManagerUnavailable
from common.http import HttpClient, HttpRequest, HttpResponse, address_only
from common.redact import redact_text
from keymanager.adapters.auth0.config import Auth0Config
from keymanager.adapters.contract import Clock
from keymanager.adapters.rfc.answers import (
    CLIENT_GONE,
    OWN_CLIENT_REFUSED,
    refusal,
    required_text,
    text_of,
    whole_number,
)
from keymanager.adapters.rfc.credentials import JSON, bearer

_API_PATH = "api/v2/"
_PAGE = 100
_LEEWAY_SECONDS = 60.0
_DEFAULT_SECONDS = 120.0
_FRESH_SECONDS = 5.0
_DESCRIPTION_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    token: str = field(repr=False)
    fetched_at: float
    good_until: float


class ManagementApi:
    """``/api/v2`` of one tenant."""

    def __init__(self, config: Auth0Config, http: HttpClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._kept: _Kept | None = None

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool | None = None,
        doing: str = "",
    ) -> HttpResponse:
        """A 2xx answer or 404. Raises for everything else; ``doing`` is for people."""
        request = HttpRequest(
            method=method,
            url=f"{self._config.api_audience}{path.removeprefix('/')}",
            headers=(*JSON, *bearer(self._token())),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.ok or response.status == 404:
            return response
        if response.status == 401:
            self._forget_token()
        raise auth0_refusal(request, response, doing=doing)

    def found(self, response: HttpResponse) -> HttpResponse:
        """The answer, unless it is 404: then the thing itself is missing."""
        if response.status == 404:
            raise KeyManagerRejected(
                f"{address_only(response.url)} does not exist at Auth0", remote_code="not_found", remote_status=404
            )
        return response

    def pages(self, name: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of ``/clients`` or ``/client-grants`` (``take`` and ``from``: no limit of 1,000)."""
        wanted = {"take": str(_PAGE), **(query or {})}
        while True:
            body = self.found(self.send("GET", f"/{name}?{urlencode(wanted)}")).json_object()
            yield from _entries(body, name)
            following = text_of(body, "next")
            if not following or following == wanted.get("from"):
                return
            wanted["from"] = following

    def numbered_pages(self, name: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of ``/resource-servers``, which has page numbers only."""
        page, seen = 0, 0
        while True:
            numbers = {"page": str(page), "per_page": str(_PAGE), "include_totals": "true"}
            body = self.found(self.send("GET", f"/{name}?{urlencode({**numbers, **(query or {})})}")).json_object()
            entries = _entries(body, name)
            yield from entries
            page, seen = page + 1, seen + len(entries)
            if not entries or seen >= (whole_number(body, "total") or 0):
                return

    def _token(self) -> str:
        """Our token for the Management API, kept while it lives."""
        kept, now = self._kept, self._clock.now()
        if kept is not None and now < kept.good_until:
            return kept.token
        request = HttpRequest(
            method="POST",
            url=f"{self._config.api_audience.removesuffix(_API_PATH)}oauth/token",
            headers=JSON,
            form=(
                ("grant_type", "client_credentials"),
                ("client_id", self._config.management_client_id),
                ("client_secret", self._config.management_client_secret),
                ("audience", self._config.api_audience),
            ),
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status != 200:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="our own client for management")
        body = response.json_object()
        token = required_text(body, "access_token", response)
        lives = float(whole_number(body, "expires_in") or _DEFAULT_SECONDS)
        self._kept = _Kept(token=token, fetched_at=now, good_until=now + max(0.0, lives - _LEEWAY_SECONDS))
        return token

    def _forget_token(self) -> None:
        """A kept token that died early only has to be fetched again; a fresh one would be refused again."""
        kept, self._kept = self._kept, None
        if kept is not None and self._clock.now() - kept.fetched_at >= _FRESH_SECONDS:
            raise KeyManagerUnavailable("Auth0 no longer accepts our access token", retry_after=0.0)


def auth0_refusal(request: HttpRequest, response: HttpResponse, *, doing: str = "") -> ArchwayError:
    """The error of a Management API answer ({statusCode, error, message, errorCode}), else of an OAuth one."""
    body = response.json_object_or_empty()
    message = text_of(body, "message")
    if not message or not 400 <= response.status < 500:
        own = OWN_CLIENT_REFUSED if response.status in (401, 403) else ""
        return refusal(request, response, code=own, doing=doing)
    words = redact_text(message)[:_DESCRIPTION_LIMIT]
    return KeyManagerRejected(
        f"Auth0 refused {doing or 'this'} (HTTP {response.status}): {words}",
        remote_code=text_of(body, "errorCode") or text_of(body, "error"),
        remote_status=response.status,
        remote_description=words,
    )


def gone(client_id: str) -> KeyManagerRejected:
    """The error for a change of a client that is not there any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at Auth0", remote_code=CLIENT_GONE, remote_status=404
    )


def quoted(segment: str) -> str:
    """One segment of a path; identifiers of resource servers are URLs and URNs."""
    return quote(segment, safe="")


def _entries(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    entries = body.get(name.replace("-", "_"))
    if not isinstance(entries, list):
        raise KeyManagerProtocolError(f"Auth0 answered without its list of {name}")
    return [entry for entry in entries if isinstance(entry, dict)]
