"""Tokens of the fake AM: opaque ones, for the client_credentials grant."""

import hmac
from typing import Any

from tests.fakes.forgerock_server.state import ADVANCED, CORE, GATEWAY, AmClient, State
from tests.fakes.messages import Answer, Received, Refused


def metadata(state: State) -> Answer:
    """Discovery."""
    issuer = state.issuer
    return Answer.of(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/access_token",
            "authorization_endpoint": f"{issuer}/authorize",
            "registration_endpoint": f"{issuer}/register",
            "introspection_endpoint": f"{issuer}/introspect",
            "revocation_endpoint": f"{issuer}/token/revoke",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/connect/jwk_uri",
            "scopes_supported": ["museum:read", "museum:write"],
        }
    )


def token(state: State, request: Received) -> Answer:
    """POST: the grant must be among the client's."""
    client, form = _authenticated(state, request), request.form
    grant = form.get("grant_type", "")
    if grant not in ("client_credentials", "refresh_token"):
        raise Refused(Answer.error(400, "unsupported_grant_type", "Grant type is not supported"))
    if grant not in client.groups[ADVANCED]["grantTypes"]:
        raise Refused(Answer.error(400, "unauthorized_client", "Grant type is not allowed"))
    if grant == "refresh_token":
        raise Refused(Answer.error(400, "invalid_grant", "grant is invalid"))
    asked = form.get("scope", "").split() or client.groups[CORE]["defaultScopes"]
    unknown = sorted(set(asked) - set(client.groups[CORE]["scopes"]))
    if unknown or not asked:
        raise Refused(Answer.error(400, "invalid_scope", f"Unknown/invalid scope(s): {unknown}"))
    value = state.issue(client, list(asked))
    answer = {"access_token": value, "scope": " ".join(asked), "token_type": "Bearer", "expires_in": 3599}
    return Answer.of(answer)


def tokeninfo(state: State, request: Received) -> Answer:
    """GET: everybody's tokens; each scope is a member too."""
    found = state.live(request.bearer)
    if found is None:
        raise Refused(Answer.error(401, "invalid_token", "The access token provided is expired, revoked or malformed"))
    known: dict[str, Any] = {
        **dict.fromkeys(found.scopes, ""),
        "access_token": request.bearer,
        "client_id": found.client_id,
        "scope": found.scopes,
        "realm": "/alpha",
        "token_type": "Bearer",
        "expires_in": int(found.expires_at - state.clock()),
    }
    return Answer.of(known)


def introspect(state: State, request: Received) -> Answer:
    """POST: a client sees its own tokens, and all with ``am-introspect-all-tokens``."""
    client = _authenticated(state, request)
    found = state.live(request.form.get("token", ""))
    sees_all = client.client_id == GATEWAY[0] and "am-introspect-all-tokens" in client.groups[CORE]["scopes"]
    if found is None or not (sees_all or found.client_id == client.client_id):
        return Answer.of({"active": False})
    return Answer.of(
        {
            "active": True,
            "scope": " ".join(found.scopes),
            "client_id": found.client_id,
            "sub": found.client_id,
            "token_type": "Bearer",
            "exp": int(found.expires_at),
            "iss": state.issuer,
        }
    )


def revoke(state: State, request: Received) -> Answer:
    """POST: another client's token is refused in words that repeat it."""
    client, value = _authenticated(state, request), request.form.get("token", "")
    found = state.tokens.get(value)
    if found and found.client_id != client.client_id:
        raise Refused(Answer.error(400, "invalid_grant", f"The provided token {value} was issued to another client"))
    state.tokens.pop(value, None)
    return Answer.of({})


def _authenticated(state: State, request: Received) -> AmClient:
    form = request.form
    client_id, secret = request.basic or (form.get("client_id", ""), form.get("client_secret", ""))
    client = state.clients.get(client_id)
    good = client is not None and hmac.compare_digest(client.secret.encode(), secret.encode())
    if client is None or not good or client.groups[CORE]["status"] != "Active":
        raise Refused(Answer.error(401, "invalid_client", "Client authentication failed", challenge='Basic realm="/"'))
    return client
