"""Tables of the embedded authorization server; the first five replace the toolkit's own.

Tokens, codes, registration access tokens and client secrets are stored as hashes only; signing keys are encrypted.
"""

import hashlib
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from jwcrypto import jwk
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from keymanager.resident.toolkit_settings import TOKEN_FORMATS

PUBLIC_AUTH_METHOD = "none"
AUTH_METHODS = ("client_secret_basic", "client_secret_post", PUBLIC_AUTH_METHOD)


class Client(AbstractApplication):
    """An OAuth client with any number of grants and its own list of scopes (RFC 7591 section 2)."""

    # Fields of the toolkit that would say one thing where a client of ours can say several, or that nothing here reads.
    authorization_grant_type = None
    user = None
    post_logout_redirect_uris = None
    allowed_origins = None

    # Without an algorithm the code flow with ``openid`` ends in a server error.
    algorithm = models.CharField(max_length=5, default=AbstractApplication.RS256_ALGORITHM)
    grant_types = models.JSONField(default=list)
    scopes = models.JSONField(default=list)
    token_endpoint_auth_method = models.CharField(max_length=32, default="client_secret_basic")
    marker = models.CharField(max_length=200, blank=True, default="", db_index=True)
    access_token_format = models.CharField(max_length=16, blank=True, default="")
    registration_token_digest = models.CharField(max_length=64, blank=True, default="")
    suspended = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(token_endpoint_auth_method__in=AUTH_METHODS), name="resident_client_auth_method"
            ),
            models.CheckConstraint(
                condition=Q(access_token_format__in=("", *TOKEN_FORMATS)), name="resident_client_token_format"
            ),
            models.CheckConstraint(
                condition=Q(client_type="public", token_endpoint_auth_method=PUBLIC_AUTH_METHOD, client_secret="")
                | (Q(client_type="confidential") & ~Q(token_endpoint_auth_method=PUBLIC_AUTH_METHOD)),
                name="resident_client_type_fits_auth_method",
            ),
        ]

    def __str__(self) -> str:
        return str(self.client_id)

    @property
    def is_public(self) -> bool:
        """True for a client without a secret (RFC 6749 section 2.1)."""
        return bool(self.token_endpoint_auth_method == PUBLIC_AUTH_METHOD)

    def allows_grant_type(self, *grant_types: str) -> bool:
        """True when one of ``grant_types`` (RFC names) is registered."""
        return any(grant_type in self.grant_types for grant_type in grant_types)

    def is_usable(self, request: Any) -> bool:
        """False while the client is suspended."""
        return not self.suspended

    def get_allowed_schemes(self) -> set[str]:
        """Schemes of the registered redirect URIs, each checked at registration."""
        return {uri.partition(":")[0].lower() for uri in self.redirect_uris.split()}

    @property
    def jwk_key(self) -> jwk.JWK:
        """The key that signs this client's ID tokens."""
        from keymanager.resident.keys import active_signing_key

        return jwk.JWK.from_pem(active_signing_key().private_pem.encode())


class AccessToken(AbstractAccessToken):
    """An access token, JWT or opaque; ``jti`` is the same in the JWT and in introspection."""

    jti = models.CharField(max_length=64, unique=True)
    issued_at = models.PositiveBigIntegerField(help_text="Seconds since the epoch")
    # Tokens that descend from one authorization code, so that a replay of the code ends them.
    token_family = models.UUIDField(null=True, blank=True, editable=False, db_index=True)

    class Meta(AbstractAccessToken.Meta):
        pass


class RefreshToken(AbstractRefreshToken):
    """A refresh token; rotated at each use, and a used one ends its family (RFC 9700 section 4.14.2)."""

    class Meta(AbstractRefreshToken.Meta):
        pass


class HashedCodeField(models.CharField[str, str]):
    """Hashes every value on its way to the database, look-ups included. A row must never be saved twice."""

    def get_prep_value(self, value: Any) -> Any:
        """SHA-256 of the code: enough for random codes, and a copy of the table gives no code away."""
        return None if value is None else hashlib.sha256(str(value).encode()).hexdigest()


class Grant(AbstractGrant):
    """An authorization code, waiting to be exchanged."""

    code = HashedCodeField(max_length=64, unique=True)

    class Meta(AbstractGrant.Meta):
        pass


class IDToken(AbstractIDToken):
    """An OpenID Connect ID token that was issued."""

    class Meta(AbstractIDToken.Meta):
        pass


class Consent(models.Model):
    """A person's standing approval of scopes for a client."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resident_consents")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="consents")
    scopes = models.JSONField(default=list)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "client"], name="resident_one_consent_a_client"),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"


class Scope(models.Model):
    """A scope that exists at this server."""

    key = models.CharField(max_length=255, unique=True)
    description = models.CharField(max_length=1000, blank=True, default="")

    def __str__(self) -> str:
        return self.key


class Resource(models.Model):
    """A resource that a token may be restricted to (RFC 8707); ``identifier`` may be a URL or a URN."""

    identifier = models.CharField(max_length=500, unique=True)
    name = models.CharField(max_length=255)
    scopes = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.identifier


class SigningKey(models.Model):
    """An RSA key. The active one signs; the others are only published, until ``retired_at``."""

    kid = models.CharField(max_length=64, unique=True)
    sealed_private_pem = models.TextField()
    active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["active"], condition=Q(active=True), name="resident_one_active_key"),
        ]

    def __str__(self) -> str:
        return self.kid
