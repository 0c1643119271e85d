"""The administration API of the fake server, in the shape of glewlwyd's: scopes, a client's scopes, the plugin's list.

Statuses and bodies are those that tests/servers/glewlwyd.py documents of the real one.
"""

import hmac
import urllib.parse
from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeClient, FakeScope, Store

PLUGIN_LIST = "register-client-credentials-scope"


def administer(store: Store, request: Received, key: str, path: str) -> Answer:
    """One call below the administration root; ``path`` starts with a slash."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme != "token" or not hmac.compare_digest(shown.encode(), key.encode()):
        raise Refused(Answer(status=401))
    collection, _, name = path.strip("/").partition("/")
    name = urllib.parse.unquote(name)
    if collection == "scope":
        return _scope(store, request, name) if name else _scopes(store, request)
    if collection == "client" and name in store.clients:
        return _client(request, store.clients[name])
    if path.strip("/") == "mod/plugin/oidc":
        return _plugin(store, request)
    if path.strip("/") == "mod/plugin/oidc/reset" and request.method == "PUT":
        store.new_client_scopes = list(store.configured_client_scopes)
        return Answer(status=200)
    return Answer(status=404)


def _scopes(store: Store, request: Received) -> Answer:
    if request.method == "GET":
        asked = request.parameters
        found = [scope for name, scope in sorted(store.scopes.items()) if asked.get("pattern", "") in name]
        start, limit = int(asked.get("offset", 0)), int(asked.get("limit", 100))
        return Answer.of([_shown(scope) for scope in (found[start : start + limit] if limit else found[start:])])
    body = request.json
    if request.method != "POST" or not isinstance(body, dict) or not body.get("name"):
        return Answer.of(["scope name is mandatory"], status=400)
    if refusal := _bad_description(body):
        return refusal
    if body["name"] in store.scopes:
        return Answer.of({"error": ["scope already exists"]}, status=400)
    store.scopes[body["name"]] = FakeScope(
        name=body["name"], display_name=body.get("display_name"), description=body.get("description")
    )
    return Answer(status=200)


def _scope(store: Store, request: Received, name: str) -> Answer:
    scope = store.scopes.get(name)
    if scope is None:
        return Answer(status=404)
    if request.method == "GET":
        return Answer.of(_shown(scope))
    if request.method == "DELETE":
        del store.scopes[name]
        return Answer(status=200)
    body = request.json
    if request.method != "PUT" or not isinstance(body, dict):
        return Answer(status=400)
    if refusal := _bad_description(body):
        return refusal
    scope.display_name, scope.description = body.get("display_name"), body.get("description")
    return Answer(status=200)


def _bad_description(body: dict[str, Any]) -> Answer | None:
    if "description" in body and not (isinstance(body["description"], str) and 0 < len(body["description"]) <= 512):
        return Answer.of(["description is optional and must be string between 1 and 512 characters"], status=400)
    return None


def _client(request: Received, client: FakeClient) -> Answer:
    if request.method == "GET":
        return Answer.of(
            {
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "name": client.metadata.get("client_name", ""),
                "scope": list(client.scopes or []),
                "enabled": True,
                "confidential": bool(client.client_secret),
                "token_endpoint_auth_method": [client.auth_method],
                "redirect_uri": client.metadata.get("redirect_uris", []),
                "authorization_type": ["code" if g == "authorization_code" else g for g in client.grant_types],
                "source": "database",
            }
        )
    body = request.json
    if request.method != "PUT" or not isinstance(body, dict) or not isinstance(body.get("scope"), list):
        return Answer(status=400)
    # A full replacement, as the real one does it: what the body leaves out is gone.
    client.scopes = list(body["scope"])
    client.client_secret = str(body.get("client_secret", ""))
    types = ["authorization_code" if kind == "code" else kind for kind in body.get("authorization_type", [])]
    client.metadata["grant_types"] = types
    client.metadata["redirect_uris"] = body.get("redirect_uri", [])
    return Answer(status=200)


def _plugin(store: Store, request: Received) -> Answer:
    if request.method == "GET":
        parameters = {"iss": store.token_issuer, PLUGIN_LIST: list(store.configured_client_scopes)}
        return Answer.of({"module": "oidc", "name": "oidc", "display_name": "OpenID", "parameters": parameters})
    body = request.json
    if request.method != "PUT" or not isinstance(body, dict):
        return Answer(status=400)
    store.configured_client_scopes = list(body["parameters"][PLUGIN_LIST])
    return Answer(status=200)


def _shown(scope: FakeScope) -> dict[str, Any]:
    return {
        "name": scope.name,
        "display_name": scope.display_name,
        "description": scope.description,
        "password_max_age": 0,
        "password_required": False,
        "scheme": {},
    }
