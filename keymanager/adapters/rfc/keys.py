"""JWT access tokens, checked locally with the server's published keys (RFC 7517, RFC 7519, RFC 9068 section 4)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from common.errors import KeyManagerProtocolError
from common.http import HttpClient, HttpRequest, address_only
from keymanager.adapters.contract import Clock, Inactive, Introspection
from keymanager.adapters.rfc.answers import refusal
from keymanager.adapters.rfc.credentials import JSON
from keymanager.adapters.rfc.discovery import Discovery
from keymanager.adapters.rfc.facts import FactReader

# Never "none", never a symmetric algorithm: a public key must not be usable as a shared secret.
_ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
]
# Unknown header members are ignored (RFC 7515 section 4): OpenAM writes ``zip``. Those in ``crit`` are not.
_REGISTRY = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
_KEEP_SECONDS = 300.0
# A token with an unknown key id makes us look for new keys, but not more often than this.
_LOOK_AGAIN_SECONDS = 60.0
_LEEWAY_SECONDS = 5.0


class Keys:
    """The server's keys, kept for five minutes, and the check of a token against them."""

    def __init__(self, http: HttpClient, clock: Clock, discovery: Discovery, facts: FactReader) -> None:
        self._http = http
        self._clock = clock
        self._discovery = discovery
        self._facts = facts
        self._kept: tuple[float, KeySet] | None = None

    def jwks(self) -> Mapping[str, Any]:
        """The JSON Web Key Set, read now."""
        request = HttpRequest(method="GET", url=self._discovery.endpoint("jwks_uri"), headers=JSON)
        response = self._http.send(request)
        if response.status != 200:
            raise refusal(request, response, doing="to show its keys")
        document = response.json_object()
        if not isinstance(document.get("keys"), list):
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered 200 without keys")
        return document

    def check(self, token: str) -> Introspection:
        """Facts of a JWT that is genuine and in its time, else why it is not good."""
        try:
            claims = self._verified(token)
        except (JoseError, ValueError) as exc:
            return Inactive(reason=f"It is not a JWT that this key manager signed ({type(exc).__name__}).")
        facts = self._facts.read(claims)
        now = self._clock.now()
        expected = self._discovery.metadata().issuer
        if expected and facts.iss != expected:
            return Inactive(reason="It names another issuer.")
        if facts.exp is None:
            return Inactive(reason="It does not say when it expires.")
        if facts.exp + _LEEWAY_SECONDS <= now:
            return Inactive(reason="It expired.")
        if facts.nbf is not None and facts.nbf - _LEEWAY_SECONDS > now:
            return Inactive(reason="It is not valid yet.")
        if facts.token_use != "access":
            return Inactive(reason="It is not an access token.")
        return facts

    def _verified(self, token: str) -> Mapping[str, Any]:
        keys, age = self._keys()
        try:
            return dict(jwt.decode(token, keys, registry=_REGISTRY).claims)
        except (JoseError, ValueError):
            if age < _LOOK_AGAIN_SECONDS:
                raise
        keys, _ = self._keys(again=True)
        return dict(jwt.decode(token, keys, registry=_REGISTRY).claims)

    def _keys(self, *, again: bool = False) -> tuple[KeySet, float]:
        """The keys and their age in seconds."""
        now = self._clock.now()
        kept = self._kept
        if kept is not None and not again and now - kept[0] < _KEEP_SECONDS:
            return kept[1], now - kept[0]
        keys = _importable(self.jwks()["keys"])
        self._kept = (now, keys)
        return keys, 0.0


def _importable(documents: list[Any]) -> KeySet:
    """The keys that can verify a signature; kinds of key that the library does not know are left out."""
    keys: list[Key] = []
    for document in documents:
        if not isinstance(document, dict) or document.get("use") == "enc":
            continue
        # Some servers fill these two in ways that libraries refuse.
        plain = {name: value for name, value in document.items() if name not in ("key_ops", "use")}
        with suppress(JoseError, ValueError, TypeError, KeyError):
            keys.append(JWKRegistry.import_key(plain))
    if not keys:
        raise KeyManagerProtocolError("The key manager's key set has no usable key")
    return KeySet(keys)
