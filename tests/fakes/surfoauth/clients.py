"""``/admin/resourceServer/{id}/client``."""

import re
import uuid

from tests.fakes.messages import Answer, Received
from tests.fakes.surfoauth.answers import fault, found, internal, not_unique, nothing, violations
from tests.fakes.surfoauth.bodies import CLIENT_FIELDS, Sent, read
from tests.fakes.surfoauth.checks import LONGEST, client_violations, too_long
from tests.fakes.surfoauth.store import Client, ResourceServer, Store

_DROPPED = re.compile(r"[^a-z0-9_-]")


class Clients:
    """The calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def needed(self, server: ResourceServer | None, number: int | None, method: str) -> Client:
        """One that must be there."""
        client = None if number is None else self._store.clients.get(number)
        if server is None or client is None or client.server_id != server.id:
            raise fault(method, 404, "Not Found")
        return client

    def create(self, request: Received, server: ResourceServer | None, base: str, now: int) -> Answer:
        """PUT: creates; with an id it overwrites that client, whoever owns it."""
        sent = read(request, CLIENT_FIELDS)
        name = sent.get("name")
        if name is None:
            raise fault(request.method, 500, "java.lang.NullPointerException")
        if server is None or sent.is_null("redirectUris"):
            raise internal()
        scopes = sent.get("scopes", [])
        faults = client_violations(sent, scopes, server.scopes)
        if faults:
            raise violations(faults)
        client_id = self._derived_id(name)
        number = sent.get("id")
        existing = None if number is None else self._store.clients.get(number)
        if too_long(sent) or len(client_id) > LONGEST or (number is not None and (existing is None or existing.seeded)):
            self._store.ids.take("client")
            raise internal()
        secret = None if sent.get("allowedImplicitGrant", False) else str(uuid.uuid4())
        if existing is None:
            existing = Client(
                id=self._store.ids.take("client"), created=now, server_id=server.id, name=name, client_id=client_id,
                secret=secret,
            )  # fmt: skip
            self._store.clients[existing.id] = existing
        existing.client_id, existing.secret = client_id, secret
        self._change(existing, sent, now)
        shown = {**existing.shown(), "scopes": sent.members.get("scopes")}
        location = f"{base}/admin/resourceServer/{server.id}/client/{existing.id}.json"
        return found(shown, status=201, headers=(("Location", location),))

    def update(self, request: Received, server: ResourceServer, client: Client, now: int) -> Answer:
        """POST: needs the id in the body too; client id and secret never change."""
        sent = read(request, CLIENT_FIELDS)
        faults = client_violations(sent, sent.get("scopes", []), server.scopes)
        if faults:
            raise violations(faults)
        number = sent.get("id")
        if number != client.id:
            raise not_unique() if number is None or number in self._store.clients else internal()
        if too_long(sent):
            raise internal()
        self._change(client, sent, now)
        return found(client.shown())

    def delete(self, client: Client) -> Answer:
        """With its tokens."""
        self._store.remove_client(client)
        return nothing(204)

    def _derived_id(self, name: str) -> str:
        base = _DROPPED.sub("", name.lower().replace(" ", "-"))
        taken = {client.client_id for client in self._store.clients.values()}
        candidate, number = base, 1
        while candidate in taken:
            number += 1
            candidate = f"{base}{number}"
        return candidate

    def _change(self, client: Client, sent: Sent, now: int) -> None:
        """Texts and scopes that are null or missing stay; everything else falls back to its default."""
        client.name = sent.get("name", client.name)
        client.scopes = list(sent.get("scopes", client.scopes))
        client.description = sent.get("description", client.description)
        client.contact_name = sent.get("contactName", client.contact_name)
        client.contact_email = sent.get("contactEmail", client.contact_email)
        client.thumb_nail_url = sent.get("thumbNailUrl", client.thumb_nail_url)
        client.redirect_uris = list(sent.get("redirectUris", []))
        client.attributes = dict(sent.get("attributes", {}))
        client.skip_consent = sent.get("skipConsent", False)
        client.include_principal = sent.get("includePrincipal", False)
        client.expire_duration = sent.get("expireDuration", 0)
        client.use_refresh_tokens = sent.get("useRefreshTokens", False)
        client.implicit = sent.get("allowedImplicitGrant", False)
        client.client_credentials = sent.get("allowedClientCredentials", False)
        client.modified = now
