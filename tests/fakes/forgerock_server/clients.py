"""The realm's administration of clients: grouped members, a PUT that replaces everything or makes a client."""

import copy
from typing import Any

from tests.fakes.forgerock_server.state import ADVANCED, CORE, DEFAULTS, AmClient, State
from tests.fakes.messages import Answer, Received, Refused


def create_or_template(state: State, request: Received) -> Answer:
    """POST with ``_action``."""
    action = request.parameters.get("_action")
    if action == "template":
        return Answer.of(copy.deepcopy(DEFAULTS))
    body = _body(request)
    client_id = str(body.get("_id") or "")
    if action != "create" or not client_id:
        raise Refused(failure(400, "Bad Request", "Invalid action"))
    if client_id in state.clients:
        raise Refused(failure(409, "Conflict", "Resource already exists"))
    return _stored(state, client_id, body, status=201)


def listing(state: State, request: Received) -> Answer:
    """GET: all of them; any other filter is not served."""
    if request.parameters.get("_queryFilter") != "true":
        raise Refused(failure(501, "Not Implemented", "Query not supported"))
    found = [_shown(client) for client in state.clients.values()]
    return Answer.of({"result": found, "resultCount": len(found), "pagedResultsCookie": None})


def read(state: State, request: Received, client_id: str) -> Answer:
    """GET: without the secret."""
    return Answer.of(_shown(_client(state, client_id)))


def put(state: State, request: Received, client_id: str) -> Answer:
    """PUT: what is left out goes back to its default; a client that is not there is made."""
    return _stored(state, client_id, _body(request), status=200 if client_id in state.clients else 201)


def delete(state: State, request: Received, client_id: str) -> Answer:
    """DELETE: 200 with the client, then 404."""
    client = _client(state, client_id)
    del state.clients[client_id]
    return Answer.of(_shown(client))


def failure(status: int, reason: str, message: str) -> Answer:
    """An error of ``/json``."""
    return Answer.of({"code": status, "reason": reason, "message": message}, status=status)


def _client(state: State, client_id: str) -> AmClient:
    client = state.clients.get(client_id)
    if client is None:
        raise Refused(failure(404, "Not Found", "Not Found"))
    return client


def _body(request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise Refused(failure(400, "Bad Request", "The request could not be processed because it is not JSON"))
    return request.json


def _stored(state: State, client_id: str, body: dict[str, Any], *, status: int) -> Answer:
    before = state.clients.get(client_id)
    groups = copy.deepcopy(DEFAULTS)
    secret = before.secret if before else ""
    for group in (CORE, ADVANCED):
        for name, sent in (body.get(group) or {}).items():
            value = sent.get("value") if isinstance(sent, dict) else sent
            if name == "userpassword":
                secret = str(value) if value else secret
            elif name not in groups[group]:
                raise Refused(failure(400, "Bad Request", f"Invalid attribute specified: {name}"))
            else:
                groups[group][name] = value
    client = AmClient(client_id=client_id, secret=secret, groups=groups)
    state.add(client)
    return Answer.of(_shown(client), status=status)


def _shown(client: AmClient) -> dict[str, Any]:
    groups: dict[str, dict[str, Any]] = {
        group: {name: {"inherited": False, "value": value} for name, value in members.items()}
        for group, members in client.groups.items()
    }
    groups[CORE]["userpassword"] = None
    return {"_id": client.client_id, "_rev": "1", **groups, "_type": {"_id": "OAuth2Client", "collection": True}}
