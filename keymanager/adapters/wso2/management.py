"""Calls of the management APIs of WSO2 Identity Servers: our own credentials, and the two shapes of their errors."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from common.errors import ArchwayError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from common.http_values import Pairs
from common.redact import redact_text
from keymanager.adapters.rfc.answers import CLIENT_GONE, OWN_CLIENT_REFUSED, refusal, text_of
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials, client_authentication

_DESCRIPTION_LIMIT = 500


class ManagementApi:
    """Everything below one base URL.

    ``probe``: a path that whoever may manage clients can read: registration says 401 for an unknown client and for
    wrong credentials alike.
    """

    def __init__(self, base_url: str, http: HttpClient, credentials: Callable[[], Pairs], probe: str) -> None:
        self._base_url = base_url
        self._http = http
        self._credentials = credentials
        self._probe = probe
        self._refused: Callable[[ArchwayError], ArchwayError] = lambda error: error

    @classmethod
    def by_user(cls, base_url: str, http: HttpClient, name: str, password: str, probe: str) -> "ManagementApi":
        """With the name and password of a user, by Basic."""
        headers = client_authentication("basic", name, password, basic_encoding="raw").headers
        return cls(base_url, http, lambda: headers, probe)

    @classmethod
    def by_token(cls, base_url: str, http: HttpClient, own: OwnCredentials, probe: str) -> "ManagementApi":
        """With a token that is fetched with the client credentials grant."""
        made = cls(base_url, http, own.registration, probe)
        made._refused = lambda error: own.refused("registration", error)
        return made

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool | None = None,
        accepted: tuple[int, ...] = (),
        doing: str = "",
    ) -> HttpResponse:
        """A 2xx answer, or one of the ``accepted`` statuses. Raises for everything else; ``doing`` is for people."""
        request = HttpRequest(
            method=method,
            url=f"{self._base_url}{path}",
            headers=(*JSON, *self._credentials()),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.ok or response.status in accepted:
            return response
        error = _refusal(request, response, doing=doing)
        raise self._refused(error) if response.status == 401 else error

    def is_missing(self, response: HttpResponse) -> bool:
        """Whether an answer to a call about one client means that there is none.

        401 means that only where our credentials are good, so they are tried. Raises when they are not.
        """
        if response.status == 401:
            self.prove_rights()
        return response.status in (401, 404)

    def prove_rights(self) -> None:
        """Raises unless our credentials are accepted."""
        self.send("GET", self._probe, accepted=(400, 404), doing="our right to manage clients")


def gone(client_id: str, status: int) -> KeyManagerRejected:
    """The error for a change of a client that is not there any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at the key manager", remote_code=CLIENT_GONE, remote_status=status
    )


def quoted(segment: str) -> str:
    """One segment of a path, or one value of a query."""
    return quote(segment, safe="")


def _refusal(request: HttpRequest, response: HttpResponse, *, doing: str) -> ArchwayError:
    """An error in the servers' own shape ({code, message, description}), else in OAuth's."""
    body = response.json_object_or_empty()
    own_code = text_of(body, "code") or text_of(body, "message")
    if text_of(body, "error") or not own_code or not 400 <= response.status < 500:
        fallback = OWN_CLIENT_REFUSED if response.status in (401, 403) else ""
        return refusal(request, response, code=fallback, doing=doing)
    words = redact_text(text_of(body, "description") or text_of(body, "message"))[:_DESCRIPTION_LIMIT]
    return KeyManagerRejected(
        f"The key manager refused {doing or 'this'} (HTTP {response.status}): {words}",
        remote_code=own_code,
        remote_status=response.status,
        remote_description=words,
    )
