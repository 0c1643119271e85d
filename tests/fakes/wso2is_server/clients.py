"""``/keymanager-operations/dcr`` of the fake: its statuses are those of the code, not of the description."""

import base64
import binascii
import re
from typing import Any, Final

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_server import random_id
from tests.fakes.wso2is7_server.state import App, State

_NAME: Final = re.compile(r"[a-zA-Z0-9 ._-]*")
_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9_]{15,30}")
_LIFETIMES: Final = tuple(f"ext_{kind}_token_lifetime" for kind in ("application", "user", "refresh", "id"))
_MEMBERS: Final = frozenset(
    {
        *("client_name", "redirect_uris", "grant_types", "token_type_extension", "application_scopes"),
        *("pkceMandatory", "pkceSupportPlain", "bypassClientCredentials", "backchannel_logout_uri", *_LIFETIMES),
        *("application_display_name", "ext_application_owner"),
    }
)


class Clients:
    """The operations on one server's state. ``encoded_ids``: ids in paths are base64url encoded."""

    def __init__(self, state: State, *, encoded_ids: bool) -> None:
        self._state = state
        self._encoded = encoded_ids
        self.descriptions: dict[str, str] = {}

    def create(self, request: Received) -> Answer:
        """POST: 201; a taken name or id is 400 and only the text says so; without an owner it breaks."""
        body = _checked(request, _MEMBERS | {"ext_param_client_id", "ext_param_client_secret"})
        if not body.get("client_name") or "redirect_uris" not in body:
            raise _invalid("client_name and redirect_uris are required")
        if not body.get("ext_application_owner"):
            raise _broken()
        client_id, name = body.pop("ext_param_client_id", random_id(28)), body.pop("client_name")
        if not _CLIENT_ID.fullmatch(client_id):
            raise _invalid("The client_id given does not match [a-zA-Z0-9_]{15,30}")
        if any(app.name == name for app in self._state.apps.values()):
            raise _invalid(f"Application with the name {name} already exist in the system")
        if self._state.client(client_id) is not None:
            raise _invalid(f"Client id {client_id} already exist in the system")
        app = self._state.add_app(name, client_id, **body)
        return Answer.of(self._shown(app, with_secret=True), status=201)

    def read(self, _: Received, encoded: str) -> Answer:
        """GET."""
        return Answer.of(self._shown(self._client(encoded)))

    def change(self, request: Received, encoded: str) -> Answer:
        """PUT: empty lists change nothing, a redirect URI ``null`` takes all away; scopes are replaced."""
        app, body = self._client(encoded), _checked(request, _MEMBERS)
        app.name = body.pop("client_name", app.name)
        if body.get("redirect_uris") == ["null"]:
            app.members["redirect_uris"] = []
            body.pop("redirect_uris")
        kept = {key for key in ("grant_types", "redirect_uris") if not body.get(key)} | {"application_display_name"}
        app.members = {**app.members, **{key: body[key] for key in body.keys() - kept}}
        return Answer.of(self._shown(app))

    def delete(self, _: Received, encoded: str) -> Answer:
        """DELETE: its tokens go too."""
        app = self._client(encoded)
        self._state.end_tokens(app)
        del self._state.apps[app.id]
        return Answer(status=204)

    def regenerate(self, _: Received, encoded: str) -> Answer:
        """POST: 200, not 201; an unknown client breaks it."""
        app = self._state.client(self._decoded(encoded))
        if app is None:
            raise _broken()
        app.secrets.clear()
        self._state.new_secret(app)
        self._state.end_tokens(app)
        return Answer.of(self._shown(app, with_secret=True))

    def add_secret(self, request: Received, encoded: str) -> Answer:
        """POST: 201; 400 unless the server has several secrets on."""
        app = self._client(encoded)
        if not self._state.multiple_secrets:
            raise _invalid("Multiple client secrets are not enabled")
        secret = self._state.new_secret(app)
        self.descriptions[secret.id] = str((request.json or {}).get("description", ""))
        return Answer.of({**self._entry(secret.id), "client_secret": secret.value}, status=201)

    def list_secrets(self, _: Received, encoded: str) -> Answer:
        """GET: in no order, without values."""
        entries = [self._entry(secret.id) for secret in reversed(self._client(encoded).secrets)]
        return Answer.of({"count": len(entries), "list": entries})

    def drop_secret(self, _: Received, encoded: str, encoded_secret: str) -> Answer:
        """DELETE: 204."""
        app, secret_id = self._client(encoded), self._decoded(encoded_secret)
        if secret_id not in {secret.id for secret in app.secrets}:
            raise Refused(Answer.of({"code": "404", "message": "not found", "description": "No secret"}, status=404))
        app.secrets = [secret for secret in app.secrets if secret.id != secret_id]
        return Answer(status=204)

    def _entry(self, secret_id: str) -> dict[str, Any]:
        description = self.descriptions.get(secret_id, "")
        return {"id": secret_id, "description": description, "client_secret_expires_at": 0}

    def _client(self, encoded: str) -> App:
        """401 with an empty body for a client that is not there, 403 for one of somebody else."""
        app = self._state.client(self._decoded(encoded))
        if app is None:
            raise Refused(Answer(status=401))
        if app.owner != "portal":
            raise Refused(Answer(status=403))
        return app

    def _decoded(self, identifier: str) -> str:
        """What is not base64url breaks the server."""
        if not self._encoded:
            return identifier
        try:
            return base64.b64decode(identifier + "=" * (-len(identifier) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise _broken() from exc

    def _shown(self, app: App, *, with_secret: bool = False) -> dict[str, Any]:
        uris = app.members.get("redirect_uris", [])
        callback = f"regexp=({'|'.join(uris)})" if len(uris) > 1 else "".join(uris)
        hidden = self._state.hashes_secrets and not with_secret
        secret = app.secrets[0 if self._state.shows_oldest and not with_secret else -1].value
        kept = ("grant_types", "token_type_extension", "application_scopes", "ext_application_owner")
        return {
            **{name: app.members[name] for name in kept if name in app.members},
            "client_id": app.client_id,
            "client_name": app.name,
            "client_secret_expires_at": "0",
            "redirect_uris": [callback],
            **({} if hidden else {"client_secret": secret}),
        }


def _checked(request: Received, allowed: frozenset[str]) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise _invalid("The body is not a JSON object")
    unknown = sorted(body.keys() - allowed)
    if unknown:
        raise _invalid(f"Unknown members: {', '.join(unknown)}")
    if not _NAME.fullmatch(body.get("client_name", "x")):
        raise _invalid("The application name does not match the pattern")
    if "authorization_code" in body.get("grant_types", []) and not body.get("redirect_uris"):
        raise _invalid("RedirectUris property must have at least one URI value")
    return dict(body)


def _invalid(description: str) -> Refused:
    return Refused(Answer.of({"message": "invalid_client_metadata", "description": description}, status=400))


def _broken() -> Refused:
    return Refused(Answer.of({"code": "500", "message": "Internal Server Error", "description": ""}, status=500))
