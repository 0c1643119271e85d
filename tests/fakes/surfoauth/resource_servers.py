"""``/admin/resourceServer``."""

import uuid

from tests.fakes.messages import Answer, Received
from tests.fakes.surfoauth.answers import fault, found, internal, nothing, violations
from tests.fakes.surfoauth.bodies import SERVER_FIELDS, Sent, read
from tests.fakes.surfoauth.checks import server_violations, too_long
from tests.fakes.surfoauth.store import Principal, ResourceServer, Store

_INTEGRITY = "org.springframework.dao.DataIntegrityViolationException: The transaction has been rolled back."
_ROLLED_BACK = "org.springframework.orm.jpa.JpaSystemException: The transaction cannot be committed"


class ResourceServers:
    """The calls. ``complete_schema``: the server's schema has the table that the shipped one lacks."""

    def __init__(self, store: Store, *, complete_schema: bool) -> None:
        self._store = store
        self._complete = complete_schema

    def visible(self, number: int | None, principal: Principal) -> ResourceServer | None:
        """One's own, or any for an admin principal."""
        server = None if number is None else self._store.servers.get(number)
        return server if server is not None and (principal.admin or server.owner == principal.name) else None

    def all_visible(self, principal: Principal) -> list[ResourceServer]:
        """One's own, or all for an admin principal."""
        return [server for server in self._store.servers.values() if self.visible(server.id, principal)]

    def needed(self, number: int | None, principal: Principal, method: str) -> ResourceServer:
        """One that must be there."""
        server = self.visible(number, principal)
        if server is None:
            raise fault(method, 404, "Not Found")
        return server

    def stats(self, principal: Principal) -> Answer:
        """Counts of tokens."""
        rows = [
            {
                "name": server.name,
                "description": server.description,
                "clients": [
                    {"name": client.name, "tokenCount": sum(t.client == client.id for t in self._store.tokens.values())}
                    for client in self._store.clients_of(server)
                ],
            }
            for server in sorted(self.all_visible(principal), key=lambda server: server.name)
        ]
        return found({"resourceServers": rows})

    def register(self, request: Received, principal: Principal, base: str, now: int) -> Answer:
        """PUT: creates, and overwrites when an id is sent."""
        sent = read(request, SERVER_FIELDS)
        scopes = self._scopes(sent, internal())
        faults = server_violations(sent, scopes)
        if faults:
            raise violations(faults)
        number = sent.get("id")
        existing = None if number is None else self._store.servers.get(number)
        overwritten_in_vain = number is not None and (not self._complete or existing is None or existing.seeded)
        if overwritten_in_vain or too_long(sent) or self._taken(sent, principal.name, existing):
            self._store.ids.take("server")
            raise fault(request.method, 500, _INTEGRITY)
        if existing is None:
            existing = ResourceServer(
                id=self._store.ids.take("server"), created=now, name="", key="", secret="", owner=principal.name
            )
            self._store.servers[existing.id] = existing
        existing.key, existing.secret = str(uuid.uuid4()), str(uuid.uuid4())
        existing.contact_name = sent.get("contactName")
        self._change(existing, sent, scopes, principal, now)
        location = f"{base}/admin/resourceServer/{existing.id}.json"
        return found(existing.shown(), status=201, headers=(("Location", location),))

    def update(self, request: Received, server: ResourceServer, principal: Principal, now: int) -> Answer:
        """POST: needs the id in the body too. The answer shows what was sent, not what is stored."""
        sent = read(request, SERVER_FIELDS)
        scopes = self._scopes(sent, fault(request.method, 500, "java.lang.NullPointerException: newScopes is null"))
        faults = server_violations(sent, scopes)
        if faults:
            raise violations(faults)
        if sent.get("id") != server.id:
            known = sent.get("id") is None or (self._complete and sent.get("id") in self._store.servers)
            raise fault(request.method, 500, _INTEGRITY if known else _ROLLED_BACK)
        if too_long(sent) or self._taken(sent, principal.name, server):
            raise fault(request.method, 500, _INTEGRITY)
        self._change(server, sent, scopes, principal, now)
        for client in self._store.clients_of(server):
            client.scopes = [scope for scope in client.scopes if scope in server.scopes]
        return found({**server.shown(), "contactName": sent.get("contactName")})

    def delete(self, server: ResourceServer) -> Answer:
        """With all its clients and tokens."""
        self._store.remove_server(server)
        return nothing(204)

    def _scopes(self, sent: Sent, otherwise: Exception) -> list[str]:
        scopes: list[str] = sent.get("scopes", [])
        if sent.is_null("scopes") or None in scopes:
            raise otherwise
        return scopes

    def _taken(self, sent: Sent, owner: str, besides: ResourceServer | None) -> bool:
        return any(
            server.owner == owner and server.name == sent.get("name") and server is not besides
            for server in self._store.servers.values()
        )

    def _change(self, server: ResourceServer, sent: Sent, scopes: list[str], principal: Principal, now: int) -> None:
        server.owner = principal.name  # so an admin principal takes whatever it updates
        server.name = sent.get("name")
        server.scopes = list(scopes)
        server.description = sent.get("description", server.description)
        server.contact_email = sent.get("contactEmail", server.contact_email)
        server.thumb_nail_url = sent.get("thumbNailUrl", server.thumb_nail_url)
        server.modified = now
