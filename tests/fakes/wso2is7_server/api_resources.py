"""``/api-resources`` of the fake."""

import base64
import urllib.parse
from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.wso2is7_server.state import ApiResource, State, refuse


def create(state: State, request: Received) -> Answer:
    """POST: 201 and Location; 409 for a taken identifier."""
    body = _body(request)
    if not body.get("identifier") or not body.get("name"):
        raise refuse(400, "API-RESOURCE-60001", "identifier and name are required")
    if any(resource.identifier == body["identifier"] for resource in state.resources.values()):
        raise refuse(409, "API-RESOURCE-60002", "The identifier is taken")
    taken = {name for other in state.resources.values() for name in other.scopes}
    if taken & {scope["name"] for scope in body.get("scopes", [])}:
        raise refuse(409, "API-RESOURCE-60009", "Scope already exists.")
    made = state.add_resource(body["identifier"], body["name"], body.get("scopes", []))
    return Answer.of(_shown(made), status=201, headers=(("Location", _self(made)),))


def listing(state: State, request: Received) -> Answer:
    """GET: without scopes, and a cursor for the next page."""
    asked = request.parameters
    found = list(state.resources.values())
    if "filter" in asked:
        attribute, operator, value = (*asked["filter"].split(" ", 2), "", "")[:3]
        if attribute != "identifier" or operator not in ("eq", "sw"):
            raise refuse(400, "API-RESOURCE-60003", "Unsupported filter")
        found = [
            resource
            for resource in found
            if resource.identifier == value or (operator == "sw" and resource.identifier.startswith(value))
        ]
    start = int(base64.b64decode(asked["after"])) if "after" in asked else 0
    end = start + min(int(asked.get("limit", 10)), state.page)
    links = []
    if end < len(found):
        query = {"after": base64.b64encode(str(end).encode()).decode(), "filter": asked.get("filter", "")}
        links = [{"rel": "next", "href": f"/api/server/v1/api-resources?{urllib.parse.urlencode(query)}"}]
    entries = [_head(resource) for resource in found[start:end]]
    return Answer.of({"totalResults": len(found), "links": links, "APIResources": entries})


def read(state: State, _: Received, resource_id: str) -> Answer:
    """GET."""
    return Answer.of(_shown(_resource(state, resource_id)))


def change(state: State, request: Received, resource_id: str) -> Answer:
    """PATCH: 204; ``removedScopes`` is not heeded."""
    resource, body = _resource(state, resource_id), _body(request)
    state.add_scopes(resource, body.get("addedScopes", []))
    resource.name = body.get("name", resource.name)
    return Answer(status=204)


def delete(state: State, _: Received, resource_id: str) -> Answer:
    """DELETE: 204 also for one that is not there."""
    state.resources.pop(resource_id, None)
    for app in state.apps.values():
        app.authorised.pop(resource_id, None)
    return Answer(status=204)


def change_scope(state: State, request: Received, resource_id: str, name: str) -> Answer:
    """PATCH: display name and description only."""
    resource, key = _resource(state, resource_id), urllib.parse.unquote(name)
    if key not in resource.scopes:
        raise refuse(404, "API-RESOURCE-60008", "There is no such scope")
    resource.scopes[key].update(_body(request))
    return Answer(status=204)


def delete_scope(state: State, _: Received, resource_id: str, name: str) -> Answer:
    """DELETE: 204; nobody is authorised for it any more."""
    key = urllib.parse.unquote(name)
    _resource(state, resource_id).scopes.pop(key, None)
    for app in state.apps.values():
        app.authorised.get(resource_id, set()).discard(key)
    return Answer(status=204)


def _head(resource: ApiResource) -> dict[str, Any]:
    return {"id": resource.id, "name": resource.name, "identifier": resource.identifier, "self": _self(resource)}


def _shown(resource: ApiResource) -> dict[str, Any]:
    return {**_head(resource), "requiresAuthorization": True, "scopes": list(resource.scopes.values())}


def _self(resource: ApiResource) -> str:
    return f"/api/server/v1/api-resources/{resource.id}"


def _body(request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise refuse(400, "API-RESOURCE-60001", "The body is not a JSON object")
    return dict(request.json)


def _resource(state: State, resource_id: str) -> ApiResource:
    if resource_id not in state.resources:
        raise refuse(404, "API-RESOURCE-60004", "There is no such API resource")
    return state.resources[resource_id]
