"""The administrative API of the fake, release 12.1: clients, their secrets, scopes, version."""

import re
from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.pingfederate_server.clients import GRANTS, Clients, Document, invalid, missing
from tests.fakes.store import FakeScope

_MEMBERS = {
    "clientId", "name", "description", "enabled", "redirectUris", "grantTypes", "restrictScopes", "restrictedScopes",
    "exclusiveScopes", "restrictedResponseTypes", "clientAuth", "clientSecretRetentionPeriodType", "logoUrl",
    "clientSecretRetentionPeriod", "defaultAccessTokenManagerRef", "bypassApprovalPage",
    "requireProofKeyForCodeExchange", "modificationDate", "creationDate", "replicationStatus",
    "clientSecretChangedTime", "extendedParameters",
}  # fmt: skip
_SCOPE_PATH = re.compile(r"/oauth/authServerSettings/scopes/(common|exclusive)Scopes(?:/(.+))?")


class AdminApi:
    """Answers calls below ``/pf-admin-api/v1``. ``user``: who may."""

    def __init__(self, clients: Clients, user: tuple[str, str]) -> None:
        self._clients = clients
        self._user = user

    def operation(self, method: str, path: str) -> str:
        """The name that faults are queued under."""
        if _SCOPE_PATH.fullmatch(path):
            return "scope"
        if path.endswith("/clientSecret"):
            return "secret"
        names = {"POST": "create", "PUT": "update", "DELETE": "delete"}
        return names.get(method, "list" if path == "/oauth/clients" else "read")

    def answer(self, request: Received, path: str) -> Answer:
        """``path`` starts behind the base and is not quoted."""
        if request.headers.get("x-xsrf-header") != "PingFederate":
            raise Refused(
                Answer.of({"resultId": "invalid_xsrf_token", "message": "X-XSRF-Header is missing."}, status=403)
            )
        if request.basic != self._user:
            raise Refused(Answer.of({"resultId": "unauthorized", "message": "Invalid credentials."}, status=401))
        if path == "/version":
            return Answer.of({"version": "12.1.0.4"})
        scope = _SCOPE_PATH.fullmatch(path)
        if scope:
            return self._scope(request, scope[1], scope[2] or "")
        if path == "/oauth/clients":
            return self._list(request) if request.method == "GET" else self._create(request)
        client_id, _, rest = path.removeprefix("/oauth/clients/").partition("/clientAuth/")
        if client_id not in self._clients.documents:
            raise missing(f"Client {client_id}")
        client = self._clients.documents[client_id]
        return self._secret(request, client) if rest == "clientSecret" else self._one(request, client)

    def _list(self, request: Received) -> Answer:
        asked = request.parameters
        words = asked.get("filter", "").lower()
        found = [c for c in self._clients.documents.values() if words in f"{c['clientId']}\n{c['name']}".lower()]
        size = int(asked.get("numberPerPage", len(found) or 1))
        start = (int(asked.get("page", 1)) - 1) * size
        return Answer.of({"items": found[start : start + size]})

    def _create(self, request: Received) -> Answer:
        body = _client(request)
        if body.get("clientId") in self._clients.documents:
            raise invalid(("clientId", "A client with this ID already exists."))
        self._clients.check(body)
        made = self._clients.put(body, body.get("clientAuth", {}), None)
        return Answer.of(made, status=201)

    def _one(self, request: Received, client: Document) -> Answer:
        if request.method == "GET":
            return Answer.of(client)
        if request.method == "DELETE":
            self._clients.remove(client["clientId"])
            return Answer(status=204)
        body = {**_client(request), "clientId": client["clientId"]}
        self._clients.check(body)
        return Answer.of(self._clients.put(body, body.get("clientAuth", {}), client))

    def _secret(self, request: Received, client: Document) -> Answer:
        body = request.json
        if request.method == "PUT":
            if not isinstance(body, dict) or set(body) - {"secret", "encryptedSecret", "secondarySecrets"}:
                raise Refused(Answer(status=400))
            auth = self._clients.change_secret(client, body)
        else:
            auth = dict(client["clientAuth"])
        auth.pop("type")
        return Answer.of(auth)

    def _scope(self, request: Received, kind: str, name: str) -> Answer:
        known = self._clients.scopes[kind]
        if not name and request.method == "GET":
            return Answer.of({"items": [_entry(*item) for item in known.items()], "totalItems": len(known)})
        if name and name not in known:
            raise missing(f"Scope {name}")
        if request.method == "GET":
            return Answer.of(_entry(name, known[name]))
        if request.method == "DELETE":
            del known[name]
            for client in self._clients.documents.values():
                for member in ("restrictedScopes", "exclusiveScopes"):
                    client[member] = [scope for scope in client.get(member, []) if scope != name]
        else:
            body = request.json
            if not isinstance(body, dict) or not body.get("name") or not body.get("description"):
                raise invalid(("description", "A description is required."))
            taken = any(body["name"] in names for names in self._clients.scopes.values())
            if not name and taken:
                raise invalid(("name", "A scope with this name already exists."))
            known[body["name"]] = body["description"]
        self._clients.store.scopes = {n: FakeScope(name=n) for names in self._clients.scopes.values() for n in names}
        self._clients.sync()
        if request.method == "DELETE":
            return Answer(status=204)
        return Answer.of(_entry(body["name"], body["description"]), status=200 if name else 201)


def _client(request: Received) -> Document:
    body = request.json
    if not isinstance(body, dict) or set(body) - _MEMBERS or set(body.get("grantTypes", [])) - set(GRANTS):
        raise Refused(Answer(status=400))
    return body


def _entry(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "description": description, "dynamic": False}
