"""``/oauth2/v1/clients`` of the fake: the same applications, flat, with errors in the style of RFC 7591."""

from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.okta_server.errors import invalid_metadata
from tests.fakes.okta_server.state import METHODS, App, State
from tests.fakes.vendor_server import random_id

_OWN = ("client_id", "client_secret", "client_name", "token_endpoint_auth_method")
_FORBIDDEN = ("client_id_issued_at", "client_secret_expires_at")
_NEEDED = (
    "client_id",
    "application_type",
    "grant_types",
    "response_types",
    "redirect_uris",
    "token_endpoint_auth_method",
)


def create(state: State, request: Received) -> Answer:
    """POST: 201. Okta chooses id and secret; a name that is taken is refused, a repeat makes a second client."""
    body = _checked(request.json)
    if "client_id" in body or "client_secret" in body:
        raise invalid_metadata("`client_id`: The field cannot be chosen.")
    app_id = f"0oa{random_id(17)}"
    app = App(
        id=app_id,
        client_id=app_id,
        label=str(body.get("client_name", "")),
        created=state.clock(),
        oauth=_settings(state, body, None),
        credentials={"token_endpoint_auth_method": body.get("token_endpoint_auth_method", "client_secret_basic")},
    )
    app.oauth.setdefault("consent_method", "REQUIRED")
    return Answer.of(shown(state.add_app(app), with_secret=True), status=201)


def read(state: State, _: Received, client_id: str) -> Answer:
    """GET: without the secret."""
    return Answer.of(shown(state.app(client_id)))


def update(state: State, request: Received, client_id: str) -> Answer:
    """PUT: every setting or it fails; shows the secret again."""
    app, body = state.app(client_id), _checked(request.json)
    absent = [name for name in _NEEDED if name not in body]
    if absent or any(name in body for name in _FORBIDDEN):
        raise invalid_metadata(f"`{(absent or _FORBIDDEN)[0]}`: The field must be sent, or must not.")
    if body["client_id"] != app.client_id:
        raise invalid_metadata("`client_id`: The field cannot be changed.")
    app.oauth = {**_settings(state, body, app), "consent_method": app.oauth.get("consent_method")}
    app.label = str(body["client_name"])
    app.credentials["token_endpoint_auth_method"] = body["token_endpoint_auth_method"]
    return Answer.of(shown(app, with_secret=True))


def delete(state: State, _: Received, client_id: str) -> Answer:
    """DELETE: at once, active or not."""
    del state.apps[state.app(client_id).id]
    return Answer(status=204)


def new_secret(state: State, _: Received, client_id: str) -> Answer:
    """POST: replaces the secret."""
    app = state.app(client_id)
    if app.auth_method not in METHODS[:2]:
        raise invalid_metadata("`token_endpoint_auth_method`: The client has no secret.")
    app.secrets.clear()
    state.add_secret(app, random_id(64))
    return Answer.of(shown(app, with_secret=True))


def matching(state: State, request: Received) -> list[dict[str, Any]]:
    """The clients of a listing; ``q`` is a prefix of the name."""
    wanted = request.parameters.get("q", "").lower()
    return [shown(app) for app in state.apps.values() if app.label.lower().startswith(wanted)]


def shown(app: App, *, with_secret: bool = False) -> dict[str, Any]:
    """The client in dynamic registration; ``client_uri`` is null when it is not set."""
    flat = {name: value for name, value in app.oauth.items() if name != "consent_method"}
    secret = {"client_secret": app.good_secrets[0]} if with_secret and app.good_secrets else {}
    return {
        "client_uri": None,
        "logo_uri": None,
        **flat,
        **secret,
        "client_id": app.client_id,
        "client_name": app.label,
        "client_id_issued_at": int(app.created),
        "client_secret_expires_at": 0,
        "token_endpoint_auth_method": app.auth_method,
    }


def _checked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid_metadata("The request body was not well-formed.")
    if not body.get("client_name"):
        raise invalid_metadata("`client_name`: The field can't be left blank.")
    return body


def _settings(state: State, body: dict[str, Any], app: App | None) -> dict[str, Any]:
    oauth = {name: value for name, value in body.items() if name not in (*_OWN, *_FORBIDDEN)}
    try:
        state.check_client(str(body.get("client_name", "")), oauth, app)
    except ValueError as exc:
        raise invalid_metadata(str(exc)) from exc
    return oauth
