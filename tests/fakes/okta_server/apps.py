"""``/api/v1/apps`` of the fake: applications, their lifecycle, their secrets."""

from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.okta_server.errors import invalid, missing, refuse
from tests.fakes.okta_server.state import App, Secret, State, stamp
from tests.fakes.vendor_server import random_id

_READ_ONLY = ("id", "status", "created", "lastUpdated", "_links", "features", "orn")


def create(state: State, request: Received) -> Answer:
    """POST: the caller may choose the client id. 200, not 201."""
    body = _checked(request.json)
    oauth_credentials = dict(body["credentials"].get("oauthClient", {}))
    app_id = f"0oa{random_id(17)}"
    client_id = str(oauth_credentials.pop("client_id", app_id))
    chosen = str(oauth_credentials.pop("client_secret", ""))
    if not 6 <= len(client_id) <= 100:
        raise invalid("client_id", "client_id: The length must be between 6 and 100 characters.")
    if any(client_id in (app.id, app.client_id) for app in state.apps.values()):
        raise invalid("client_id", f"client_id: The value '{client_id}' is already in use.")
    app = App(
        id=app_id,
        client_id=client_id,
        label=body["label"],
        created=state.clock(),
        oauth=_settings(state, body, None),
        credentials=oauth_credentials,
        rest=_rest(body),
    )
    app.oauth.setdefault("consent_method", "TRUSTED")
    if chosen:
        state.add_secret(app, chosen)
    state.add_app(app)
    if request.parameters.get("activate") == "false":
        app.status = "INACTIVE"
    return Answer.of(shown(app, with_secret=True))


def read(state: State, _: Received, app_id: str) -> Answer:
    """GET: never with the secret."""
    return Answer.of(shown(state.app(app_id)))


def update(state: State, request: Received, app_id: str) -> Answer:
    """PUT: a full replacement; the client id is immutable and the secret stays when it is left out."""
    app, body = state.app(app_id), _checked(request.json)
    oauth_credentials = dict(body["credentials"].get("oauthClient", {}))
    if oauth_credentials.pop("client_id", app.client_id) != app.client_id:
        raise invalid("client_id", "client_id: The value cannot be changed.")
    oauth_credentials.pop("client_secret", None)
    app.oauth = _settings(state, body, app)
    app.label, app.credentials, app.rest = body["label"], oauth_credentials, _rest(body)
    return Answer.of(shown(app, with_secret=True))


def delete(state: State, _: Received, app_id: str) -> Answer:
    """DELETE: only an inactive application."""
    app = state.app(app_id)
    if app.status == "ACTIVE":
        raise refuse(403, "E0000056")
    del state.apps[app.id]
    return Answer(status=204)


def set_status(status: str) -> Any:
    """A handler for ``lifecycle/activate`` and ``lifecycle/deactivate``."""

    def handler(state: State, _: Received, app_id: str) -> Answer:
        state.app(app_id).status = status
        return Answer.of({})

    return handler


def matching(state: State, request: Received) -> list[dict[str, Any]]:
    """The applications of a listing: ``q`` is a prefix of the label, ``filter`` knows few members."""
    asked = request.parameters
    wanted = asked.get("filter", "")
    if wanted not in ("", 'name eq "oidc_client"', 'status eq "ACTIVE"'):
        raise invalid("filter", "filter: Invalid search criteria.")
    found = [app for app in state.apps.values() if app.label.lower().startswith(asked.get("q", "").lower())]
    everything = asked.get("includeNonDeleted") == "true" and wanted != 'status eq "ACTIVE"'
    return [shown(app) for app in found if everything or app.status == "ACTIVE"]


def shown(app: App, *, with_secret: bool = False) -> dict[str, Any]:
    """The application in the Apps API."""
    oauth_credentials = {**app.credentials, "client_id": app.client_id}
    if with_secret and app.good_secrets:
        oauth_credentials["client_secret"] = app.good_secrets[0]
    return {
        **app.rest,
        "id": app.id,
        "name": "oidc_client",
        "label": app.label,
        "status": app.status,
        "signOnMode": "OPENID_CONNECT",
        "created": stamp(app.created),
        "lastUpdated": stamp(app.created),
        "credentials": {**app.rest.get("credentials", {}), "oauthClient": oauth_credentials},
        "settings": {**app.rest.get("settings", {}), "oauthClient": dict(app.oauth)},
    }


# secrets


def add_secret(state: State, request: Received, app_id: str) -> Answer:
    """POST: 201, at most two."""
    app, body = state.app(app_id), request.json
    if not isinstance(body, dict):
        raise refuse(400, "E0000003")
    value = str(body.get("client_secret") or random_id(64))
    return Answer.of(_shown_secret(state.add_secret(app, value, body.get("status", "ACTIVE"))), status=201)


def list_secrets(state: State, _: Received, app_id: str) -> Answer:
    """GET."""
    return Answer.of([_shown_secret(secret) for secret in state.app(app_id).secrets])


def deactivate_secret(state: State, _: Received, app_id: str, secret_id: str) -> Answer:
    """POST: refused for the only active one."""
    app = state.app(app_id)
    secret = _secret(app, secret_id)
    if app.good_secrets == [secret.value]:
        raise invalid("client_secret", "You can't deactivate the only active secret of a client.")
    secret.status = "INACTIVE"
    return Answer.of(_shown_secret(secret))


def delete_secret(state: State, _: Received, app_id: str, secret_id: str) -> Answer:
    """DELETE: only an inactive one."""
    app = state.app(app_id)
    secret = _secret(app, secret_id)
    if secret.status == "ACTIVE":
        raise invalid("client_secret", "You can only delete an inactive secret.")
    app.secrets.remove(secret)
    return Answer(status=204)


def _secret(app: App, secret_id: str) -> Secret:
    for secret in app.secrets:
        if secret.id == secret_id:
            return secret
    raise missing(secret_id, "OAuth2ClientSecret")


def _shown_secret(secret: Secret) -> dict[str, Any]:
    return {
        "id": secret.id,
        "client_secret": secret.value,
        "secret_hash": f"hash-{secret.id}",
        "status": secret.status,
        "created": stamp(secret.created),
        "lastUpdated": stamp(secret.created),
    }


def _checked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise refuse(400, "E0000003")
    if body.get("name") != "oidc_client" or body.get("signOnMode") != "OPENID_CONNECT":
        raise invalid("name", "name: Only oidc_client is an OAuth client")
    if not isinstance(body.get("credentials"), dict) or not isinstance(body.get("settings"), dict):
        raise invalid("settings", "settings and credentials are required")
    return body


def _settings(state: State, body: dict[str, Any], app: App | None) -> dict[str, Any]:
    oauth = dict(body["settings"].get("oauthClient", {}))
    try:
        state.check_client(str(body.get("label", "")), oauth, app)
    except ValueError as exc:
        raise invalid(str(exc).partition(":")[0], str(exc)) from exc
    return oauth


def _rest(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _READ_ONLY}
