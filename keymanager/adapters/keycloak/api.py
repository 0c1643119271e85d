"""Calls of the administration REST API as our own client, and what its refusals say."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse, address_only
from common.redact import redact_text
from keymanager.adapters.keycloak.config import KeycloakConfig
from keymanager.adapters.rfc.answers import CLIENT_GONE, refusal, text_of, whole_number
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials

_PAGE_SIZE = 100
_WORDS_LIMIT = 500
_PURPOSE = "registration"


class KeycloakRights(OwnCredentials):
    """Our own client's token, kept while it lives."""

    def server_time(self) -> int:
        """Epoch seconds by Keycloak's clock: when it issued us a token just now. It sends no Date header."""
        token, _ = self._fetch(_PURPOSE)
        payload = token.split(".")[1] if token.count(".") == 2 else ""
        try:
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (ValueError, binascii.Error):
            claims = {}
        stated = whole_number(claims, "iat") if isinstance(claims, dict) else None
        return int(self._clock.now()) if stated is None else stated


class KeycloakApi:
    """``/admin/realms/NAME`` of one Keycloak."""

    def __init__(self, config: KeycloakConfig, http: HttpClient, own: OwnCredentials) -> None:
        self._config = config
        self._http = http
        self._own = own

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        expected: tuple[int, ...] = (200,),
        repeatable: bool | None = None,
    ) -> HttpResponse:
        """The answer, if its status is an ``expected`` one. Raises the error of any other."""
        request = HttpRequest(
            method=method,
            url=f"{self._config.admin_root}{path}",
            headers=(*JSON, *self._own.registration()),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.status in expected:
            return response
        if response.ok:
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered HTTP {response.status} unexpectedly")
        error = _refused(request, response, doing=doing)
        # A token of ours that was kept can have been ended there, with all others of the realm.
        raise self._own.refused(_PURPOSE, error) if response.status == 401 else error

    def pages(self, path: str, *, doing: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        first = 0
        while True:
            asked = urlencode({**query, "first": str(first), "max": str(_PAGE_SIZE)})
            entries = self.send("GET", f"{path}?{asked}", doing=doing).json_list()
            yield from (entry for entry in entries if isinstance(entry, dict))
            if len(entries) < _PAGE_SIZE:
                return
            first += _PAGE_SIZE


def path_of(*parts: str) -> str:
    """A path below the realm."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def made_id(response: HttpResponse) -> str:
    """The id of what was just made: Keycloak answers with a ``Location`` and no body."""
    made = response.header("location").rpartition("/")[2]
    if not made:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered {response.status} without Location")
    return made


def client_gone(client_id: str) -> KeyManagerRejected:
    """There is no such client any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at the key manager", remote_code=CLIENT_GONE, remote_status=404
    )


def _refused(request: HttpRequest, response: HttpResponse, *, doing: str) -> ArchwayError:
    """Three shapes of error: ``error`` and ``error_description``, ``error`` with a sentence, ``errorMessage``."""
    body = response.json_object_or_empty()
    if not 400 <= response.status < 500 or text_of(body, "error_description"):
        return refusal(request, response, doing=doing)
    words = redact_text(text_of(body, "errorMessage") or text_of(body, "error"))[:_WORDS_LIMIT]
    if response.status == 403:
        words = f"{words or 'forbidden'}; our client's service account needs the role manage-clients"
    return KeyManagerRejected(
        f"The key manager refused {doing} (HTTP {response.status}): {words or 'it gave no reason'}",
        remote_code=text_of(body, "error"),
        remote_status=response.status,
        remote_description=words,
    )
