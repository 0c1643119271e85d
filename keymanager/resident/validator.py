"""The toolkit's request validator, hardened: who may do what, and what is stored of it."""

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from keymanager.resident.catalogue import unknown_resource
from keymanager.resident.client_authentication import (
    AmbiguousCredentials,
    PresentedSecret,
    authenticate_secret,
    presented_secret,
    usable_client,
)
from keymanager.resident.client_metadata import PASSWORD_GRANT, password_grant_allowed
from keymanager.resident.issuer import issuer
from keymanager.resident.keys import active_signing_key
from keymanager.resident.models import AccessToken, Grant, RefreshToken
from keymanager.resident.scopes_backend import allowed_scopes
from keymanager.resident.token_claims import access_token_claims, token_format, user_claims
from keymanager.resident.token_families import end_family, family_of_code


class ResidentValidator(OAuth2Validator):
    """Subclass of the toolkit's validator; method names and arguments are oauthlib's."""

    # --- clients -------------------------------------------------------------------------------------------------
    def _presented(self, request: Any) -> PresentedSecret | None:
        try:
            return presented_secret(
                authorization=request.headers.get("HTTP_AUTHORIZATION", ""),
                client_id=request.client_id or "",
                client_secret=request.client_secret or "",
            )
        except AmbiguousCredentials as exc:
            raise errors.InvalidRequestError(description=str(exc), request=request) from exc

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """True unless the request only names a public client."""
        if self._presented(request) is not None:
            return True
        client = usable_client(request.client_id)
        return client is None or not client.is_public

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Authenticate by secret (RFC 6749 section 2.3.1)."""
        request.client = None
        presented = self._presented(request)
        if presented is not None:
            request.client = authenticate_secret(presented)
        return request.client is not None

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Accept a public client by its id; PKCE binds the rest."""
        request.client = usable_client(client_id)
        return request.client is not None and request.client.is_public

    def _load_application(self, client_id: str, request: Any) -> Any | None:
        request.client = usable_client(client_id)
        return request.client

    # --- grants, responses and scopes ----------------------------------------------------------------------------
    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Only the client's registered grants; the password grant only where the operator allows it."""
        if grant_type == PASSWORD_GRANT and not password_grant_allowed():
            return False
        return bool(request.client.allows_grant_type(grant_type))

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Only the code flow."""
        if response_type != "code":
            raise errors.UnsupportedResponseTypeError(request=request)
        return bool(client.allows_grant_type("authorization_code"))

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """Always, for confidential clients too (RFC 9700 section 2.1.1)."""
        return True

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Raise ``invalid_scope`` that names the first scope the client may not have."""
        allowed = set(allowed_scopes(client))
        foreign = next((scope for scope in scopes if scope not in allowed), None)
        if foreign is not None:
            shown = ascii(foreign[:100]).strip("'\"")
            raise errors.InvalidScopeError(description=f"The client may not have the scope {shown}", request=request)
        return True

    # --- codes ---------------------------------------------------------------------------------------------------
    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Accept an unexpired code of this client and an active person; scopes taken away since then are left out.

        A code that is not there was used before or never issued: what came of it ends (RFC 6749 section 4.1.2).
        """
        if not Grant.objects.filter(code=code, application=client).exists():
            end_family(family_of_code(code), client)
            return False
        if not super().validate_code(client_id, code, client, request, *args, **kwargs):
            return False
        request.scopes = _still_allowed(" ".join(request.scopes), client)
        return bool(request.user.is_active)

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Use the code up; when another request was faster, both lose their tokens."""
        try:
            super().invalidate_authorization_code(client_id, code, request, *args, **kwargs)
        except errors.InvalidGrantError:
            end_family(family_of_code(code), request.client)
            raise

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """The same URI as in the authorization request; a code that was used meanwhile matches none."""
        return any(
            grant.redirect_uri_allowed(redirect_uri) for grant in Grant.objects.filter(code=code, application=client)
        )

    # --- tokens --------------------------------------------------------------------------------------------------
    def new_access_token(self, request: Any) -> str:
        """oauthlib's token generator: an ``at+jwt`` (RFC 9068) or a random string, as the client or the server says."""
        self._check_and_set_request_resource(request)
        person = None if request.grant_type == "client_credentials" else request.user
        request.resident_claims = access_token_claims(
            client_id=request.client.client_id,
            user=person,
            scopes=request.scopes or [],
            resources=request.resource,
            issued_at=int(time.time()),
            lifetime=request.expires_in,
        )
        if token_format(request.client) == "opaque":
            return secrets.token_urlsafe(48)
        signing = active_signing_key()
        header = {"alg": "RS256", "typ": "at+jwt", "kid": signing.kid}
        return jwt.encode(header, request.resident_claims, signing.key)

    def new_refresh_token(self, request: Any) -> str:
        """oauthlib's refresh token generator."""
        return secrets.token_urlsafe(48)

    def _validate_resource_uris(self, request: Any, resources: list[Any]) -> None:
        """RFC 8707: only registered resources, URLs and URNs alike."""
        unknown = unknown_resource(resources) if resources else None
        if unknown is not None:
            shown = ascii(unknown[:200]).strip("'\"")
            raise errors.CustomOAuth2Error(
                error="invalid_target", description=f"The resource {shown} is not known here", request=request
            )

    def _create_access_token(
        self, expires: datetime, request: Any, token: dict[str, Any], source_refresh_token: Any = None
    ) -> AccessToken:
        claims = request.resident_claims
        id_token = token.get("id_token")
        access_token = AccessToken(
            user=request.user,
            scope=token["scope"],
            expires=datetime.fromtimestamp(claims["exp"], tz=UTC),
            issued_at=claims["iat"],
            jti=claims["jti"],
            id_token=self._load_id_token(id_token) if id_token else None,
            application=request.client,
            source_refresh_token=source_refresh_token,
            resource=request.resource,
            token_family=family_of_code(request.code) if request.grant_type == "authorization_code" else None,
        )
        self._set_token_value(access_token, token["access_token"])
        access_token.save()
        return access_token

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: AccessToken, previous_refresh_token: Any
    ) -> RefreshToken:
        family = previous_refresh_token.token_family if previous_refresh_token else access_token.token_family
        refresh_token = RefreshToken(
            user=request.user,
            application=request.client,
            access_token=access_token,
            token_family=family or uuid.uuid4(),
            resource=request.resource,
        )
        self._set_token_value(refresh_token, refresh_token_code)
        refresh_token.save()
        return refresh_token

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Store hashes; a refresh token is given only to clients that registered the grant.

        Two requests may bring the same refresh token at once: the lock lets one rotate it, the other is refused.
        The toolkit would answer the second with the first one's tokens, which it cannot read back once hashed.
        """
        if not request.client.allows_grant_type("refresh_token"):
            token.pop("refresh_token", None)
        presented = getattr(request, "refresh_token_instance", None)
        if presented is not None:
            current = RefreshToken.objects.select_for_update().filter(pk=presented.pk).first()
            if current is None or current.revoked is not None:
                raise errors.InvalidGrantError(request=request)
        super()._save_bearer_token(token, request, *args, **kwargs)

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Of this client and of an active person; a used one ends its family."""
        if "\x00" in refresh_token or not super().validate_refresh_token(refresh_token, client, request):
            return False
        return request.user is None or bool(request.user.is_active)

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """The scopes of the last token, without those that the client lost since."""
        granted = request.refresh_token_instance.access_token
        return _still_allowed(granted.scope if granted else "", request.client)

    # --- OpenID Connect ------------------------------------------------------------------------------------------
    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        """The issuer, independent of the Host header."""
        return issuer()

    def get_oidc_claims(self, token: Any, token_handler: Any, request: Any) -> dict[str, Any]:
        """Claims about the person, as the granted scopes allow."""
        return user_claims(request.user, request.scopes)

    def get_id_token_dictionary(self, token: Any, token_handler: Any, request: Any) -> tuple[dict[str, Any], datetime]:
        """The claims of an ID token and its expiry (OpenID Connect Core section 2)."""
        expires = int(time.time()) + oauth2_settings.ID_TOKEN_EXPIRE_SECONDS
        claims = self.get_oidc_claims(token, token_handler, request) | {
            "iss": issuer(),
            "exp": expires,
            "jti": str(uuid.uuid4()),
        }
        if request.user.last_login is not None:
            claims["auth_time"] = int(request.user.last_login.timestamp())
        return claims, datetime.fromtimestamp(expires, tz=UTC)

    def validate_silent_login(self, request: Any) -> bool:
        """``prompt=none``: the authorization page answers for both, it knows the session."""
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        """See ``validate_silent_login``."""
        return True

    def validate_user(self, username: str, password: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Check a person's password, for clients with the password grant only: others must not try passwords out."""
        if not request.client.allows_grant_type(PASSWORD_GRANT):
            raise errors.UnauthorizedClientError(request=request)
        if "\x00" in username:
            return False
        return bool(super().validate_user(username, password, client, request, *args, **kwargs))


def _still_allowed(scope: str, client: Any) -> list[str]:
    allowed = set(allowed_scopes(client))
    return [item for item in scope.split() if item in allowed]
