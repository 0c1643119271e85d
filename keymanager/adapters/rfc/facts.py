"""What a token says: from an introspection answer (RFC 7662 2.2) or verified claims (RFC 9068 2.2)."""

from collections.abc import Mapping
from typing import Any

from keymanager.adapters.claims import USUAL_CLIENT_ID_CLAIMS, USUAL_SCOPE_CLAIMS, client_id_in, scopes_in
from keymanager.adapters.contract import TokenFacts
from keymanager.adapters.rfc.answers import text_of, texts_of, whole_number
from keymanager.adapters.rfc.config import RfcConfig

# Claims that OpenID Connect puts into ID tokens only; some servers write the nonce into access tokens too.
_ID_TOKEN_HASHES = ("at_hash", "c_hash")


class FactReader:
    """Reads claims by the configuration's ordered lists; every claim may be missing."""

    def __init__(self, config: RfcConfig) -> None:
        self._config = config

    def client_id_of(self, claims: Mapping[str, Any]) -> str:
        """The first listed claim that names a client, or ""."""
        return client_id_in(claims, self._config.client_id_claims or USUAL_CLIENT_ID_CLAIMS)

    def scopes_of(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """The scopes of the first listed claim that is there."""
        return scopes_in(claims, self._config.scope_claims or USUAL_SCOPE_CLAIMS)

    def read(self, claims: Mapping[str, Any]) -> TokenFacts:
        """All that is known of an active token."""
        return TokenFacts(
            client_id=self.client_id_of(claims),
            scopes=self.scopes_of(claims),
            exp=whole_number(claims, "exp"),
            iat=whole_number(claims, "iat"),
            nbf=whole_number(claims, "nbf"),
            iss=text_of(claims, "iss"),
            sub=text_of(claims, "sub"),
            username=text_of(claims, "username"),
            aud=texts_of(claims, "aud"),
            jti=text_of(claims, "jti"),
            token_use=_token_use(claims),
            claims=dict(claims),
        )


def _token_use(claims: Mapping[str, Any]) -> str:
    stated = text_of(claims, "token_use")
    if stated:
        return stated.removesuffix("_token")
    if any(name in claims for name in _ID_TOKEN_HASHES) or (
        "nonce" in claims and not (claims.get("scope") or claims.get("scp"))
    ):
        return "id"
    kind = text_of(claims, "token_type").lower()
    return "refresh" if kind in ("refresh_token", "refresh") else "access"
