"""oauthlib's server, cut down to what RFC 9700 leaves: the code flow with S256, client credentials, refresh."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from oauth2_provider.settings import oauth2_settings
from oauthlib.openid import Server

from keymanager.resident.client_metadata import supported_grants
from keymanager.resident.issuer import endpoint
from keymanager.resident.validator import ResidentValidator

# oauthlib turns every parameter into an attribute of its request ("client", "user", "scopes", ...), so only those of
# the protocols are let in.
TOKEN_PARAMETERS = frozenset(
    {
        "grant_type", "client_id", "client_secret", "scope", "code", "redirect_uri", "code_verifier", "refresh_token",
        "username", "password", "resource", "token", "token_type_hint",
    }
)  # fmt: skip
AUTHORIZATION_PARAMETERS = frozenset(
    {
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
        "nonce", "prompt", "max_age", "login_hint",
    }
)  # fmt: skip


class ResidentServer(Server):
    """One response type, the grants that the operator allows, PKCE by S256."""

    def __init__(self) -> None:
        validator = ResidentValidator()
        super().__init__(
            validator,
            token_expires_in=oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS,
            token_generator=validator.new_access_token,
            refresh_token_generator=validator.new_refresh_token,
        )
        self._response_types = {"code": self.response_types["code"]}
        self._grant_types = {name: self.grant_types[name] for name in supported_grants()}
        grants: list[Any] = [self.auth_grant, self.openid_connect_auth.proxy_target]
        for grant in grants:
            grant._code_challenge_methods = {"S256": grant._code_challenge_methods["S256"]}


def repeated_parameter(request: HttpRequest, allowed: Iterable[str] = TOKEN_PARAMETERS) -> str | None:
    """A parameter that is sent twice although it must not be (RFC 6749 section 3.2), or ``None``."""
    single = set(allowed) - {"resource"}
    return next((name for name, values in request.POST.lists() if name in single and len(values) > 1), None)


def form_body(request: HttpRequest) -> str:
    """The known parameters of a form post, encoded again for oauthlib."""
    return urlencode(
        [(name, value) for name, values in request.POST.lists() if name in TOKEN_PARAMETERS for value in values]
    )


def form_headers(request: HttpRequest) -> dict[str, Any]:
    """What oauthlib needs of the request's headers."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    authorization = request.headers.get("Authorization", "")
    if authorization:
        headers |= {"Authorization": authorization, "HTTP_AUTHORIZATION": authorization}
    return headers


def authorization_uri(request: HttpRequest) -> str:
    """The authorization request with its known parameters only."""
    pairs = [
        (name, value) for name, values in request.GET.lists() if name in AUTHORIZATION_PARAMETERS for value in values
    ]
    return f"{endpoint('authorize')}?{urlencode(pairs)}"
