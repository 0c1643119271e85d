"""Calls of AM's administration REST API in the session of an administrator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from common.errors import ArchwayError, KeyManagerRejected, KeyManagerUnavailable
from common.http import HttpClient, HttpRequest, HttpResponse
from common.redact import redact_text
from keymanager.adapters.contract import Clock
from keymanager.adapters.forgerock.config import ForgeRockConfig
from keymanager.adapters.rfc.answers import CLIENT_GONE, OWN_CLIENT_REFUSED, refusal, required_text, text_of
from keymanager.adapters.rfc.credentials import JSON

# A session ends after 30 minutes of rest and two hours of work, unless the administrator changed that.
_KEEP_SECONDS = 1200.0
_FRESH_SECONDS = 5.0
_WORDS_LIMIT = 500
CLIENTS = "/realm-config/agents/OAuth2Client"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    token: str = field(repr=False)
    began: float


class AdminApi:
    """``/json`` of one realm. The session is kept for some minutes."""

    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._session: _Session | None = None

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
        """The answer of a success, or of a status that is ``accepted``. Raises the error of any other.

        A session that ended early is given up: that call can be repeated at once.
        """
        session = self._signed_in()
        request = HttpRequest(
            method=method,
            url=f"{self._config.base}/json{self._config.realm_path}{path}",
            headers=(
                *JSON,
                ("Accept-API-Version", "resource=1.0, protocol=1.0"),
                (self._config.session_header, session.token),
            ),
            json=body,
            repeatable=repeatable,
        )
        response = self._http.send(request)
        if response.ok or response.status in accepted:
            return response
        if response.status == 401:
            self._session = None
            if self._clock.now() - session.began > _FRESH_SECONDS:
                raise KeyManagerUnavailable("The administrator's session ended", retry_after=0.0)
        raise refused(request, response, doing=doing)

    def _signed_in(self) -> _Session:
        kept, now = self._session, self._clock.now()
        if kept is not None and now - kept.began < _KEEP_SECONDS:
            return kept
        request = HttpRequest(
            method="POST",
            url=f"{self._config.base}/json{self._config.login_path}/authenticate",
            headers=(
                *JSON,
                ("Accept-API-Version", "resource=2.0, protocol=1.0"),
                ("X-OpenAM-Username", self._config.admin_user),
                ("X-OpenAM-Password", self._config.admin_password),
            ),
            json={},
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status != 200:
            raise refused(request, response, doing="the administrator", code=OWN_CLIENT_REFUSED)
        self._session = _Session(token=required_text(response.json_object(), "tokenId", response), began=now)
        return self._session


def client_path(client_id: str) -> str:
    """The path of a client below the realm."""
    return f"{CLIENTS}/{quote(client_id, safe='')}"


def client_gone(client_id: str, status: int = 404) -> KeyManagerRejected:
    """There is no such client any more."""
    return KeyManagerRejected(
        f"The client {client_id} no longer exists at the key manager", remote_code=CLIENT_GONE, remote_status=status
    )


def refused(request: HttpRequest, response: HttpResponse, *, doing: str, code: str = "") -> ArchwayError:
    """As at any server, but ``/json`` has a shape of its own: ``{code, reason, message}``."""
    body = response.json_object_or_empty()
    message = text_of(body, "message")
    if not message or not 400 <= response.status < 500:
        return refusal(request, response, doing=doing, code=code)
    words = redact_text(message)[:_WORDS_LIMIT]
    return KeyManagerRejected(
        f"The key manager refused {doing} (HTTP {response.status}): {words}",
        remote_code=code or text_of(body, "reason").lower().replace(" ", "_"),
        remote_status=response.status,
        remote_description=words,
    )
