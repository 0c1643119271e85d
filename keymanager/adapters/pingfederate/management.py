"""Calls of either management interface, and its way of saying no."""

import base64
from collections.abc import Mapping
from typing import Any

from common.errors import ArchwayError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse, failed_answer
from common.http_values import Pairs
from common.redact import redact_text
from keymanager.adapters.pingfederate.config import PingFederateConfig
from keymanager.adapters.rfc.answers import refusal, text_of
from keymanager.adapters.rfc.credentials import JSON

# The administrative API refuses every call without it.
_XSRF: Pairs = (("X-XSRF-Header", "PingFederate"),)
_WORDS = 500


class Management:
    """The interface below ``management_url``, as the configured user."""

    def __init__(self, config: PingFederateConfig, http: HttpClient) -> None:
        pair = f"{config.management_user}:{config.management_password}"
        basic = ("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        self._base = config.management_url.rstrip("/")
        self._headers: Pairs = (*JSON, basic, *_XSRF)
        self._http = http

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        fine: tuple[int, ...],
        doing: str,
        repeatable: bool | None = None,
    ) -> HttpResponse:
        """The answer when its status is one of ``fine``, else the error. ``doing`` is for people."""
        request = HttpRequest(
            method=method, url=f"{self._base}{path}", headers=self._headers, json=body, repeatable=repeatable
        )
        response = self._http.send(request)
        if response.status in fine:
            return response
        raise management_refusal(request, response, doing=doing)

    def find(self, path: str, *, doing: str) -> HttpResponse | None:
        """The answer to a read, ``None`` for 404."""
        response = self.call("GET", path, fine=(200, 404), doing=doing)
        return None if response.status == 404 else response


def management_refusal(request: HttpRequest, response: HttpResponse, *, doing: str) -> ArchwayError:
    """The error of an answer that is none of the expected, with every complaint about a field."""
    if response.status >= 500:
        return failed_answer(request, response)
    told = response.json_object_or_empty()
    if response.status < 400 or not ({"resultId", "validationErrors", "message"} & told.keys()):
        return refusal(request, response, doing=doing)
    listed = told.get("validationErrors")
    complaints = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    parts = [text_of(told, "message"), *(_complaint(entry) for entry in complaints)]
    words = redact_text(" ".join(filter(None, parts)))[:_WORDS]
    code = text_of(told, "resultId")
    return KeyManagerRejected(
        f"PingFederate refused {doing} (HTTP {response.status}): {words or code or 'it gave no reason'}",
        remote_code=code,
        remote_status=response.status,
        remote_description=words,
    )


def _complaint(entry: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (text_of(entry, "fieldPath"), text_of(entry, "message"))))
