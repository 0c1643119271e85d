"""The OAuth client management service of the fake (``/pf-ws/rest/oauth/clients``).

The vendor's pages describe the members and methods; grant names, statuses and the shape of answers are what its
own sample application and a connector rely on. Where nothing is known the fake can do either: ``wraps_one`` and
``empty_answers``.
"""

from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.pingfederate_server.clients import GRANTS, Clients, Document

# The service names grants as the token endpoint does (``password``), the administrative API in words of its own.
_NAMES = {"extension" if name == "EXTENSION" else grant: name for name, grant in GRANTS.items()}
_GRANTS = {name: grant for grant, name in _NAMES.items()}
_TAKEN = "Client ID is already in use"
_MEMBERS = {
    "clientId", "name", "description", "enabled", "redirectUris", "grantTypes", "clientAuthnType", "secret",
    "forceSecretChange", "restrictScopes", "restrictedScopes", "exclusiveScopes", "restrictedResponseTypes",
    "bypassApprovalPage", "logoUrl",
}  # fmt: skip


class ClientService:
    """Answers calls of the collection and below it. ``user``: who may."""

    def __init__(self, clients: Clients, user: tuple[str, str]) -> None:
        self._clients = clients
        self._user = user
        self.wraps_one = False
        self.empty_answers = False

    def answer(self, request: Received, client_id: str) -> Answer:
        """``client_id`` is "" for the collection."""
        if request.basic != self._user:
            raise Refused(Answer(status=401))
        known = self._clients.documents
        if client_id:
            if client_id not in known:
                raise Refused(Answer(status=404))
            if request.method == "DELETE":
                self._clients.remove(client_id)
                return Answer(status=200)
            if request.method != "GET":
                raise Refused(Answer(status=405))
            shown = _flat(known[client_id])
            return Answer.of({"client": [shown]} if self.wraps_one else shown)
        if request.method == "GET":
            return Answer.of({"client": [_flat(client) for client in known.values()]})
        return self._write(request)

    def _write(self, request: Received) -> Answer:
        body = request.json
        clients = body.get("client") if isinstance(body, dict) else None
        if not isinstance(clients, list) or len(clients) != 1 or set(clients[0]) - _MEMBERS:
            raise Refused(Answer(status=400))
        flat = clients[0]
        before = self._clients.documents.get(flat.get("clientId", ""))
        if request.method == "POST" and before is not None:
            raise Refused(Answer(status=400, body=_TAKEN.encode(), content_type="text/plain"))
        if request.method == "PUT" and before is None:
            raise Refused(Answer(status=404))
        client = _document(flat)
        try:
            self._clients.check(client)
            kept = self._clients.put(client, _auth(flat, before), before)
        except Refused as exc:
            raise Refused(Answer(status=400)) from exc
        return Answer(status=200) if self.empty_answers else Answer.of({"client": [_flat(kept)]})


def _auth(flat: Document, before: Document | None) -> dict[str, Any]:
    if flat.get("clientAuthnType", "NONE") != "SECRET":
        return {"type": "NONE"}
    kept = before["clientAuth"] if before else {}
    changes = "secret" in flat and (before is None or flat.get("forceSecretChange") is True)
    if changes:
        return {"type": "SECRET", "secret": flat["secret"]}
    return {"type": "SECRET", "encryptedSecret": kept.get("encryptedSecret")}


def _document(flat: Document) -> Document:
    if set(flat.get("grantTypes", [])) - set(_NAMES):
        raise Refused(Answer(status=400))
    grants = [_NAMES[name] for name in flat.get("grantTypes", [])]
    kept = {
        name: value for name, value in flat.items() if name not in ("clientAuthnType", "secret", "forceSecretChange")
    }
    retention = {"clientSecretRetentionPeriodType": "OVERRIDE_SERVER_DEFAULT", "clientSecretRetentionPeriod": 0}
    return {**kept, "grantTypes": grants, **retention}


def _flat(client: Document) -> Document:
    members = {name: value for name, value in client.items() if name in _MEMBERS}
    kind = client["clientAuth"]["type"]
    return {**members, "grantTypes": [_GRANTS[name] for name in client["grantTypes"]], "clientAuthnType": kind}
