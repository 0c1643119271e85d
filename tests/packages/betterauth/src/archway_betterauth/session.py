"""The session of Archway's own user at Better Auth: signed in when needed, kept for a while.

Better Auth limits sign-ins (three in ten seconds), so each operation cannot sign in anew.
"""

from collections.abc import Mapping
from typing import Any, Final

from common.errors import ArchwayError, KeyManagerUnavailable
from common.http import HttpClient
from common.http_values import HttpRequest, HttpResponse
from keymanager.adapters.contract import Clock
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal, required_text
from keymanager.adapters.rfc.credentials import bearer

_KEPT_SECONDS: Final = 300


class Session:
    """Sends requests as Archway's user. ``base_url`` ends in Better Auth's base path, without a slash."""

    def __init__(self, base_url: str, email: str, password: str, http: HttpClient, clock: Clock) -> None:
        self._base_url = base_url
        self._account = {"email": email, "password": password}
        self._http = http
        self._clock = clock
        self._token = ""
        self._signed_in_at = 0.0

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool | None = None
    ) -> tuple[HttpRequest, HttpResponse]:
        """Send one request; the answer may have any status but 401. Raises for that, and what ``HttpClient`` raises."""
        fresh = self._ensure()
        request = HttpRequest(
            method=method,
            url=self._base_url + path,
            headers=bearer(self._token),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.status == 401:
            raise self._refused(request, response, fresh=fresh)
        return request, response

    def _ensure(self) -> bool:
        """Whether the session was made just now."""
        if self._token and self._clock.now() < self._signed_in_at + _KEPT_SECONDS:
            return False
        request = HttpRequest(method="POST", url=self._base_url + "/sign-in/email", json=self._account, repeatable=True)
        response = self._http.send(request)
        if not response.ok:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="sign Archway's user in")
        self._token = required_text(response.json_object(), "token", response)
        self._signed_in_at = self._clock.now()
        return True

    def _refused(self, request: HttpRequest, response: HttpResponse, *, fresh: bool) -> ArchwayError:
        """A client of another owner and a session that has ended look alike: only the session itself tells."""
        if not fresh and self._has_ended():
            self._token = ""
            return KeyManagerUnavailable("The session of Archway's user has ended at the key manager.")
        return refusal(request, response, code=OWN_CLIENT_REFUSED, doing="manage this client")

    def _has_ended(self) -> bool:
        request = HttpRequest(method="GET", url=self._base_url + "/get-session", headers=bearer(self._token))
        return self._http.send(request).text.strip() == "null"
