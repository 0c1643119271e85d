"""The fake's authorization server: tokens, introspection, revocation, metadata."""

import hmac
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.okta_server import authorization
from tests.fakes.okta_server.errors import refuse
from tests.fakes.okta_server.state import App, State, Token
from tests.fakes.vendor_server import random_id

Sign = Callable[[Mapping[str, Any]], str]
LIFETIME = 3600


def token(state: State, request: Received, issuer: str, sign: Sign) -> Answer:
    """POST: client_credentials with scopes that a policy allows."""
    app = _client(state, request)
    form = request.form
    grant = form.get("grant_type", "")
    if grant == "refresh_token":
        raise Refused(Answer.error(400, "invalid_grant", "The refresh token is invalid or expired."))
    if grant != "client_credentials":
        raise Refused(Answer.error(400, "unsupported_grant_type", "The authorization grant type is not supported."))
    if grant not in app.oauth.get("grant_types", []):
        words = "The client is not authorized to use the provided grant type."
        raise Refused(Answer.error(400, "unauthorized_client", words))
    scopes = form.get("scope", "").split()
    if not scopes:
        words = (
            "The authorization server resource does not have any configured default scopes, 'scope' must be provided."
        )
        raise Refused(Answer.error(400, "invalid_scope", words))
    if set(scopes) - {entry["name"] for entry in state.scopes.values()}:
        words = "One or more scopes are not configured for the authorization server resource."
        raise Refused(Answer.error(400, "invalid_scope", words))
    if not authorization.allows(state, app.client_id, grant, scopes):
        words = "Policy evaluation failed for this request, please check the policy configuration."
        raise Refused(Answer.error(400, "access_denied", words))
    made = issue(state, issuer, sign, client_id=app.client_id, scopes=scopes)
    body = {"token_type": "Bearer", "expires_in": LIFETIME, "access_token": made.value, "scope": " ".join(scopes)}
    return Answer.of(body)


def issue(
    state: State, issuer: str, sign: Sign, *, client_id: str, scopes: list[str], seconds: float = LIFETIME, **more: Any
) -> Token:
    """Make and keep an access token."""
    now = int(state.clock())
    claims = {
        "ver": 1,
        "jti": f"AT.{random_id(24)}",
        "iss": issuer,
        "aud": "api://default",
        "iat": now,
        "exp": int(now + seconds),
        "cid": client_id,
        "scp": scopes,
        "sub": client_id,
        **more,
    }
    made = Token(value=sign(claims), client_id=client_id, claims=claims)
    state.tokens[made.value] = made
    return made


def introspect(state: State, request: Received) -> Answer:
    """POST: every token of this authorization server, to any client that authenticates."""
    _client(state, request)
    value = request.form.get("token", "")
    if not value:
        raise Refused(Answer.error(400, "invalid_request", "The 'token' parameter is missing."))
    found = state.tokens.get(value)
    if found is None or not found.active or found.claims["exp"] <= state.clock():
        return Answer.of({"active": False})
    claims = found.claims
    return Answer.of(
        {
            "active": True,
            "scope": " ".join(claims["scp"]),
            "username": claims["sub"],
            "client_id": claims["cid"],
            "token_type": "Bearer",
            **{name: claims[name] for name in ("exp", "iat", "sub", "aud", "iss", "jti")},
        }
    )


def revoke(state: State, request: Received) -> Answer:
    """POST: own tokens only; 200 also for a token that nobody knows."""
    app = _client(state, request)
    found = state.tokens.get(request.form.get("token", ""))
    if found is not None and found.client_id == app.client_id:
        found.active = False
    return Answer(status=200)


def userinfo(state: State, request: Received) -> Answer:
    """GET: the user behind a token."""
    found = state.tokens.get(request.bearer)
    if found is None or "uid" not in found.claims:
        raise Refused(Answer.error(401, "invalid_token", "The access token is invalid"))
    return Answer.of({"sub": found.claims["uid"], "preferred_username": found.claims["sub"]})


def metadata(issuer: str) -> Answer:
    """GET: RFC 8414."""
    return Answer.of(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/v1/authorize",
            "token_endpoint": f"{issuer}/v1/token",
            "registration_endpoint": f"{issuer.partition('/oauth2/')[0]}/oauth2/v1/clients",
            "jwks_uri": f"{issuer}/v1/keys",
            "introspection_endpoint": f"{issuer}/v1/introspect",
            "revocation_endpoint": f"{issuer}/v1/revoke",
            "response_types_supported": ["code", "token"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "scopes_supported": ["openid"],
        }
    )


def _client(state: State, request: Received) -> App:
    """Client authentication; an unknown client id is answered in Okta's own style."""
    form = request.form
    if request.basic is not None:
        client_id, secret = (urllib.parse.unquote_plus(part) for part in request.basic)
        if "client_secret" in form:
            words = "Cannot supply multiple client credentials."
            raise Refused(Answer.error(400, "invalid_request", words))
    else:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if not client_id:
        raise Refused(Answer.error(401, "invalid_client", "Client authentication failed."))
    app = next((app for app in state.apps.values() if app.client_id == client_id), None)
    if app is None:
        raise refuse(401, "invalid_client", "Invalid value for 'client_id' parameter.")
    good = app.auth_method == "none" or any(hmac.compare_digest(known, secret) for known in app.good_secrets)
    if app.status != "ACTIVE" or not good:
        raise Refused(
            Answer.error(401, "invalid_client", "The client secret supplied for a confidential client is invalid.")
        )
    return app
