"""How we, and the clients we pass requests on for, authenticate (RFC 6749 2.3, RFC 6750)."""

import base64
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from common.errors import ArchwayError, KeyManagerRejected, KeyManagerUnavailable
from common.http import HttpClient, HttpRequest
from common.http_values import Pairs
from keymanager.adapters.contract import Clock
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal, required_text, whole_number
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.discovery import Discovery

JSON: Pairs = (("Accept", "application/json"),)
_LEEWAY_SECONDS = 30.0
_DEFAULT_SECONDS = 60.0
# A token that is refused so soon after it was fetched would be refused again.
_FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What client authentication adds to a form request."""

    headers: Pairs = field(default=(), repr=False)
    form: Pairs = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    token: str = field(repr=False)
    fetched_at: float
    good_until: float


def bearer(token: str) -> Pairs:
    """The Authorization header of a bearer token (RFC 6750 2.1)."""
    return (("Authorization", f"Bearer {token}"),)


def client_authentication(method: str, client_id: str, client_secret: str, *, basic_encoding: str) -> Authentication:
    """Authenticate a client by ``basic``/``client_secret_basic``, ``post``/``client_secret_post`` or ``none``."""
    if method in ("basic", "client_secret_basic"):
        pair = (client_id, client_secret)
        if basic_encoding == "form":
            pair = (quote_plus(client_id), quote_plus(client_secret))
        encoded = base64.b64encode(":".join(pair).encode()).decode()
        return Authentication(headers=(("Authorization", f"Basic {encoded}"),))
    if method in ("post", "client_secret_post"):
        return Authentication(form=(("client_id", client_id), ("client_secret", client_secret)))
    return Authentication(form=(("client_id", client_id),))


class OwnCredentials:
    """The portal's own rights: to register clients and to introspect. Fetched tokens are kept while they live."""

    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock, discovery: Discovery) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._discovery = discovery
        self._kept: dict[str, _Kept] = {}

    def registration(self) -> Pairs:
        """Headers that allow registering a client (RFC 7591 section 3)."""
        mode = self._config.initial_access_token_mode
        if mode == "fixed":
            return bearer(self._config.initial_access_token)
        if mode == "client_credentials":
            return bearer(self._fetched("registration"))
        return ()

    def introspection(self) -> Authentication:
        """Authentication at the introspection endpoint, always as ourselves."""
        config = self._config
        if config.introspection_auth == "bearer":
            return Authentication(headers=bearer(config.introspection_token or self._fetched("introspection")))
        return client_authentication(
            config.introspection_auth,
            config.introspection_client_id,
            config.introspection_client_secret,
            basic_encoding=config.basic_encoding,
        )

    def refused(self, purpose: str, error: ArchwayError) -> ArchwayError:
        """What a 401 or 403 to our own credentials means: a kept token that died early only has to be fetched again."""
        kept = self._kept.pop(purpose, None)
        fresh = kept is None or self._clock.now() - kept.fetched_at < _FRESH_SECONDS
        if isinstance(error, KeyManagerRejected) and not fresh:
            return KeyManagerUnavailable("The key manager no longer accepts our access token", retry_after=0.0)
        return error

    def _fetched(self, purpose: str) -> str:
        kept = self._kept.get(purpose)
        now = self._clock.now()
        if kept is not None and now < kept.good_until:
            return kept.token
        token, seconds = self._fetch(purpose)
        lives = _DEFAULT_SECONDS if seconds is None else float(seconds)
        if lives > _LEEWAY_SECONDS:
            self._kept[purpose] = _Kept(token=token, fetched_at=now, good_until=now + lives - _LEEWAY_SECONDS)
        return token

    def _fetch(self, purpose: str) -> tuple[str, int | None]:
        config = self._config
        client_id, secret, scope = config.introspection_client_id, config.introspection_client_secret, ""
        if purpose == "registration":
            client_id, secret = config.registration_client_id, config.registration_client_secret
            scope = config.registration_scope
        else:
            scope = config.introspection_scope
        own = client_authentication(config.token_auth, client_id, secret, basic_encoding=config.basic_encoding)
        wanted = (("scope", scope),) if scope else ()
        request = HttpRequest(
            method="POST",
            url=self._discovery.endpoint("token_endpoint"),
            headers=(*JSON, *own.headers),
            form=(("grant_type", "client_credentials"), *wanted, *own.form),
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status != 200:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing=f"our own client for {purpose}")
        body = response.json_object()
        return required_text(body, "access_token", response), whole_number(body, "expires_in")
