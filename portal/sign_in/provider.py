"""The OpenID provider that people may sign in at: what the settings say of it, and where its endpoints are."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from common.address_guard import AddressGuard
from common.errors import ConfigurationError, InputError, KeyManagerProtocolError
from common.http import HttpClient, check_url

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
CLIENT_AUTHENTICATIONS: Final = ("client_secret_basic", "client_secret_post")
# New endpoints are found after so many seconds.
_KEEP_SECONDS: Final = 300.0
_discovered: dict[str, tuple[float, Mapping[str, Any]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses by the names of OpenID Connect Discovery 1.0; "" for one that is not known."""

    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    jwks_uri: str = ""
    end_session_endpoint: str = ""

    @property
    def suffice(self) -> bool:
        """Whether a sign-in is possible with these alone."""
        return bool(self.authorization_endpoint and self.token_endpoint and self.jwks_uri)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNames:
    """Which claim says what; dots lead into objects."""

    username: str
    email: str
    groups: str
    roles: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdProvider:
    """One OpenID provider with the portal's client there."""

    issuer: str
    label: str
    client_id: str
    client_authentication: str
    scopes: str
    algorithm: str
    claims: ClaimNames
    configured: Endpoints
    client_secret: str = field(repr=False)

    @property
    def origins(self) -> list[str]:
        """Where forms of the portal may end up, for the page policy."""
        urls = [self.issuer, self.configured.authorization_endpoint, self.configured.end_session_endpoint]
        parts = [urlsplit(url) for url in urls if url]
        return sorted({f"{part.scheme}://{part.netloc}" for part in parts})

    def endpoints(self) -> Endpoints:
        """The configured ones, and by discovery those that are not.

        Raises ``KeyManagerError`` when the provider does not answer, or not as OpenID Connect Discovery 1.0 says.
        """
        if self.configured.suffice:
            return self.configured
        document = _discover(self.issuer)
        return Endpoints(**{name: getattr(self.configured, name) or _address(document, name) for name in _NAMES})


_NAMES: Final = tuple(Endpoints.__dataclass_fields__)


def login_provider() -> OpenIdProvider | None:
    """The provider of the settings, or ``None`` when there is none. Raises ``ConfigurationError``."""
    if not settings.ARCHWAY_OIDC_ISSUER:
        return None
    _check_settings()
    return OpenIdProvider(
        issuer=settings.ARCHWAY_OIDC_ISSUER,
        label=settings.ARCHWAY_OIDC_LABEL or urlsplit(settings.ARCHWAY_OIDC_ISSUER).netloc,
        client_id=settings.ARCHWAY_OIDC_CLIENT_ID,
        client_secret=settings.ARCHWAY_OIDC_CLIENT_SECRET,
        client_authentication=settings.ARCHWAY_OIDC_CLIENT_AUTHENTICATION,
        scopes=" ".join(settings.ARCHWAY_OIDC_SCOPES),
        algorithm=settings.ARCHWAY_OIDC_ALGORITHM,
        claims=ClaimNames(
            username=settings.ARCHWAY_OIDC_USERNAME_CLAIM,
            email=settings.ARCHWAY_OIDC_EMAIL_CLAIM,
            groups=settings.ARCHWAY_OIDC_GROUPS_CLAIM,
            roles=settings.ARCHWAY_OIDC_ROLES_CLAIM,
        ),
        configured=Endpoints(
            authorization_endpoint=settings.ARCHWAY_OIDC_AUTHORIZATION_ENDPOINT,
            token_endpoint=settings.ARCHWAY_OIDC_TOKEN_ENDPOINT,
            userinfo_endpoint=settings.ARCHWAY_OIDC_USERINFO_ENDPOINT,
            jwks_uri=settings.ARCHWAY_OIDC_JWKS_URI,
            end_session_endpoint=settings.ARCHWAY_OIDC_END_SESSION_ENDPOINT,
        ),
    )


def _check_settings() -> None:
    for name in ("ARCHWAY_OIDC_CLIENT_ID", "ARCHWAY_OIDC_CLIENT_SECRET"):
        if not getattr(settings, name):
            raise ConfigurationError(f"{name} is needed with ARCHWAY_OIDC_ISSUER")
    if settings.ARCHWAY_OIDC_ALGORITHM not in ALGORITHMS:
        raise ConfigurationError(f"ARCHWAY_OIDC_ALGORITHM must be one of {', '.join(ALGORITHMS)}")
    if settings.ARCHWAY_OIDC_CLIENT_AUTHENTICATION not in CLIENT_AUTHENTICATIONS:
        raise ConfigurationError(
            f"ARCHWAY_OIDC_CLIENT_AUTHENTICATION must be one of {', '.join(CLIENT_AUTHENTICATIONS)}"
        )
    if "openid" not in settings.ARCHWAY_OIDC_SCOPES:
        raise ConfigurationError("ARCHWAY_OIDC_SCOPES must contain openid")
    try:
        check_url(settings.ARCHWAY_OIDC_ISSUER)
    except InputError as exc:
        raise ConfigurationError(f"ARCHWAY_OIDC_ISSUER: {exc.message}") from exc


def provider_http() -> HttpClient:
    """A client for calls to the provider. Its address is the operator's, so it may be a private one."""
    return HttpClient(guard=AddressGuard.of("0.0.0.0/0", "::/0"))


def _discover(issuer: str) -> Mapping[str, Any]:
    kept = _discovered.get(issuer)
    if kept is not None and time.monotonic() - kept[0] < _KEEP_SECONDS:
        return kept[1]
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    with provider_http() as http:
        answer = http.get(url)
    if not answer.ok:
        raise KeyManagerProtocolError(f"{url} answered HTTP {answer.status}")
    document = answer.json_object()
    if document.get("issuer") != issuer:
        raise KeyManagerProtocolError(f"{url} is the document of another issuer than {issuer}")
    _discovered[issuer] = (time.monotonic(), document)
    return document


def _address(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name, "")
    return value if isinstance(value, str) else ""
