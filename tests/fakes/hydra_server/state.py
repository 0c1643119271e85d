"""What the fake Hydra remembers: clients as it shows them, their secrets, tokens, and its signing keys."""

import secrets
import string
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from joserfc import jwt
from joserfc.jwk import RSAKey

# Hydra's alphabet; nothing in it needs percent-encoding.
_ALPHABET = string.ascii_letters + string.digits + "_-.~"
_MOST_ROTATED = 5

DEFAULTS: dict[str, Any] = {
    "client_name": "",
    "redirect_uris": None,
    "grant_types": None,
    "response_types": None,
    "scope": "",
    "audience": [],
    "owner": "",
    "policy_uri": "",
    "allowed_cors_origins": [],
    "tos_uri": "",
    "client_uri": "",
    "logo_uri": "",
    "contacts": None,
    "client_secret_expires_at": 0,
    "subject_type": "public",
    "jwks": {},
    "token_endpoint_auth_method": "client_secret_basic",
    "userinfo_signed_response_alg": "none",
    "metadata": {},
    "skip_consent": False,
    "skip_logout_consent": None,
    "access_token_strategy": "",
    "client_credentials_grant_access_token_lifespan": None,
    "refresh_token_grant_access_token_lifespan": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HydraHabits:
    """How one installation behaves.

    ``rotation``: the route for a second secret, which releases up to 26.2 do not have. ``scope_claim``: where a JWT has
    its scopes. ``publishes_jwt_keys``: the set that signs JWT access tokens is among the published ones.
    ``proxy_header``: what a proxy before the administration port demands. ``errors``: the shape of that port's errors.
    """

    rotation: bool = True
    dynamic_registration: bool = False
    scope_strategy: Literal["wildcard", "exact"] = "exact"
    access_token_strategy: Literal["opaque", "jwt"] = "opaque"
    scope_claim: Literal["list", "string", "both"] = "list"
    publishes_jwt_keys: bool = True
    proxy_header: tuple[str, str] | None = None
    errors: Literal["oauth", "herodot"] = "oauth"
    token_seconds: int = 3600


@dataclass(slots=True, kw_only=True)
class HydraClient:
    """``document``: as it is shown. ``rotated``: older secrets, each of which works for ever."""

    client_id: str
    document: dict[str, Any]
    secret: str = ""
    rotated: list[str] = field(default_factory=list)
    registration_access_token: str = ""

    @property
    def grant_types(self) -> list[str]:
        """None at all means the code grant."""
        return list(self.document["grant_types"] or ["authorization_code"])

    @property
    def scopes(self) -> list[str]:
        """Free strings on the client."""
        return str(self.document["scope"]).split()

    def knows(self, secret: str) -> bool:
        """The current secret and every rotated one."""
        return bool(secret) and secret in (self.secret, *self.rotated)

    def rotate(self) -> str:
        """A new secret; the old ones stay."""
        self.rotated = [self.secret, *self.rotated][:_MOST_ROTATED]
        self.secret = new_secret()
        return self.secret

    def shown(self, *, secret: bool = False) -> dict[str, Any]:
        """The document, with the secret only where it was just set."""
        return {**self.document, **({"client_secret": self.secret} if secret and self.secret else {})}


@dataclass(slots=True, kw_only=True)
class HydraToken:
    """``family``: tokens of one grant end together."""

    value: str
    use: Literal["access_token", "refresh_token"]
    client_id: str
    scopes: list[str]
    audience: list[str]
    subject: str
    family: str
    issued_at: float
    expires_at: float
    active: bool = True


class HydraState:
    """Everything."""

    def __init__(self, habits: HydraHabits, clock: Callable[[], float]) -> None:
        self.habits = habits
        self.clock = clock
        self.issuer = ""
        self.clients: dict[str, HydraClient] = {}
        self.tokens: dict[str, HydraToken] = {}
        self.keys: list[RSAKey] = [_new_key()]
        self.id_token_key = _new_key()

    def issue(
        self,
        client: HydraClient,
        scopes: list[str],
        audience: list[str],
        *,
        use: Literal["access_token", "refresh_token"] = "access_token",
        subject: str = "",
        family: str = "",
        claims: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> HydraToken:
        """Keep a token; an access token takes the client's strategy, else the server's."""
        now = self.clock()
        lives = self.habits.token_seconds if seconds is None else seconds
        token = HydraToken(
            value=f"ory_{'at' if use == 'access_token' else 'rt'}_{secrets.token_urlsafe(32)}",
            use=use,
            client_id=client.client_id,
            scopes=scopes,
            audience=audience,
            subject=subject or client.client_id,
            family=family or uuid.uuid4().hex,
            issued_at=now,
            expires_at=now + lives,
        )
        strategy = client.document["access_token_strategy"] or self.habits.access_token_strategy
        if use == "access_token" and strategy == "jwt":
            token.value = self._signed(token, claims or {})
        self.tokens[token.value] = token
        return token

    def live(self, value: str) -> HydraToken | None:
        """An active token of any use."""
        token = self.tokens.get(value)
        good = token is not None and token.active and token.expires_at > self.clock()
        return token if good else None

    def end(self, *, client_id: str = "", family: str = "", use: str = "") -> None:
        """End the tokens of a client or a grant."""
        for token in self.tokens.values():
            if token.client_id == client_id or token.family == family:
                token.active = token.active and bool(use) and token.use != use

    def remove(self, client_id: str) -> None:
        """Token rows hang on the client's row."""
        del self.clients[client_id]
        self.end(client_id=client_id)

    def rotate_key(self, *, keep_old: bool = True) -> None:
        """Sign with a new key."""
        self.keys = [_new_key(), *(self.keys if keep_old else [])]

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT of these claims; ``None`` leaves one out."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self.keys[0].kid}
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, self.keys[0])

    def _signed(self, token: HydraToken, more: Mapping[str, Any]) -> str:
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": token.subject,
            "client_id": token.client_id,
            "aud": token.audience,
            "iat": int(token.issued_at),
            "nbf": int(token.issued_at),
            "exp": int(token.expires_at),
            "jti": str(uuid.uuid4()),
            "ext": {},
        }
        if self.habits.scope_claim in ("list", "both"):
            claims["scp"] = token.scopes
        if self.habits.scope_claim in ("string", "both"):
            claims["scope"] = " ".join(token.scopes)
        return self.sign({**claims, **more})

    def stamp(self) -> str:
        """Now, to the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))


def new_secret() -> str:
    """26 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(26))


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": str(uuid.uuid4()), "use": "sig", "alg": "RS256"}, private=True)
