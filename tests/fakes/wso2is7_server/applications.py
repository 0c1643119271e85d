"""``/applications`` of the fake: listing, switching off, secrets, authorised APIs."""

from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.wso2is7_server.state import App, Secret, State, refuse

_POLICIES = ("RBAC", "No Policy")


def listing(state: State, request: Received) -> Answer:
    """GET: ``filter`` knows name, clientId and issuer; the client id is shown only where it is asked for."""
    asked = request.parameters
    found = list(state.apps.values())
    if "filter" in asked:
        attribute, operator, value = (*asked["filter"].split(" ", 2), "", "")[:3]
        if attribute not in ("name", "clientId") or operator not in ("eq", "sw"):
            raise refuse(400, "APP-60004", "Unsupported filter")
        shown = {app.id: app.name if attribute == "name" else app.client_id for app in found}
        found = [
            app for app in found if shown[app.id] == value or (operator == "sw" and shown[app.id].startswith(value))
        ]
    offset, limit = int(asked.get("offset", 0)), min(int(asked.get("limit", 30)), state.page)
    with_id = "clientId" in asked.get("attributes", "").split(",")
    entries = [
        {"id": app.id, "name": app.name, "self": f"/x/{app.id}", **({"clientId": app.client_id} if with_id else {})}
        for app in found[offset : offset + limit]
    ]
    body = {"totalResults": len(found), "startIndex": offset + 1, "count": len(entries), "applications": entries}
    return Answer.of({**body, "links": []})


def change(state: State, request: Received, app_id: str) -> Answer:
    """PATCH."""
    app = _app(state, app_id)
    app.enabled = bool(_body(request).get("applicationEnabled", app.enabled))
    return Answer(status=200)


# secrets


def regenerate(state: State, _: Received, app_id: str) -> Answer:
    """POST: 200; every token and every other secret ends."""
    app = _app(state, app_id)
    app.secrets.clear()
    state.new_secret(app)
    state.end_tokens(app)
    return Answer.of(
        {
            "clientId": app.client_id,
            "clientSecret": app.secret,
            "grantTypes": app.members.get("grant_types", ["client_credentials"]),
            "multipleClientSecretsConfigured": state.multiple_secrets,
        }
    )


def add_secret(state: State, request: Received, app_id: str) -> Answer:
    """POST: 201; secrets and tokens stay."""
    app, body = _app(state, app_id), _body(request)
    if not state.multiple_secrets:
        raise refuse(400, "APP-60010", "Multiple client secrets are not enabled")
    secret = state.new_secret(app)
    return Answer.of({**_metadata(app, secret, body.get("expiresAt", 0)), "secretValue": secret.value}, status=201)


def list_secrets(state: State, _: Received, app_id: str) -> Answer:
    """GET: without values."""
    app = _app(state, app_id)
    entries = [_metadata(app, secret, 0) for secret in app.secrets]
    return Answer.of({"count": len(entries), "list": entries})


def drop(state: State, _: Received, app_id: str, secret_id: str) -> Answer:
    """DELETE: 204; 409 for the newest."""
    app = _app(state, app_id)
    if app.secrets[-1].id == secret_id:
        raise refuse(409, "APP-60011", "The newest secret cannot be deleted")
    if secret_id not in {secret.id for secret in app.secrets}:
        raise refuse(404, "APP-60012", "There is no such secret")
    app.secrets = [secret for secret in app.secrets if secret.id != secret_id]
    return Answer(status=204)


# authorised APIs


def authorised(state: State, _: Received, app_id: str) -> Answer:
    """GET."""
    app = _app(state, app_id)
    entries = []
    for api_id, scopes in app.authorised.items():
        resource = state.resources[api_id]
        shown = [{"id": resource.scopes[key]["id"], "name": key, "displayName": key} for key in sorted(scopes)]
        entry = {"id": api_id, "identifier": resource.identifier, "displayName": resource.name, "policyId": "RBAC"}
        entries.append({**entry, "authorizedScopes": shown})
    return Answer.of(entries)


def authorise(state: State, request: Received, app_id: str) -> Answer:
    """POST: 201 without a body."""
    app, body = _app(state, app_id), _body(request)
    if body.get("policyIdentifier") not in _POLICIES or body.get("id") in app.authorised:
        raise refuse(400, "APP-60020", "Unknown policy, or the API is authorised already")
    _check_scopes(state, str(body.get("id", "")), body.get("scopes", []))
    app.authorised[body["id"]] = set(body["scopes"])
    return Answer(status=201)


def adjust(state: State, request: Received, app_id: str, api_id: str) -> Answer:
    """PATCH."""
    app, body = _app(state, app_id), _body(request)
    if api_id not in app.authorised:
        raise refuse(404, "APP-60021", "The API is not authorised")
    _check_scopes(state, api_id, body.get("addedScopes", []))
    held = app.authorised[api_id]
    app.authorised[api_id] = (held | set(body.get("addedScopes", []))) - set(body.get("removedScopes", []))
    return Answer(status=200)


def forbid(state: State, _: Received, app_id: str, api_id: str) -> Answer:
    """DELETE."""
    _app(state, app_id).authorised.pop(api_id, None)
    return Answer(status=204)


def _check_scopes(state: State, api_id: str, scopes: list[str]) -> None:
    if api_id not in state.resources:
        raise refuse(404, "APP-60022", "There is no such API resource")
    if set(scopes) - state.resources[api_id].scopes.keys():
        raise refuse(400, "APP-60023", "The API resource has no such scope")


def _metadata(app: App, secret: Secret, expires_at: int) -> dict[str, Any]:
    return {
        "secretId": secret.id,
        "createdAt": secret.created_at,
        "expiresAt": expires_at,
        "status": "ACTIVE",
        "latest": secret is app.secrets[-1],
    }


def _body(request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise refuse(400, "APP-60001", "The body is not a JSON object")
    return dict(request.json)


def _app(state: State, app_id: str) -> App:
    if app_id not in state.apps:
        raise refuse(404, "APP-60006", "There is no such application")
    return state.apps[app_id]
