"""Calls of ``/admin/``: our token, fetched anew once when it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import ArchwayError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from keymanager.adapters.contract import Clock
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, required_text, whole_number
from keymanager.adapters.rfc.credentials import JSON, bearer, client_authentication
from keymanager.adapters.surfoauth.config import SurfOAuthConfig
from keymanager.adapters.surfoauth.refusals import refusal

_LEEWAY_SECONDS = 30
# Kept this long when it never expires, so that a token that was taken from us is noticed by a refusal only.
_NEVER_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    token: str = field(repr=False)
    good_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request with its answer, of any status but 403."""

    request: HttpRequest
    response: HttpResponse

    @property
    def status(self) -> int:
        """The answer's status."""
        return self.response.status

    def refused(self, doing: str) -> ArchwayError:
        """The error of an answer that is not what was hoped for."""
        return refusal(self.request, self.response, doing=doing)


class Administration:
    """Our right to manage one SurfOAuth."""

    def __init__(self, config: SurfOAuthConfig, http: HttpClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._kept: _Kept | None = None

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Exchange:
        """One call. Raises ``KeyManagerRejected`` (``own_client_refused``) when a new token of ours is refused too."""
        was_kept = self._kept is not None
        exchange = self._once(method, path, body)
        if exchange.status == 403 and was_kept and not self._config.admin_token:
            self._kept = None
            exchange = self._once(method, path, body)
        if exchange.status == 403:
            self._kept = None
            raise refusal(exchange.request, exchange.response, code=OWN_CLIENT_REFUSED, doing="our right to manage it")
        return exchange

    def principal(self) -> dict[str, Any]:
        """Who we are for it. Raises the refusal when we are nobody."""
        exchange = self.call("GET", "resourceServer/principal")
        if exchange.status != 200:
            raise exchange.refused("to say who we are")
        body = exchange.response.json_object()
        required_text(body, "name", exchange.response)
        return body

    def forget(self) -> None:
        """Fetch a new token for the next call."""
        self._kept = None

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Exchange:
        request = HttpRequest(
            method=method,
            url=f"{self._config.base}/admin/{path}",
            headers=(*JSON, *bearer(self._token())),
            json=body,
        )
        return Exchange(request=request, response=self._http.send(request))

    def _token(self) -> str:
        if self._config.admin_token:
            return self._config.admin_token
        kept, now = self._kept, self._clock.now()
        if kept is not None and now < kept.good_until:
            return kept.token
        token, seconds = self._fetched()
        # 0 is never; what lives shorter than the leeway is used once.
        lives = _NEVER_SECONDS if seconds == 0 else seconds
        good = now + lives - _LEEWAY_SECONDS
        self._kept = _Kept(token=token, good_until=good)
        return token

    def _fetched(self) -> tuple[str, int]:
        config = self._config
        own = client_authentication("basic", config.admin_client_id, config.admin_client_secret, basic_encoding="raw")
        request = HttpRequest(
            method="POST",
            url=f"{config.base}/oauth2/token",
            headers=(*JSON, *own.headers),
            # Separated by a comma: with a blank it would be one scope, and every call would be refused.
            form=(("grant_type", "client_credentials"), ("scope", "read,write")),
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status != 200:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="our own admin client")
        body = response.json_object()
        seconds = whole_number(body, "expires_in")
        if seconds is not None and seconds < 0:
            raise KeyManagerRejected("The tokens of our own admin client have expired when they are issued")
        return required_text(body, "access_token", response), seconds or 0
