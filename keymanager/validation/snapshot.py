"""The validator's memory: everything that a decision needs, without a query.

One thread (the feed's) writes, the event loop reads. Every write is one assignment to a dictionary or attribute, so a
reader sees a row as it was or as it is, never half of it.
"""

from collections.abc import Iterable

from keymanager.validation.facts import (
    ApplicationFacts,
    CredentialFacts,
    Id,
    KeyManagerFacts,
    PlanFacts,
    Route,
    SubscriptionFacts,
)
from keymanager.validation.routes import RouteTable


class Snapshot:
    """Facts in memory. Replacing a row is ``put_…``; a row that is gone is ``drop_…``. Both may be repeated."""

    def __init__(self) -> None:
        self._routes: dict[Id, Route] = {}
        self._table = RouteTable(())
        self._key_managers: dict[Id, KeyManagerFacts] = {}
        self._enabled: tuple[KeyManagerFacts, ...] = ()
        self._credentials: dict[tuple[Id, str], CredentialFacts] = {}
        self._credentials_by_id: dict[Id, CredentialFacts] = {}
        self._applications: dict[Id, ApplicationFacts] = {}
        self._subscriptions: dict[tuple[Id, Id], SubscriptionFacts] = {}
        self._subscriptions_by_id: dict[Id, SubscriptionFacts] = {}
        self._plans: dict[Id, PlanFacts] = {}
        self._revoked: dict[bytes, float] = {}

    # questions
    def find_route(self, path: str) -> tuple[Route, str] | None:
        """See ``Facts``."""
        return self._table.find(path)

    def key_manager(self, key_manager_id: Id) -> KeyManagerFacts | None:
        """See ``Facts``."""
        return self._key_managers.get(key_manager_id)

    def enabled_key_managers(self) -> tuple[KeyManagerFacts, ...]:
        """See ``Facts``."""
        return self._enabled

    def credential(self, key_manager_id: Id, client_id: str) -> CredentialFacts | None:
        """See ``Facts``."""
        return self._credentials.get((key_manager_id, client_id))

    def application(self, application_id: Id) -> ApplicationFacts | None:
        """See ``Facts``."""
        return self._applications.get(application_id)

    def subscription(self, application_id: Id, api_version_id: Id) -> SubscriptionFacts | None:
        """See ``Facts``."""
        return self._subscriptions.get((application_id, api_version_id))

    def plan(self, plan_id: Id) -> PlanFacts | None:
        """See ``Facts``."""
        return self._plans.get(plan_id)

    def is_revoked(self, digest: bytes) -> bool:
        """See ``Facts``."""
        return digest in self._revoked

    # writes
    def put_routes(self, routes: Iterable[Route]) -> None:
        """Add or replace API versions; the table is rebuilt once."""
        self._routes.update({route.id: route for route in routes})
        self._table = RouteTable(self._routes.values())

    def drop_route(self, route_id: Id) -> None:
        """An API version is gone."""
        if self._routes.pop(route_id, None) is not None:
            self._table = RouteTable(self._routes.values())

    def put_key_managers(self, rows: Iterable[KeyManagerFacts]) -> None:
        """Add or replace key managers."""
        self._key_managers.update({row.id: row for row in rows})
        self._order_key_managers()

    def drop_key_manager(self, key_manager_id: Id) -> None:
        """A key manager is gone."""
        self._key_managers.pop(key_manager_id, None)
        self._order_key_managers()

    def _order_key_managers(self) -> None:
        self._enabled = tuple(sorted((k for k in self._key_managers.values() if k.enabled), key=lambda k: k.position))

    def put_credentials(self, rows: Iterable[CredentialFacts]) -> None:
        """Add or replace usable credentials."""
        for row in rows:
            old = self._credentials_by_id.get(row.id)
            if old is not None and (old.key_manager_id, old.client_id) != (row.key_manager_id, row.client_id):
                self.drop_credential(row.id)
            self._credentials_by_id[row.id] = row
            self._credentials[row.key_manager_id, row.client_id] = row

    def drop_credential(self, credential_id: Id) -> None:
        """A credential is not (or no longer) usable."""
        old = self._credentials_by_id.pop(credential_id, None)
        if old is None:
            return
        where = (old.key_manager_id, old.client_id)
        if self._credentials.get(where) is old:
            del self._credentials[where]

    def put_applications(self, rows: Iterable[ApplicationFacts]) -> None:
        """Add or replace applications."""
        self._applications.update({row.id: row for row in rows})

    def drop_application(self, application_id: Id) -> None:
        """An application is gone."""
        self._applications.pop(application_id, None)

    def put_subscriptions(self, rows: Iterable[SubscriptionFacts]) -> None:
        """Add or replace subscriptions."""
        for row in rows:
            self._subscriptions_by_id[row.id] = row
            self._subscriptions[row.application_id, row.api_version_id] = row

    def drop_subscription(self, subscription_id: Id) -> None:
        """A subscription is gone; one that replaced it meanwhile stays."""
        old = self._subscriptions_by_id.pop(subscription_id, None)
        if old is None:
            return
        where = (old.application_id, old.api_version_id)
        current = self._subscriptions.get(where)
        if current is not None and current.id == subscription_id:
            del self._subscriptions[where]

    def put_plans(self, rows: Iterable[PlanFacts]) -> None:
        """Add or replace plans."""
        self._plans.update({row.id: row for row in rows})

    def drop_plan(self, plan_id: Id) -> None:
        """A plan is gone."""
        self._plans.pop(plan_id, None)

    def put_revoked(self, rows: Iterable[tuple[bytes, float]]) -> None:
        """Add revoked tokens: SHA-256, and when it would have expired anyway (epoch seconds)."""
        self._revoked.update(rows)

    def forget_revoked(self, *, now: float) -> None:
        """Drop revoked tokens that have expired anyway."""
        for digest, expires_at in list(self._revoked.items()):
            if expires_at < now:
                del self._revoked[digest]

    def sizes(self) -> dict[str, int]:
        """How many rows of each kind are held, for ``/statz``."""
        return {
            "api_versions": len(self._routes),
            "key_managers": len(self._key_managers),
            "credentials": len(self._credentials),
            "applications": len(self._applications),
            "subscriptions": len(self._subscriptions),
            "plans": len(self._plans),
            "revoked_tokens": len(self._revoked),
        }
