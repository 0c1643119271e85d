"""What a fake identity provider remembers: clients, tokens, scopes, people and its signing keys."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeyParameters, RSAKey

from tests.fakes.quirks import Quirks


@dataclass(slots=True, kw_only=True)
class FakeClient:
    """One registered client. ``scopes`` ``None``: it may be granted every scope of the server.

    ``older_secrets``: replaced ones that still work.
    """

    client_id: str
    client_secret: str
    metadata: dict[str, Any] = field(default_factory=dict)
    scopes: list[str] | None = None
    registration_access_token: str = ""
    issued_at: int = 0
    static: bool = False
    older_secrets: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def grant_types(self) -> list[str]:
        """Its grant types; the RFC's default when it named none."""
        return list(self.metadata.get("grant_types", ["authorization_code"]))

    @property
    def auth_method(self) -> str:
        """Its ``token_endpoint_auth_method``; the RFC's default when it named none."""
        return str(self.metadata.get("token_endpoint_auth_method", "client_secret_basic"))


@dataclass(slots=True, kw_only=True)
class FakeToken:
    """An access token, refresh token or authorization code. ``value`` is what the client holds."""

    value: str
    kind: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    subject: str = ""
    audience: tuple[str, ...] = ()
    jti: str = ""
    active: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class FakeScope:
    """A scope as the administration API keeps it."""

    name: str
    display_name: str | None = None
    description: str | None = None


class Store:
    """Everything that a fake server remembers. ``clock`` gives epoch seconds; ``token_issuer`` goes into tokens."""

    def __init__(self, quirks: Quirks, *, issuer: str, scopes: Iterable[str], clock: Callable[[], float]) -> None:
        self.quirks = quirks
        self.issuer = issuer
        self.token_issuer = issuer
        self.clock = clock
        self.clients: dict[str, FakeClient] = {}
        self.tokens: dict[str, FakeToken] = {}
        self.scopes = {name: FakeScope(name=name) for name in scopes}
        self.configured_client_scopes = list(self.scopes)
        self.new_client_scopes = list(self.scopes)
        self.resources: set[str] = set()
        self.people: dict[str, str] = {}
        self.keys: list[RSAKey] = []

    def add_client(self, client: FakeClient) -> FakeClient:
        """Keeps the client and returns it."""
        self.clients[client.client_id] = client
        return client

    def new_secret(self) -> str:
        """A fresh client secret in this server's style."""
        awkward = "%2B+&# =" if self.quirks.awkward_secrets else ""
        return awkward + secrets.token_urlsafe(24)

    def remove_client(self, client: FakeClient) -> None:
        """Forgets the client, and ends its tokens where this server does that."""
        del self.clients[client.client_id]
        if not self.quirks.tokens_survive_client:
            for token in self.tokens.values():
                if token.client_id == client.client_id:
                    token.active = False

    def signing_key(self) -> RSAKey:
        """The key that signs now, made on first use."""
        if not self.keys:
            self.rotate_key()
        return self.keys[0]

    def rotate_key(self, *, keep_old: bool = True) -> None:
        """Signs with a new key from now on; without ``keep_old`` the older ones leave the JWKS."""
        parameters: KeyParameters = {"kid": secrets.token_hex(6), "use": "sig", "alg": "RS256"}
        key = RSAKey.generate_key(2048, parameters, private=True)
        self.keys = [key, *(self.keys if keep_old else [])]

    def live(self, value: str, *kinds: str) -> FakeToken | None:
        """The token when it is of one of the kinds, active and not expired."""
        token = self.tokens.get(value)
        if token is None or token.kind not in kinds or not token.active or token.expires_at <= self.clock():
            return None
        return token

    def issue(
        self,
        kind: str,
        client_id: str,
        scopes: Iterable[str],
        *,
        subject: str = "",
        audience: Iterable[str] = (),
        seconds: float | None = None,
        token_format: str | None = None,
        claims: Mapping[str, Any] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> FakeToken:
        """Makes and keeps a token; an access token takes the server's format and lifetime unless told otherwise."""
        now = self.clock()
        lifetime = self.quirks.token_seconds if seconds is None else seconds
        token = FakeToken(
            value=secrets.token_urlsafe(24),
            kind=kind,
            client_id=client_id,
            scopes=tuple(scopes),
            issued_at=now,
            expires_at=now + lifetime,
            subject=subject,
            audience=tuple(audience),
            jti=secrets.token_hex(8),
            extra=extra or {},
        )
        if kind == "access" and (token_format or self.quirks.token_format) == "jwt":
            token.value = self._sign(token, claims or {})
        self.tokens[token.value] = token
        return token

    def _sign(self, token: FakeToken, more: Mapping[str, Any]) -> str:
        subject = token.subject or (token.client_id if self.quirks.machine_sub else "")
        claims: dict[str, Any] = {
            "iss": self.token_issuer,
            "iat": int(token.issued_at),
            "exp": int(token.expires_at),
            "jti": token.jti,
            self.quirks.client_id_claim: token.client_id,
            "scope": " ".join(token.scopes),
        }
        if subject:
            claims["sub"] = subject
        if token.audience:
            claims["aud"] = token.audience[0] if len(token.audience) == 1 else list(token.audience)
        claims.update(more)
        key = self.signing_key()
        header = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, key)


def system_clock() -> float:
    """Epoch seconds."""
    return time.time()
