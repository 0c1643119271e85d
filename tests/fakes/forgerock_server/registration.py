"""Dynamic registration of AM 7, with its management by a token for each client."""

import secrets
from typing import Any

from tests.fakes.forgerock_server.state import ADVANCED, CORE, AmClient, State, new_id
from tests.fakes.messages import Answer, Received, Refused

_MEMBERS = {
    "scopes": (CORE, "scopes"),
    "default_scopes": (CORE, "defaultScopes"),
    "redirect_uris": (CORE, "redirectionUris"),
    "client_type": (CORE, "clientType"),
    "grant_types": (ADVANCED, "grantTypes"),
    "response_types": (ADVANCED, "responseTypes"),
    "token_endpoint_auth_method": (ADVANCED, "tokenEndpointAuthMethod"),
    "client_description": (ADVANCED, "descriptions"),
}


def register(state: State, request: Received) -> Answer:
    """POST: only with a token that has the scope ``dynamic_client_registration``."""
    token = state.live(request.bearer)
    if token is None or "dynamic_client_registration" not in token.scopes:
        raise Refused(Answer.error(401, "access_denied", "The access token is not good for registering"))
    body = request.json if isinstance(request.json, dict) else {}
    client = AmClient(client_id=new_id(), secret=secrets.token_urlsafe(24))
    client.registration_access_token = secrets.token_urlsafe(24)
    _apply(client, body)
    state.add(client)
    return Answer.of(_shown(state, client), status=201)


def read(state: State, request: Received) -> Answer:
    """GET."""
    return Answer.of(_shown(state, _owned(state, request)))


def change(state: State, request: Received) -> Answer:
    """PUT: a full replacement."""
    client = _owned(state, request)
    if not isinstance(request.json, dict):
        raise Refused(Answer.error(400, "invalid_client_metadata", "no JSON"))
    fresh = AmClient(client_id=client.client_id, secret=client.secret)
    fresh.registration_access_token = client.registration_access_token
    _apply(fresh, request.json)
    state.add(fresh)
    return Answer.of(_shown(state, fresh))


def delete(state: State, request: Received) -> Answer:
    """DELETE."""
    client = _owned(state, request)
    del state.clients[client.client_id]
    return Answer(status=204)


def _owned(state: State, request: Received) -> AmClient:
    client = state.clients.get(request.parameters.get("client_id", ""))
    if client is None:
        raise Refused(Answer.error(404, "not_found", "no such client"))
    if not client.registration_access_token or request.bearer != client.registration_access_token:
        raise Refused(Answer.error(401, "invalid_token", "not this client's token"))
    return client


def _apply(client: AmClient, body: dict[str, Any]) -> None:
    for name, (group, key) in _MEMBERS.items():
        if name in body:
            client.groups[group][key] = body[name]
    if "client_name" in body:
        client.groups[ADVANCED]["name"] = [body["client_name"]]


def _shown(state: State, client: AmClient) -> dict[str, Any]:
    members = {name: client.groups[group][key] for name, (group, key) in _MEMBERS.items()}
    return {
        **members,
        "client_id": client.client_id,
        "client_secret": client.secret,
        "client_secret_expires_at": 0,
        "client_name": next(iter(client.groups[ADVANCED]["name"]), ""),
        "registration_access_token": client.registration_access_token,
        "registration_client_uri": f"{state.issuer}/register?client_id={client.client_id}",
    }
