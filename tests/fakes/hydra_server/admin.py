"""The administration port: clients, secrets, tokens, introspection. It authenticates nobody."""

import secrets
import uuid
from typing import Any
from urllib.parse import urlencode

from tests.fakes.hydra_server.state import DEFAULTS, HydraClient, HydraState, new_secret
from tests.fakes.messages import Answer, Received, Refused

_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
_SECRET_METHODS = _METHODS[:2]
_MOST_PER_PAGE = 500
_NOT_STORED = ("client_secret", "registration_access_token", "registration_client_uri", "updated_at")


def create(state: HydraState, request: Received) -> Answer:
    """POST: the id and the secret may be chosen."""
    body = _body(state, request)
    client_id = str(body.get("client_id") or uuid.uuid4())
    if client_id in state.clients:
        raise Refused(
            failure(
                state,
                409,
                "Unable to insert or update resource because a resource with that value exists already",
            )
        )
    document = document_of(state, body, client_id)
    client = HydraClient(client_id=client_id, document=document, registration_access_token=secrets.token_urlsafe(32))
    if document["token_endpoint_auth_method"] in _SECRET_METHODS:
        client.secret = _chosen_secret(state, body) or new_secret()
    state.clients[client_id] = client
    management = {
        "registration_access_token": client.registration_access_token,
        "registration_client_uri": f"{state.issuer}/oauth2/register/{client_id}",
    }
    return Answer.of({**client.shown(secret=True), **management}, status=201)


def show(state: HydraState, request: Received, client_id: str) -> Answer:
    """GET: without the secret."""
    return Answer.of(_client(state, client_id).shown())


def replace(state: HydraState, request: Received, client_id: str) -> Answer:
    """PUT: a full replacement. What is left out is reset; a secret clears all rotated ones."""
    client = _client(state, client_id)
    body = _body(state, request)
    client.document = document_of(state, body, client_id)
    client.registration_access_token = ""
    secret = _chosen_secret(state, body)
    if secret:
        client.secret, client.rotated = secret, []
    return Answer.of(client.shown(secret=bool(secret)))


def delete(state: HydraState, request: Received, client_id: str) -> Answer:
    """DELETE: 204, then 404."""
    _client(state, client_id)
    state.remove(client_id)
    return Answer(status=204)


def page(state: HydraState, request: Received) -> Answer:
    """GET of the collection: keyset paging by id, the next page in the Link header only, exact filters."""
    asked = request.parameters
    found = sorted(
        name
        for name, client in state.clients.items()
        if all(client.document[key] == asked[key] for key in ("client_name", "owner") if key in asked)
    )
    size = min(int(asked.get("page_size", 100)), _MOST_PER_PAGE)
    later = [name for name in found if name > asked.get("page_token", "")]
    shown = later[:size]
    kept = {key: value for key, value in asked.items() if key != "page_token"}
    links = [f'</admin/clients?{urlencode({**kept, "page_token": ""})}>; rel="first"']
    if len(later) > size:
        links.append(f'</admin/clients?{urlencode({**kept, "page_token": shown[-1]})}>; rel="next"')
    return Answer.of([state.clients[name].shown() for name in shown], headers=(("Link", ",".join(links)),))


def rotate(state: HydraState, request: Received, client_id: str) -> Answer:
    """POST: a second secret; the old ones stay valid and do not expire."""
    client = _client(state, client_id)
    if client.document["token_endpoint_auth_method"] not in _SECRET_METHODS:
        raise Refused(failure(state, 400, "The OAuth 2.0 Client does not use a secret"))
    client.rotate()
    return Answer.of(client.shown(secret=True))


def drop_rotated(state: HydraState, request: Received, client_id: str) -> Answer:
    """DELETE: the old secrets end."""
    _client(state, client_id).rotated = []
    return Answer(status=204)


def delete_tokens(state: HydraState, request: Received) -> Answer:
    """DELETE: access tokens of a client; refresh tokens stay."""
    client_id = request.parameters.get("client_id", "")
    if not client_id:
        raise Refused(failure(state, 400, "Query parameter 'client_id' is not defined but it should have been."))
    state.end(client_id=client_id, use="access_token")
    return Answer(status=204)


def introspect(state: HydraState, request: Received) -> Answer:
    """POST: refresh tokens are active too; an ungranted ``scope`` makes it inactive."""
    value = request.form.get("token", "")
    if not value:
        raise Refused(failure(state, 400, "The POST body can not be empty."))
    token = state.live(value)
    wanted = request.form.get("scope", "").split()
    if token is None or not set(wanted) <= set(token.scopes):
        return Answer.of({"active": False})
    return Answer.of(
        {
            "active": True,
            "scope": " ".join(token.scopes),
            "client_id": token.client_id,
            "sub": token.subject,
            "exp": int(token.expires_at),
            "iat": int(token.issued_at),
            "nbf": int(token.issued_at),
            "aud": token.audience,
            "iss": state.issuer,
            "token_type": "Bearer",
            "token_use": token.use,
            "ext": {},
        }
    )


def document_of(state: HydraState, body: dict[str, Any], client_id: str) -> dict[str, Any]:
    """The row that a body makes: unknown members are dropped, those left out take their defaults."""
    method = body.get("token_endpoint_auth_method") or "client_secret_basic"
    if method not in _METHODS:
        raise Refused(failure(state, 400, "invalid_client_metadata"))
    if not isinstance(body.get("metadata", {}), dict):
        raise Refused(failure(state, 400, "invalid_client_metadata"))
    known = {name: body[name] for name in DEFAULTS if name in body and name not in _NOT_STORED}
    return {
        **DEFAULTS,
        **known,
        "client_id": client_id,
        "token_endpoint_auth_method": method,
        "client_secret_expires_at": 0,
        "created_at": body.get("created_at") or state.stamp(),
        "updated_at": state.stamp(),
    }


def failure(state: HydraState, status: int, words: str) -> Answer:
    """An error of the administration port."""
    if state.habits.errors == "herodot":
        return Answer.of({"error": {"code": status, "status": "refused", "message": words}}, status=status)
    return Answer.of({"error": words, "error_description": ""}, status=status)


def _client(state: HydraState, client_id: str) -> HydraClient:
    client = state.clients.get(client_id)
    if client is None:
        raise Refused(failure(state, 404, "Unable to locate the resource"))
    return client


def _body(state: HydraState, request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise Refused(failure(state, 400, "The request was malformed or contained invalid parameters"))
    return request.json


def _chosen_secret(state: HydraState, body: dict[str, Any]) -> str:
    secret = str(body.get("client_secret") or "")
    if secret and len(secret) < 6:
        raise Refused(failure(state, 400, "The client secret must be at least 6 characters long."))
    return secret
