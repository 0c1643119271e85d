"""Calls of Okta's management with the API token: two styles of errors, and pages by a cursor."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse, address_only
from common.redact import redact_text
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.rfc.answers import CLIENT_GONE, INITIAL_TOKEN_REFUSED, refusal, text_of
from keymanager.adapters.rfc.credentials import JSON

_PAGE = 200
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*rel="?next"?')
_DESCRIPTION_LIMIT = 500


class OktaApi:
    """``/api/v1`` and ``/oauth2/v1`` of one organisation."""

    def __init__(self, config: OktaConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http

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
            url=f"{self._config.organisation}{path}",
            headers=(*JSON, ("Authorization", f"SSWS {self._config.api_token}")),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.ok or response.status == 404:
            return response
        raise okta_refusal(request, response, doing=doing)

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of a list. The cursor is taken out of the ``Link`` header: our token follows no foreign URL."""
        wanted = {"limit": str(_PAGE), **(query or {})}
        while True:
            response = self.found(self.send("GET", f"{path}?{urlencode(wanted)}"))
            for entry in response.json_list():
                if not isinstance(entry, dict):
                    raise KeyManagerProtocolError(f"{address_only(response.url)} answered with a list of no objects")
                yield entry
            cursor = _cursor(response)
            if not cursor or cursor == wanted.get("after"):
                return
            wanted["after"] = cursor

    def found(self, response: HttpResponse) -> HttpResponse:
        """The answer, unless it is 404: then the thing itself is missing."""
        if response.status == 404:
            raise KeyManagerRejected(
                f"{address_only(response.url)} does not exist at Okta", remote_code="not_found", remote_status=404
            )
        return response


def okta_refusal(request: HttpRequest, response: HttpResponse, *, doing: str = "") -> ArchwayError:
    """The error of an answer in Okta's style (errorCode, errorSummary, errorCauses) or in that of RFC 7591."""
    body = response.json_object_or_empty()
    code = text_of(body, "errorCode")
    if not code or not 400 <= response.status < 500:
        own = INITIAL_TOKEN_REFUSED if response.status in (401, 403) else ""
        return refusal(request, response, code=own, doing=doing)
    words = redact_text("; ".join([text_of(body, "errorSummary"), *causes_of(body)]))[:_DESCRIPTION_LIMIT]
    return KeyManagerRejected(
        f"Okta refused {doing or 'this'} (HTTP {response.status}): {words or code}",
        remote_code=code,
        remote_status=response.status,
        remote_description=words,
    )


def causes_of(body: Mapping[str, Any]) -> list[str]:
    """The summaries below an error in Okta's style."""
    causes = body.get("errorCauses")
    return (
        [text_of(cause, "errorSummary") for cause in causes if isinstance(cause, dict)]
        if isinstance(causes, list)
        else []
    )


def gone(client_id: str) -> KeyManagerRejected:
    """The error for a change of a client that is not there any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at Okta", remote_code=CLIENT_GONE, remote_status=404
    )


def quoted(segment: str) -> str:
    """One segment of a path."""
    return quote(segment, safe="")


def _cursor(response: HttpResponse) -> str:
    for name, value in response.headers:
        found = _NEXT.search(value) if name == "link" else None
        if found:
            return parse_qs(urlsplit(found[1]).query).get("after", [""])[0]
    return ""
