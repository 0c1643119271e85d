"""Token, introspection, revocation, key set and userinfo endpoints."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from keymanager.resident.answers import bearer_challenge, client_challenge, endpoint_view, json_answer, oauth_error
from keymanager.resident.client_authentication import AmbiguousCredentials, authenticate_secret, presented_secret
from keymanager.resident.introspection import introspect, live_access_token
from keymanager.resident.issuer import endpoint
from keymanager.resident.keys import public_key_set
from keymanager.resident.management import bearer_token, is_management
from keymanager.resident.server import ResidentServer, form_body, form_headers, repeated_parameter
from keymanager.resident.token_claims import user_claims

JWKS_SECONDS = 300


@endpoint_view("POST")
@sensitive_post_parameters()
def token(request: HttpRequest) -> HttpResponse:
    """Issue tokens (RFC 6749 section 3.2)."""
    refusal = _unusable_form(request)
    if refusal:
        return refusal
    try:
        _, body, status = ResidentServer().create_token_response(
            endpoint("token"), "POST", form_body(request), form_headers(request)
        )
    except OAuth2Error as exc:
        body, status = exc.json, exc.status_code
    return _oauthlib_answer(body, status)


@endpoint_view("POST")
@sensitive_post_parameters()
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token of the calling client (RFC 7009); with another's token nothing happens and nothing is told."""
    refusal = _unusable_form(request)
    if refusal:
        return refusal
    _, body, status = ResidentServer().create_revocation_response(
        endpoint("revoke"), "POST", form_body(request), form_headers(request)
    )
    return _oauthlib_answer(body, status)


@endpoint_view("POST")
@sensitive_post_parameters()
def introspection(request: HttpRequest) -> HttpResponse:
    """Say whether an access token is active (RFC 7662 section 2)."""
    refusal = _unusable_form(request)
    if refusal:
        return refusal
    caller = None
    if bearer_token(request):
        if not is_management(request):
            return bearer_challenge(presented=True, description="Only the management token may ask this way.")
    else:
        caller = _calling_client(request)
        if caller is None:
            return client_challenge()
    value = request.POST.get("token", "")
    if not value:
        return oauth_error("invalid_request", "The parameter token is missing.")
    return json_answer(introspect(value, asked_by=caller))


@endpoint_view("GET", "HEAD")
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys (RFC 7517); may be cached for a while, so a rotation keeps the old keys published longer."""
    response = json_answer(public_key_set())
    response["Cache-Control"] = f"public, max-age={JWKS_SECONDS}"
    del response["Pragma"]
    return response


@endpoint_view("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    """Claims about the person behind an access token with the scope openid (OpenID Connect Core section 5.3)."""
    presented = bearer_token(request)
    row = live_access_token(presented) if presented else None
    if row is None or row.user is None:
        return bearer_challenge(presented=bool(presented))
    if not row.allow_scopes(["openid"]):
        response = oauth_error("insufficient_scope", "The token lacks the scope openid.", status=403)
        response["WWW-Authenticate"] = 'Bearer error="insufficient_scope", scope="openid"'
        return response
    return json_answer(user_claims(row.user, row.scope.split()))


def _calling_client(request: HttpRequest) -> object | None:
    try:
        presented = presented_secret(
            authorization=request.headers.get("Authorization", ""),
            client_id=request.POST.get("client_id", ""),
            client_secret=request.POST.get("client_secret", ""),
        )
    except AmbiguousCredentials:
        return None
    return None if presented is None else authenticate_secret(presented)


def _unusable_form(request: HttpRequest) -> HttpResponse | None:
    if request.META.get("QUERY_STRING"):
        return oauth_error("invalid_request", "Parameters belong in the body, not in the URL.")
    if request.content_type != "application/x-www-form-urlencoded":
        return oauth_error("invalid_request", "The body must be application/x-www-form-urlencoded.")
    if any("\x00" in value for values in request.POST.lists() for value in values[1]):
        return oauth_error("invalid_request", "A parameter contains a NUL character.")
    repeated = repeated_parameter(request)
    return oauth_error("invalid_request", f"The parameter {repeated} is repeated.") if repeated else None


def _oauthlib_answer(body: str, status: int) -> HttpResponse:
    document = json.loads(body) if body else {}
    if status == 401:
        return client_challenge(str(document.get("error_description", "")) or "The client could not be authenticated.")
    return json_answer(document, status=status)
