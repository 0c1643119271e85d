"""Server metadata: RFC 8414 and OpenID Connect Discovery, then the configuration's overrides."""

from collections.abc import Mapping
from typing import Any

from common.errors import KeyManagerError, KeyManagerProtocolError, KeyManagerUnavailable, NotSupported
from common.http import HttpClient, address_only
from keymanager.adapters.contract import Clock, ServerMetadata
from keymanager.adapters.rfc.answers import text_of, texts_of
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.well_known import discovery_urls

_KEEP_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 30.0
_ENDPOINTS = (
    "token_endpoint",
    "authorization_endpoint",
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)


class Discovery:
    """Fetches the metadata and keeps it for five minutes."""

    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._kept: tuple[float, ServerMetadata] | None = None

    def metadata(self) -> ServerMetadata:
        """Kept or fresh. Raises ``KeyManagerProtocolError`` when no document is usable and none ever was.

        What was found before serves on while discovery fails: tokens must not depend on one more endpoint.
        """
        kept = self._kept
        now = self._clock.now()
        if kept is not None and now < kept[0]:
            return kept[1]
        try:
            found, lives = self.fetch(), _KEEP_SECONDS
        except KeyManagerError:
            if kept is None:
                raise
            found, lives = kept[1], _LOOK_AGAIN_SECONDS
        self._kept = (now + lives, found)
        return found

    def forget(self) -> None:
        """Look again at the next call, and fail if that fails."""
        self._kept = None

    def endpoint(self, name: str) -> str:
        """An endpoint's URL, from the overrides without a call where they have it. Raises ``NotSupported``."""
        url = getattr(self._config, name) or getattr(self.metadata(), name)
        if not url:
            raise NotSupported(f"The key manager names no {name.replace('_', ' ')}")
        return str(url)

    def fetch(self) -> ServerMetadata:
        """Read the documents now. Of several, the first that has a member decides it."""
        overrides = {name: value for name in _ENDPOINTS if (value := getattr(self._config, name))}
        places = (self._config.discovery_url,) if self._config.discovery_url else discovery_urls(self._config.issuer)
        if not (self._config.discovery_url or self._config.issuer):
            return parsed_metadata({"issuer": "", **overrides})
        merged: dict[str, Any] = {}
        faults: list[str] = []
        for place in places:
            document = self._document(place, faults)
            merged = {**document, **merged}
            if all(merged.get(name) for name in _ENDPOINTS):
                break
        if not merged and not {"token_endpoint"} <= overrides.keys():
            raise KeyManagerProtocolError(f"There is no discovery document: {'; '.join(faults)}")
        return parsed_metadata({"issuer": self._config.issuer, **merged, **overrides})

    def _document(self, place: str, faults: list[str]) -> Mapping[str, Any]:
        """One document, or {} with the reason added to ``faults``."""
        try:
            response = self._http.get(place)
            if response.status != 200:
                faults.append(f"{address_only(place)} answered HTTP {response.status}")
                return {}
            document = response.json_object()
        except KeyManagerProtocolError as exc:
            faults.append(exc.message)
            return {}
        except KeyManagerUnavailable:
            if self._config.token_endpoint and not self._config.discovery_url:
                return {}
            raise
        issuer = text_of(document, "issuer")
        if not issuer or (self._config.issuer and issuer != self._config.issuer):
            faults.append(f"{address_only(place)} names the issuer {issuer or '(none)'}")
            return {}
        return document


def parsed_metadata(document: Mapping[str, Any]) -> ServerMetadata:
    """The members of a document that we use."""
    return ServerMetadata(
        issuer=text_of(document, "issuer"),
        grant_types_supported=texts_of(document, "grant_types_supported"),
        scopes_supported=texts_of(document, "scopes_supported"),
        token_endpoint_auth_methods_supported=texts_of(document, "token_endpoint_auth_methods_supported"),
        raw=dict(document),
        **{name: text_of(document, name) for name in _ENDPOINTS},
    )
