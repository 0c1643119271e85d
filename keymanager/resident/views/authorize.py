"""The authorization endpoint (RFC 6749 section 3.1): sign-in, consent, and the way back to the client.

The form is posted to the same URL, so the query string is what is checked both times and no hidden field can differ.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError, OAuth2Error
from oauthlib.openid.connect.core.exceptions import ConsentRequired, LoginRequired

from keymanager.resident.catalogue import unknown_resource
from keymanager.resident.consents import has_consented, remember_consent
from keymanager.resident.issuer import issuer
from keymanager.resident.scopes_backend import describe
from keymanager.resident.server import ResidentServer, authorization_uri

AFTER_SIGN_IN = "after_sign_in"
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@require_http_methods(["GET", "POST"])
@never_cache
@csrf_protect
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the signed-in person, unless they approved the same before, and send the code to the client."""
    uri = authorization_uri(request)
    try:
        scopes, credentials = ResidentServer().validate_authorization_request(uri)
    except FatalClientError as exc:
        return render(request, "resident/authorize_error.html", {"error": exc}, status=400)
    except OAuth2Error as exc:
        return _back(request, exc.redirect_uri, exc.twotuples)
    client = credentials["request"].client
    unusable = _unusable_value(request)
    if unusable:
        return _back(request, credentials["redirect_uri"], _error(credentials, "invalid_request", unusable))
    if unknown_resource(request.GET.getlist("resource")) is not None:
        return _back(request, credentials["redirect_uri"], _error(credentials, "invalid_target"))
    return _decide(request, uri, client, scopes, credentials)


def _decide(
    request: HttpRequest, uri: str, client: Any, scopes: list[str], credentials: dict[str, Any]
) -> HttpResponse:
    prompt = set(request.GET.get("prompt", "").split())
    user = request.user
    if not isinstance(user, AbstractBaseUser) or "login" in prompt or _signed_in_too_long_ago(request, user):
        if "none" in prompt:
            return _back(request, credentials["redirect_uri"], LoginRequired(state=credentials["state"]).twotuples)
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': _after_sign_in(request)})}")
    if request.method == "POST":
        if "allow" not in request.POST:
            return _back(request, credentials["redirect_uri"], AccessDeniedError(state=credentials["state"]).twotuples)
        remember_consent(user=user, client=client, scopes=scopes)
        return _grant(request, uri, user, scopes, credentials)
    if "consent" not in prompt and has_consented(user=user, client=client, scopes=scopes):
        return _grant(request, uri, user, scopes, credentials)
    if "none" in prompt:
        return _back(request, credentials["redirect_uri"], ConsentRequired(state=credentials["state"]).twotuples)
    page = render(request, "resident/authorize.html", {"client": client, "scopes": describe(scopes)})
    # The answer to this form is a redirect to the client, which browsers count as part of the form's action.
    page._csp_update = {"form-action": [_origin(credentials["redirect_uri"])]}  # type: ignore[attr-defined] # django-csp reads it
    return page


def _grant(
    request: HttpRequest, uri: str, user: AbstractBaseUser, scopes: list[str], credentials: dict[str, Any]
) -> HttpResponse:
    facts = {key: value for key, value in credentials.items() if key not in ("request", "prompt")}
    facts |= {"user": user, "resource": request.GET.getlist("resource")}
    try:
        headers, _, _ = ResidentServer().create_authorization_response(uri, scopes=scopes, credentials=facts)
    except OAuth2Error as exc:
        return _back(request, credentials["redirect_uri"], exc.twotuples)
    return _back(request, headers["Location"], [])


def _error(credentials: dict[str, Any], code: str, description: str = "") -> list[tuple[str, str]]:
    pairs = [("error", code), ("error_description", description), ("state", credentials["state"] or "")]
    return [pair for pair in pairs if pair[1]]


def _unusable_value(request: HttpRequest) -> str:
    if not _S256_CHALLENGE.fullmatch(request.GET.get("code_challenge", "")):
        return "code_challenge is not the base64url form of a SHA-256 hash."
    nonce = request.GET.get("nonce", "")
    if len(nonce) > 255 or not (nonce.isprintable() and nonce.isascii()):
        return "nonce must have at most 255 printable ASCII characters."
    if not request.GET.get("max_age", "0").isdecimal():
        return "max_age must be a number of seconds."
    return ""


def _signed_in_too_long_ago(request: HttpRequest, user: AbstractBaseUser) -> bool:
    if "max_age" not in request.GET:
        return False
    return user.last_login is None or (timezone.now() - user.last_login).total_seconds() > int(request.GET["max_age"])


def _back(request: HttpRequest, redirect_uri: str | None, pairs: Sequence[tuple[str, str | None]]) -> HttpResponse:
    """Send the browser to the client, with the issuer so that it can detect a mix-up (RFC 9207)."""
    parts = urlsplit(redirect_uri or "")
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "iss"]
    location = urlunsplit(parts._replace(query=urlencode([*query, *pairs, ("iss", issuer())])))
    if request.method == "GET" and AFTER_SIGN_IN in request.GET:
        # The sign-in form's action may not lead to another site, and browsers count each redirect after it.
        return render(request, "resident/continue.html", {"location": location})
    response = HttpResponse(status=302)
    # Not HttpResponseRedirect: it refuses the private-use schemes of native apps, which were checked at registration.
    response["Location"] = location
    return response


def _after_sign_in(request: HttpRequest) -> str:
    """The same request without the wish to sign in again, which is then fulfilled."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values if name != AFTER_SIGN_IN]
    kept = [
        (name, " ".join(word for word in value.split() if word != "login") if name == "prompt" else value)
        for name, value in pairs
    ]
    return f"{request.path}?{urlencode([*(pair for pair in kept if pair != ('prompt', '')), (AFTER_SIGN_IN, '1')])}"


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
