"""Signing in at an OpenID provider: mozilla-django-oidc, held to issuer, audience and subject, over our HTTP client."""

from collections.abc import Mapping
from typing import Any, Final

import jwt
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts.directory import DirectoryPerson
from accounts.models import User
from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpRequest as OutgoingRequest
from keymanager.adapters.claims import claim_at
from keymanager.adapters.rfc.credentials import client_authentication
from portal.sign_in.entitlements import rules_of_settings
from portal.sign_in.provider import OpenIdProvider, login_provider, provider_http
from subscriptions.services import people

CALLBACK_NAME: Final = "openid-callback"
ID_TOKEN_KEY: Final = "openid_id_token"  # noqa: S105 - the name of a session entry


def callback_url() -> str:
    """The redirect URI of the portal's client; behind a proxy only the settings know it."""
    return f"{settings.ARCHWAY_PUBLIC_URL}{reverse(CALLBACK_NAME)}"


def openid_setting(name: str, *default: Any) -> Any:
    """What mozilla-django-oidc asks for by the names of its own settings. Raises ``KeyManagerError`` by discovery."""
    fixed = {
        "OIDC_AUTHENTICATION_CALLBACK_URL": CALLBACK_NAME,
        "OIDC_USE_PKCE": True,
        "OIDC_USE_NONCE": True,
        "LOGIN_REDIRECT_URL": settings.LOGIN_REDIRECT_URL,
    }
    if name in fixed:
        return fixed[name]
    provider = login_provider()
    if provider is not None:
        if name == "OIDC_OP_AUTHORIZATION_ENDPOINT":
            return provider.endpoints().authorization_endpoint
        of_provider = {"OIDC_RP_CLIENT_ID": provider.client_id, "OIDC_RP_SCOPES": provider.scopes}
        if name in of_provider:
            return of_provider[name]
    return default[0] if default else None


class OpenIdBackend(OIDCAuthenticationBackend):
    """Tells who came back from the provider, by issuer and subject."""

    OIDC_RP_IDP_SIGN_KEY = None
    get_settings = staticmethod(openid_setting)
    request: HttpRequest

    def __init__(self) -> None:
        # Made for every request of a signed-in person, so nothing may be asked of the provider here.
        self.UserModel = User

    @property
    def provider(self) -> OpenIdProvider:
        """The provider of the settings."""
        found = login_provider()
        if found is None:
            raise KeyManagerRejected("No login provider is configured.")
        return found

    @property
    def OIDC_RP_CLIENT_ID(self) -> str:  # noqa: N802 - the library's name
        """Our client there."""
        return self.provider.client_id

    @property
    def OIDC_RP_CLIENT_SECRET(self) -> str:  # noqa: N802 - the library's name
        """Its secret."""
        return self.provider.client_secret

    @property
    def OIDC_RP_SIGN_ALGO(self) -> str:  # noqa: N802 - the library's name
        """How ID tokens are signed."""
        return self.provider.algorithm

    def authenticate(self, request: HttpRequest | None, *, nonce: str, code_verifier: str) -> User | None:
        """The user who came back. Raises ``ArchwayError`` saying why there is none."""
        if login_provider() is None:
            return None
        user: User | None = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The user of a session; one who was switched off meanwhile is signed out."""
        user = ModelBackend().get_user(user_id)
        return user if isinstance(user, User) else None

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """The answer to the code (RFC 6749 section 4.1.4)."""
        provider = self.provider
        asking = client_authentication(
            provider.client_authentication, provider.client_id, provider.client_secret, basic_encoding="form"
        )
        form = {**payload, "redirect_uri": callback_url()}
        for name in ("client_id", "client_secret"):
            del form[name]
        request = OutgoingRequest(
            method="POST",
            url=provider.endpoints().token_endpoint,
            headers=(("Accept", "application/json"), *asking.headers),
            form=(*form.items(), *asking.form),
        )
        with provider_http() as http:
            answer = http.send(request)
        if not answer.ok:
            code = str(answer.json_object_or_empty().get("error", ""))
            raise KeyManagerRejected(f"It refused the code: {code or f'HTTP {answer.status}'}.", remote_code=code)
        body = answer.json_object()
        if not all(isinstance(body.get(name), str) for name in ("id_token", "access_token")):
            raise KeyManagerProtocolError("It answered the code without ID token or access token.")
        return body

    def retrieve_matching_jwk(self, token: str) -> Any:
        """The provider's key that this token names. Raises ``SuspiciousOperation`` when it has no such key."""
        with provider_http() as http:
            answer = http.get(self.provider.endpoints().jwks_uri)
        keys = answer.json_object().get("keys") if answer.ok else None
        header = jwt.get_unverified_header(token)
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, dict) and header.get("kid") in (None, key.get("kid")) and key.get("use", "sig") == "sig":
                return jwt.PyJWK(key, algorithm=self.OIDC_RP_SIGN_ALGO)
        raise SuspiciousOperation("signed with a key that the provider does not publish")

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core section 3.1.3.7)."""
        provider = self.provider
        try:
            claims: dict[str, Any] = super().verify_token(token, **kwargs)
        except (SuspiciousOperation, jwt.PyJWTError) as exc:
            raise KeyManagerProtocolError("Its ID token cannot be verified.") from exc
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        for right, what in (
            (claims.get("iss") == provider.issuer, "is of another issuer"),
            (provider.client_id in audiences, "is for another client"),
            (claims.get("azp", provider.client_id) == provider.client_id, "was given to another client"),
            (isinstance(claims.get("exp"), int | float), "has no end"),
            (isinstance(claims.get("sub"), str) and claims["sub"], "names nobody"),
        ):
            if not right:
                raise KeyManagerProtocolError(f"Its ID token {what}.")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the user information endpoint (Core section 5.3), where there is one."""
        url = self.provider.endpoints().userinfo_endpoint
        if not url:
            return {}
        with provider_http() as http:
            answer = http.get(url, headers=(("Authorization", f"Bearer {access_token}"),))
        if not answer.ok:
            raise KeyManagerProtocolError(f"Its user information endpoint answered HTTP {answer.status}.")
        told = answer.json_object()
        if told.get("sub") != payload["sub"]:
            raise KeyManagerProtocolError("Its user information is about somebody else.")
        return told

    def get_or_create_user(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> User:
        """The user; what the provider does not say of groups and roles means none."""
        claims = {**payload, **self.get_userinfo(access_token, id_token, payload)}
        user = people.admit(person=person_of(self.provider, claims), rules=rules_of_settings())
        self.request.session[ID_TOKEN_KEY] = id_token
        return user

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """Only the ID token is kept, and only of somebody who was let in."""


def person_of(provider: OpenIdProvider, claims: Mapping[str, Any]) -> DirectoryPerson:
    """The person whom these claims describe."""
    return DirectoryPerson(
        issuer=provider.issuer,
        subject=str(claims["sub"]),
        username=_text(claims, provider.claims.username),
        email=_text(claims, provider.claims.email),
        first_name=_text(claims, "given_name"),
        last_name=_text(claims, "family_name"),
        groups=_names(claims, provider.claims.groups),
        roles=_names(claims, provider.claims.roles),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claim_at(claims, name)
    return value if isinstance(value, str) else ""


def _names(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claim_at(claims, name) if name else None
    values = value if isinstance(value, list) else [value]
    return frozenset(item for item in values if isinstance(item, str) and item)
