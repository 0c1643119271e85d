"""Token, revocation, introspection and userinfo endpoints of the fake."""

import hmac
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.wso2is7_server.state import App, State

Sign = Callable[[Mapping[str, Any]], str]
Granted = Callable[[App, list[str]], list[str]]
LIFETIME = 3600


def authorised_scopes(app: App, asked: list[str]) -> list[str]:
    """Scopes that the client is not authorised for are dropped without a word."""
    held = {key for scopes in app.authorised.values() for key in scopes}
    return [key for key in asked if key in held]


def token(state: State, request: Received, issuer: str, sign: Sign, granted: Granted = authorised_scopes) -> Answer:
    """POST."""
    app = _authenticated(state, request)
    grant = request.form.get("grant_type", "")
    if grant not in app.members.get("grant_types", []):
        raise Refused(Answer.error(400, "unauthorized_client", f"The client is not allowed to use {grant}"))
    if grant != "client_credentials":
        raise Refused(Answer.error(400, "invalid_grant", "Provided Authorization Grant is invalid"))
    scopes = granted(app, request.form.get("scope", "").split())
    seconds = int(app.members.get("ext_application_token_lifetime", LIFETIME))
    made = claims(state, issuer, app.client_id, scopes, seconds=seconds)
    value = sign(made) if app.members.get("token_type_extension") == "JWT" else str(uuid.uuid4())
    state.tokens[value] = {"client_id": app.client_id, "scopes": scopes, "iat": made["iat"], "exp": made["exp"]}
    scope = {"scope": " ".join(scopes)} if scopes else {}
    return Answer.of({"access_token": value, **scope, "token_type": "Bearer", "expires_in": seconds})


def claims(
    state: State, issuer: str, client_id: str, scopes: list[str], *, seconds: float, **more: Any
) -> dict[str, Any]:
    """Of an access token that is a JWT."""
    now = int(state.clock())
    return {
        "iss": issuer,
        "sub": client_id,
        "aud": client_id,
        "azp": client_id,
        "client_id": client_id,
        "aut": "APPLICATION",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": int(now + seconds),
        "scope": " ".join(scopes) or None,
        **more,
    }


def introspect(state: State, request: Received) -> Answer:
    """POST."""
    found = state.live(request.form.get("token", ""))
    if found is None:
        return Answer.of({"active": False})
    return Answer.of(
        {
            "active": True,
            "aut": "APPLICATION",
            "token_type": "Bearer",
            "client_id": found["client_id"],
            "scope": " ".join(found["scopes"]),
            "iat": found["iat"],
            "nbf": found["iat"],
            "exp": found["exp"],
        }
    )


def revoke(state: State, request: Received) -> Answer:
    """POST: own tokens only; 200 for an unknown one."""
    app, value = _authenticated(state, request), request.form.get("token", "")
    if not value:
        raise Refused(Answer.error(400, "invalid_request", "token is missing"))
    found = state.tokens.get(value)
    if found is not None and found["client_id"] != app.client_id:
        raise Refused(Answer.error(401, "unauthorized_client", "The token was issued to another client"))
    state.tokens.pop(value, None)
    return Answer(status=200)


def userinfo(request: Received) -> Answer:
    """GET."""
    if request.bearer != "user-token":
        raise Refused(Answer.error(401, "invalid_token", "Access token validation failed"))
    return Answer.of({"sub": "alice", "groups": ["curators"]})


def _authenticated(state: State, request: Received) -> App:
    """Basic credentials are read as they are; secrets work in the form too."""
    client_id, secret = request.basic or (request.form.get("client_id", ""), request.form.get("client_secret", ""))
    app = state.client(client_id)
    if app is None:
        words = f"A valid OAuth client could not be found for client_id: {client_id}"
        raise Refused(Answer.error(401, "invalid_client", words))
    public = True in (app.members.get("ext_public_client"), app.members.get("bypassClientCredentials"))
    known = public or any(hmac.compare_digest(held.value.encode(), secret.encode()) for held in app.secrets)
    if not known or not app.enabled:
        challenge = "Basic realm=WSO2.org" if request.basic else ""
        raise Refused(Answer.error(401, "invalid_client", "Client Authentication failed.", challenge=challenge))
    return app
