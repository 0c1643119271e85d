"""``/api/v2`` of the fake: closed request schemas, the tenant's own statuses."""

import re
import urllib.parse
from typing import Any, Final

from tests.fakes.auth0_server.errors import invalid_body, refuse
from tests.fakes.auth0_server.state import Client, State
from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_server import random_id

# Stricter than the vendor: only what an adapter for machines and web applications has any use for.
_CLIENT: Final = frozenset(
    {
        *("name", "description", "logo_uri", "callbacks", "allowed_logout_urls", "grant_types", "app_type"),
        *(
            "token_endpoint_auth_method",
            "oidc_conformant",
            "jwt_configuration",
            "client_metadata",
            "initiate_login_uri",
        ),
        *("refresh_token", "client_aliases"),
    }
)
_SERVER: Final = frozenset(
    {"name", "scopes", "signing_alg", "allow_offline_access", "token_lifetime", "token_dialect", "enforce_policies"}
)
_METHODS: Final = ("none", "client_secret_post", "client_secret_basic")
_NAME: Final = re.compile(r"[^<>]+")


# clients


def create_client(state: State, request: Received) -> Answer:
    """POST: 201. The secret cannot be chosen."""
    body = _closed(request, _CLIENT)
    if not body.get("name"):
        raise invalid_body("Missing required property: name")
    _check_client(body)
    metadata = body.pop("client_metadata", {})
    client = state.add_client(**{"token_endpoint_auth_method": "none", **body, "client_metadata": metadata})
    return Answer.of(shown(client), status=201)


def read_client(state: State, request: Received, client_id: str) -> Answer:
    """GET."""
    return Answer.of(_with_fields(shown(_client(state, client_id)), request))


def change_client(state: State, request: Received, client_id: str) -> Answer:
    """PATCH: what is sent is replaced, metadata are merged; the one call that takes a secret."""
    client, body = _client(state, client_id), _closed(request, _CLIENT | {"client_secret"})
    _check_client(body)
    if "client_secret" in body:
        client.secret = str(body.pop("client_secret"))
    metadata = {**client.members.get("client_metadata", {}), **body.pop("client_metadata", {})}
    kept = {name: value for name, value in metadata.items() if value is not None}
    if len(kept) > 10:
        raise invalid_body("Too many properties defined (11), maximum 10 on property client_metadata")
    client.members = {**client.members, **body, "client_metadata": kept}
    return Answer.of(shown(client))


def delete_client(state: State, _: Received, client_id: str) -> Answer:
    """DELETE: 204 also for one that is not there; its grants go too."""
    state.clients.pop(client_id, None)
    state.grants = {name: grant for name, grant in state.grants.items() if grant["client_id"] != client_id}
    return Answer(status=204)


def rotate_secret(state: State, request: Received, client_id: str) -> Answer:
    """POST without a body."""
    if request.body:
        raise invalid_body("No body expected")
    client = _client(state, client_id)
    client.secret, client.secret_good_from = random_id(64), state.clock() + state.secret_lag
    return Answer.of(shown(client))


def list_clients(state: State, request: Received) -> Answer:
    """GET: ``q`` knows nothing that we could search by."""
    if "q" in request.parameters:
        raise refuse(400, "Invalid query", "invalid_query_string")
    return _page("clients", [_with_fields(shown(client), request) for client in state.clients.values()], request)


def shown(client: Client) -> dict[str, Any]:
    """A client as a token with read:client_keys sees it."""
    return {"tenant": "fake", **client.members, "client_id": client.client_id, "client_secret": client.secret}


# client grants


def create_grant(state: State, request: Received) -> Answer:
    """POST: 201; 404 for an unknown API, 409 for a repeat."""
    body = _closed(request, frozenset({"client_id", "audience", "scope"}))
    server = state.server(str(body.get("audience", "")))
    if server is None or body.get("client_id") not in state.clients:
        raise refuse(404, "Resource server not found", "inexistent_resource_server")
    if state.grant(body["client_id"], server["identifier"]) is not None:
        raise refuse(409, "A resource server with the same identifier already exists.", "grant_conflict")
    _check_grant(server, body.get("scope"))
    return Answer.of(state.add_grant(body["client_id"], server["identifier"], body["scope"]), status=201)


def change_grant(state: State, request: Received, grant_id: str) -> Answer:
    """PATCH: the list is replaced."""
    body = _closed(request, frozenset({"scope"}))
    grant = state.grants.get(grant_id)
    if grant is None:
        raise refuse(404, "The client grant does not exist.", "inexistent_grant")
    _check_grant(state.server(grant["audience"]) or {}, body.get("scope"))
    grant["scope"] = body["scope"]
    return Answer.of(grant)


def delete_grant(state: State, _: Received, grant_id: str) -> Answer:
    """DELETE: 204 in any case."""
    state.grants.pop(grant_id, None)
    return Answer(status=204)


def list_grants(state: State, request: Received) -> Answer:
    """GET, by client."""
    wanted = request.parameters.get("client_id")
    return _page("client_grants", [g for g in state.grants.values() if wanted in (None, g["client_id"])], request)


# resource servers


def create_server(state: State, request: Received) -> Answer:
    """POST: 201; 409 for a taken identifier."""
    body = _closed(request, _SERVER | {"identifier"})
    identifier = body.pop("identifier", "")
    if not identifier:
        raise invalid_body("Missing required property: identifier")
    _check_server(body)
    if state.server(identifier) is not None:
        raise refuse(409, "A resource server with the same identifier already exists.", "resource_server_conflict")
    return Answer.of(state.add_server(identifier, **body), status=201)


def read_server(state: State, _: Received, name: str) -> Answer:
    """GET: by id or url-encoded identifier."""
    return Answer.of(_server(state, name))


def change_server(state: State, request: Received, name: str) -> Answer:
    """PATCH: described with 201; scopes are replaced as a whole, and leave the grants with the list."""
    server, body = _server(state, name), _closed(request, _SERVER)
    _check_server(body)
    server.update(body)
    values = {scope["value"] for scope in server.get("scopes", [])}
    for grant in state.grants.values():
        if grant["audience"] == server["identifier"]:
            grant["scope"] = [key for key in grant["scope"] if key in values]
    return Answer.of(server, status=201)


def delete_server(state: State, _: Received, name: str) -> Answer:
    """DELETE: 204 in any case."""
    server = state.server(urllib.parse.unquote(name))
    if server is not None:
        del state.servers[server["id"]]
        state.grants = {key: g for key, g in state.grants.items() if g["audience"] != server["identifier"]}
    return Answer(status=204)


def list_servers(state: State, request: Received) -> Answer:
    """GET: page numbers only."""
    if {"from", "take"} & request.parameters.keys():
        raise refuse(400, "Query validation error: Additional properties not allowed: take", "invalid_query_string")
    return _page("resource_servers", list(state.servers.values()), request)


def _page(name: str, found: list[dict[str, Any]], request: Received) -> Answer:
    """A bare list, an object with totals, or checkpoints. A page behind the last one is empty."""
    asked = request.parameters
    if "take" in asked or "from" in asked:
        size, start = int(asked.get("take", 50)), int(asked.get("from", "cp0").removeprefix("cp"))
        following = {"next": f"cp{start + size}"} if start + size < len(found) else {}
        return Answer.of({name: found[start : start + size], **following})
    size, number = int(asked.get("per_page", 50)), int(asked.get("page", 0))
    if size > 100:
        raise refuse(400, "Query validation error: 'per_page' must be at most 100", "invalid_query_string")
    page = found[number * size : (number + 1) * size]
    if asked.get("include_totals") != "true":
        return Answer.of(page)
    return Answer.of({"start": number * size, "limit": size, "total": len(found), name: page})


def _with_fields(entry: dict[str, Any], request: Received) -> dict[str, Any]:
    wanted = request.parameters.get("fields", "")
    return {name: value for name, value in entry.items() if not wanted or name in wanted.split(",")}


def _closed(request: Received, allowed: frozenset[str]) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise invalid_body("Expected type object")
    unknown = sorted(body.keys() - allowed)
    if unknown:
        raise invalid_body(f"Additional properties not allowed: {', '.join(unknown)}")
    return dict(body)


def _check_client(body: dict[str, Any]) -> None:
    if not _NAME.fullmatch(body.get("name", "x")):
        raise invalid_body("String does not match pattern ^[^<>]+$ on property name")
    if body.get("token_endpoint_auth_method", "none") not in _METHODS:
        raise invalid_body("Value not in enum on property token_endpoint_auth_method")
    metadata = body.get("client_metadata", {})
    if len(metadata) > 10:
        raise invalid_body(f"Too many properties defined ({len(metadata)}), maximum 10 on property client_metadata")
    if any(len(str(part)) > 255 for pair in metadata.items() for part in pair):
        raise invalid_body("client_metadata keys and values must be at most 255 characters")


def _check_server(body: dict[str, Any]) -> None:
    if not _NAME.fullmatch(body.get("name", "x")) or len(body.get("name", "")) > 200:
        raise invalid_body("String does not match pattern ^[^<>]+$ on property name")
    for scope in body.get("scopes", []):
        if set(scope) - {"value", "description"} or not 1 <= len(scope.get("value", "")) <= 280:
            raise invalid_body("scopes")
    if not 0 < body.get("token_lifetime", 1) <= 2_592_000:
        raise invalid_body("token_lifetime")


def _check_grant(server: dict[str, Any], scope: Any) -> None:
    values = {entry["value"] for entry in server.get("scopes", [])}
    if not isinstance(scope, list) or set(scope) - values:
        raise refuse(400, "One or more scopes are not defined in the resource server", "invalid_scope")


def _client(state: State, client_id: str) -> Client:
    if client_id not in state.clients:
        raise refuse(404, "The client does not exist", "inexistent_client")
    return state.clients[client_id]


def _server(state: State, name: str) -> dict[str, Any]:
    found = state.server(urllib.parse.unquote(name))
    if found is None:
        raise refuse(404, "The resource server does not exist", "inexistent_resource_server")
    return found
