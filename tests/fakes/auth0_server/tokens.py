"""The fake tenant's token and revocation endpoints."""

import base64
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.auth0_server.errors import denied
from tests.fakes.auth0_server.state import Client, State
from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_server import random_id

Sign = Callable[[Mapping[str, Any]], str]
LIFETIME = 86400


def token(state: State, request: Received, issuer: str, sign: Sign) -> Answer:
    """POST: form or JSON. Without an audience a token is opaque and nobody can check it."""
    asked = parameters(request)
    client = authenticate(state, request, asked)
    grant = asked.get("grant_type", "")
    if grant not in client.members.get("grant_types", []):
        raise denied(403, "unauthorized_client", f"Grant type '{grant}' not allowed for the client.")
    if grant == "refresh_token":
        raise denied(403, "invalid_grant", "Unknown or invalid refresh token.")
    if grant != "client_credentials":
        raise denied(403, "invalid_grant", "Invalid authorization code")
    audience = asked.get("audience", "")
    if not audience:
        return Answer.of({"access_token": random_id(32), "expires_in": LIFETIME, "token_type": "Bearer"})
    scopes = _granted(state, client, audience, asked.get("scope", "").split())
    server = state.server(audience) or {}
    lifetime = int(server.get("token_lifetime", LIFETIME))
    value = sign(claims(state, issuer, client_id=client.client_id, audience=audience, scopes=scopes, seconds=lifetime))
    scope = {"scope": " ".join(scopes)} if scopes else {}
    return Answer.of({"access_token": value, **scope, "expires_in": lifetime, "token_type": "Bearer"})


def claims(
    state: State, issuer: str, *, client_id: str, audience: str, scopes: list[str], seconds: float, **more: Any
) -> dict[str, Any]:
    """Of an access token."""
    now = int(state.clock())
    return {
        "iss": issuer,
        "sub": f"{client_id}@clients",
        "aud": audience,
        "iat": now,
        "exp": int(now + seconds),
        "scope": " ".join(scopes) or None,
        "gty": "client-credentials",
        "azp": client_id,
        **more,
    }


def revoke(state: State, request: Received) -> Answer:
    """POST: refresh tokens only; an access token lives on, and the answer is 200 all the same."""
    asked = request.form
    if not asked.get("client_id") or not asked.get("token"):
        raise denied(400, "invalid_request", "client_id and token are required")
    authenticate(state, request, asked, any_method=True)
    return Answer(status=200, body=b"OK", content_type="text/plain")


def parameters(request: Received) -> dict[str, str]:
    """Of a form or of JSON, in which an SDK sends null for what it does not use."""
    if isinstance(request.json, dict):
        return {name: str(value) for name, value in request.json.items() if value is not None}
    return request.form


def authenticate(state: State, request: Received, asked: Mapping[str, str], *, any_method: bool = False) -> Client:
    """401 access_denied, not invalid_client, for an unknown client and for a wrong secret alike."""
    if request.basic is not None:
        (client_id, secret), method = request.basic, "client_secret_basic"
    else:
        client_id, secret = asked.get("client_id", ""), asked.get("client_secret", "")
        method = "client_secret_post" if secret else "none"
    client = state.clients.get(client_id)
    unknown = denied(401, "access_denied", "Unauthorized")
    if client is None or (method != client.auth_method and not any_method):
        raise unknown
    if client.auth_method != "none":
        good = hmac.compare_digest(client.secret.encode(), secret.encode())
        if not good or state.clock() < client.secret_good_from:
            raise unknown
    return client


def basic_as_form(request: Received) -> bytes:
    """The form with what came by Basic in it: the description knows credentials in the form only."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.body
    client_id, _, secret = base64.b64decode(value).decode().partition(":")
    return request.body + f"&client_id={client_id}&client_secret={secret}".encode()


def _granted(state: State, client: Client, audience: str, asked: list[str]) -> list[str]:
    if state.server(audience) is None:
        raise denied(403, "access_denied", f"Service not found: {audience}")
    grant = state.grant(client.client_id, audience)
    if grant is None:
        words = f'Client is not authorized to access "{audience}". You need to create a "client-grant".'
        raise denied(403, "access_denied", words)
    missing = [key for key in asked if key not in grant["scope"]]
    if missing:
        raise denied(403, "access_denied", f"Client has not been granted scopes: {', '.join(missing)}")
    return asked or list(grant["scope"])
