"""Calls of the administration port, and what its refusals say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from common.http_values import Pairs
from common.redact import redact_text
from keymanager.adapters.hydra.config import HydraConfig
from keymanager.adapters.rfc.answers import CLIENT_GONE, refusal, text_of
from keymanager.adapters.rfc.credentials import JSON

_PAGE_SIZE = 500
_NEXT = re.compile(r'<([^>]*)>\s*;[^,<]*rel="?next"?')
_WORDS_LIMIT = 500


class HydraApi:
    """``/admin`` of one Hydra."""

    def __init__(self, config: HydraConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http

    @property
    def guard(self) -> Pairs:
        """What the proxy before the port wants to see."""
        config = self._config
        return ((config.admin_header, config.admin_header_value),) if config.admin_header_value else ()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        repeatable: bool | None = None,
        accepted: tuple[int, ...] = (),
    ) -> HttpResponse:
        """The answer of a success, or of a status that is ``accepted``. Raises the error of any other."""
        request = HttpRequest(
            method=method,
            url=f"{self._config.root}/admin{path}",
            headers=(*JSON, *self.guard),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.ok or response.status in accepted:
            return response
        raise refused(request, response, doing=doing)

    def pages(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every client, page by page; which page is next is in the Link header alone."""
        seen: set[str] = set()
        query = {"page_size": str(_PAGE_SIZE), **filters}
        while True:
            response = self.send("GET", f"/clients?{urlencode(query)}", doing="to list the clients")
            yield from (entry for entry in response.json_list() if isinstance(entry, dict))
            token = _next_page(response)
            if not token:
                return
            if token in seen:
                raise KeyManagerProtocolError("Hydra names a page of clients as the next one twice")
            seen.add(token)
            query["page_token"] = token


def client_path(client_id: str) -> str:
    """The path of a client below ``/admin``."""
    return f"/clients/{quote(client_id, safe='')}"


def client_gone(client_id: str, status: int = 404) -> KeyManagerRejected:
    """There is no such client any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at the key manager", remote_code=CLIENT_GONE, remote_status=status
    )


def refused(request: HttpRequest, response: HttpResponse, *, doing: str) -> ArchwayError:
    """As at any server, but Hydra has a second shape of error: ``{"error": {"message", "reason"}}``."""
    error = response.json_object_or_empty().get("error")
    if not isinstance(error, dict) or not 400 <= response.status < 500:
        return refusal(request, response, doing=doing)
    words = redact_text(" ".join(filter(None, (text_of(error, "message"), text_of(error, "reason")))))[:_WORDS_LIMIT]
    return KeyManagerRejected(
        f"The key manager refused {doing} (HTTP {response.status}): {words or 'it gave no reason'}",
        remote_code=text_of(error, "id") or text_of(error, "status"),
        remote_status=response.status,
        remote_description=words,
    )


def _next_page(response: HttpResponse) -> str:
    """Only the token is taken from the link: our right goes to the configured address and no other."""
    links = ", ".join(value for name, value in response.headers if name == "link")
    found = _NEXT.search(links)
    return parse_qs(urlsplit(found[1]).query).get("page_token", [""])[0] if found else ""
