"""Dynamic registration 1.1 of the fake: its statuses are those of the code, not of the description."""

import re
import uuid
from typing import Any, Final

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_server import random_id
from tests.fakes.wso2is7_server.state import App, State

_NAME: Final = re.compile(r"[a-zA-Z0-9._-]+(?: [a-zA-Z0-9._-]+)*")
_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9_]{15,30}")
_GRANTS: Final = frozenset({"client_credentials", "authorization_code", "refresh_token", "password"})
_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"})
_LIFETIMES: Final = tuple(f"ext_{kind}_token_lifetime" for kind in ("application", "user", "refresh", "id"))
_MEMBERS: Final = frozenset(
    {
        *("client_name", "redirect_uris", "grant_types", "token_endpoint_auth_method"),
        *("ext_application_display_name", "ext_public_client", "ext_token_type", "ext_allowed_audience"),
        "token_type_extension",
        *("ext_pkce_mandatory", "ext_pkce_support_plain", "backchannel_logout_uri", *_LIFETIMES),
    }
)


def create(state: State, request: Received) -> Answer:
    """POST: 201; a taken name or id is 400 and only the text says so."""
    body = _checked(request, _MEMBERS | {"ext_param_client_id", "ext_param_client_secret"})
    if not body.get("client_name") or "redirect_uris" not in body:
        raise _invalid("client_name and redirect_uris are required")
    client_id = body.pop("ext_param_client_id", random_id(28))
    if not _CLIENT_ID.fullmatch(client_id):
        raise _invalid("The client_id given does not match [a-zA-Z0-9_]{15,30}")
    name = body.pop("client_name")
    if any(app.name == name for app in state.apps.values()):
        raise _invalid(f"Application with the name {name} already exist in the system")
    if state.client(client_id) is not None:
        raise _invalid(f"Client id {client_id} already exist in the system")
    app = state.add_app(name, client_id, **body)
    return Answer.of(_shown(state, app, with_secret=True), status=201)


def read(state: State, _: Received, client_id: str) -> Answer:
    """GET."""
    return Answer.of(_shown(state, _client(state, client_id)))


def change(state: State, request: Received, client_id: str) -> Answer:
    """PUT: the name, and what is sent."""
    app, body = _client(state, client_id), _checked(request, _MEMBERS)
    name = body.pop("client_name", app.name)
    if any(other.name == name and other is not app for other in state.apps.values()):
        raise _invalid(f"Application with the name {name} already exist in the system")
    # Empty lists change nothing, and the display name is kept from the first time on.
    kept = {key for key in ("grant_types", "redirect_uris") if not body.get(key)} | {"ext_application_display_name"}
    app.name, app.members = name, {**app.members, **{key: body[key] for key in body.keys() - kept}}
    return Answer.of(_shown(state, app))


def delete(state: State, _: Received, client_id: str) -> Answer:
    """DELETE: the application and all tokens go too."""
    app = _client(state, client_id)
    state.end_tokens(app)
    del state.apps[app.id]
    return Answer(status=204)


def _client(state: State, client_id: str) -> App:
    """401 with an empty body for a client that is not there, 403 for one of somebody else."""
    app = state.client(client_id)
    if app is None:
        raise Refused(Answer(status=401))
    if app.owner != "portal":
        raise Refused(Answer(status=403))
    return app


def _shown(state: State, app: App, *, with_secret: bool = False) -> dict[str, Any]:
    uris = app.members.get("redirect_uris", [])
    callback = f"regexp=({'|'.join(uris)})" if len(uris) > 1 else "".join(uris)
    secret = (
        {}
        if state.hashes_secrets and not with_secret
        else {"client_secret": app.secrets[0 if state.shows_oldest else -1].value}
    )
    method = app.members.get("token_endpoint_auth_method")
    return {
        "client_id": app.client_id,
        "client_name": app.name,
        "redirect_uris": [callback],
        "grant_types": app.members.get("grant_types", []),
        **({"token_endpoint_auth_method": method} if method else {}),
        **secret,
    }


def _checked(request: Received, allowed: frozenset[str]) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise _invalid("The body is not a JSON object")
    unknown = sorted(body.keys() - allowed)
    if unknown:
        raise _invalid(f"Unknown members: {', '.join(unknown)}")
    if not _NAME.fullmatch(body.get("client_name", "x")):
        raise _invalid(f"Client name {body['client_name']} does not match the pattern")
    grants = set(body.get("grant_types", []))
    if grants - _GRANTS:
        raise _invalid("Unknown grant type")
    if "authorization_code" in grants and not body.get("redirect_uris"):
        raise _invalid("RedirectUris property must have at least one URI value.")
    if body.get("token_endpoint_auth_method", "client_secret_basic") not in _METHODS:
        raise _invalid("Invalid token endpoint authentication method requested.")
    return dict(body)


def _invalid(description: str) -> Refused:
    body = {"error": "invalid_client_metadata", "error_description": description, "traceId": str(uuid.uuid4())}
    return Refused(Answer.of(body, status=400))
