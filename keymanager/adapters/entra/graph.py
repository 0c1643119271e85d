"""Calls of Microsoft Graph v1.0: errors read once, lists page by page."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse, address_only, failed_answer
from common.http_values import Pairs
from common.redact import redact_text
from keymanager.adapters.entra.config import EntraConfig
from keymanager.adapters.rfc.answers import refusal, text_of
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials

CREATE_IF_MISSING: Pairs = (("Prefer", "create-if-missing"),)
_EVENTUAL: Pairs = (("ConsistencyLevel", "eventual"),)
_WORDS = 500
_MOST_PAGES = 2000


def by_key(collection: str, name: str, value: str) -> str:
    """The path of one object by an alternate key (OData: a quote inside is doubled)."""
    return f"/{collection}({name}='{quote(value.replace(chr(39), chr(39) * 2), safe='')}')"


class Graph:
    """Graph of one tenant, as our administrative application."""

    def __init__(self, config: EntraConfig, http: HttpClient, own: OwnCredentials) -> None:
        self._base = f"{config.graph_url.rstrip('/')}/v1.0"
        self._http = http
        self._own = own

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        fine: tuple[int, ...],
        doing: str,
        headers: Pairs = (),
        repeatable: bool | None = None,
    ) -> HttpResponse:
        """The answer when its status is one of ``fine``, else the error. ``doing`` is for people."""
        request = HttpRequest(
            method=method,
            url=f"{self._base}{path}",
            headers=(*JSON, *self._own.registration(), *headers),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.status in fine:
            return response
        error = graph_refusal(request, response, doing=doing)
        raise self._own.refused("registration", error) if response.status in (401, 403) else error

    def find(self, path: str, *, doing: str) -> dict[str, Any] | None:
        """One object, or ``None`` when there is none (yet)."""
        response = self.call("GET", path, fine=(200, 404), doing=doing)
        if response.status == 404:
            return None
        body = response.json_object()
        if not text_of(body, "id"):
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered 200 without id")
        return body

    def tagged(self, collection: str, tag: str) -> Iterator[dict[str, Any]]:
        """All objects with a tag. Tags are searched in an index that follows some seconds later."""
        query = {"$filter": f"tags/any(t:t eq '{tag}')", "$count": "true"}
        yield from self.pages(f"/{collection}", query, headers=_EVENTUAL, doing=f"to list {collection}")

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, headers: Pairs = (), doing: str
    ) -> Iterator[dict[str, Any]]:
        """Every object of a collection. A next page elsewhere than at Graph is not fetched: it would get our token."""
        following = path + (f"?{urlencode(query, quote_via=quote, safe='$')}" if query else "")
        for _ in range(_MOST_PAGES):
            response = self.call("GET", following, fine=(200,), headers=headers, doing=doing)
            body = response.json_object()
            entries = body.get("value")
            if not isinstance(entries, list):
                raise KeyManagerProtocolError(f"{address_only(response.url)} answered 200 without value")
            yield from (entry for entry in entries if isinstance(entry, dict))
            link = text_of(body, "@odata.nextLink")
            if not link:
                return
            if not link.startswith(f"{self._base}/"):
                raise KeyManagerProtocolError(f"{address_only(response.url)} names a next page elsewhere")
            following = link.removeprefix(self._base)
        raise KeyManagerProtocolError(f"{self._base}{path} never comes to an end")


def graph_refusal(request: HttpRequest, response: HttpResponse, *, doing: str) -> ArchwayError:
    """The error of an answer that is none of the expected; Graph's own code and words are in it."""
    if response.status >= 500:
        return failed_answer(request, response)
    told = response.json_object_or_empty().get("error")
    if response.status < 400 or not isinstance(told, dict):
        return refusal(request, response, doing=doing)
    code, words = text_of(told, "code"), redact_text(text_of(told, "message"))[:_WORDS]
    return KeyManagerRejected(
        f"Entra ID refused {doing} (HTTP {response.status}): {words or code or 'it gave no reason'}",
        remote_code=code,
        remote_status=response.status,
        remote_description=words,
    )
