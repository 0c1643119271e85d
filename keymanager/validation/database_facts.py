"""The questions that steps ask, answered by the database now: for explaining one call, not for deciding many."""

import uuid

from django.db.models import Q

from keymanager.models import RevokedToken
from keymanager.validation import loader
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


def _uuid(value: Id) -> uuid.UUID:
    return uuid.UUID(int=value)


class DatabaseFacts:
    """``Facts`` by query. Make one for each call."""

    def __init__(self) -> None:
        self._key_managers: tuple[KeyManagerFacts, ...] | None = None

    def find_route(self, path: str) -> tuple[Route, str] | None:
        """See ``Facts``: reads the API versions that any beginning of the path could name."""
        segments = path.split("/")[1:]
        candidates = Q(pk__in=())
        for end in range(2, len(segments) + 1):
            context = "/" + "/".join(segments[: end - 1])
            candidates |= Q(api__context=context, version=segments[end - 1])
            if len(context) > 232:
                break
        return RouteTable(loader.routes(candidates)).find(path)

    def key_manager(self, key_manager_id: Id) -> KeyManagerFacts | None:
        """See ``Facts``."""
        return next((row for row in self._all_key_managers() if row.id == key_manager_id), None)

    def enabled_key_managers(self) -> tuple[KeyManagerFacts, ...]:
        """See ``Facts``."""
        return tuple(row for row in self._all_key_managers() if row.enabled)

    def _all_key_managers(self) -> tuple[KeyManagerFacts, ...]:
        if self._key_managers is None:
            self._key_managers = tuple(loader.key_managers())
        return self._key_managers

    def credential(self, key_manager_id: Id, client_id: str) -> CredentialFacts | None:
        """See ``Facts``."""
        return next(loader.credentials(Q(key_manager_id=_uuid(key_manager_id), client_id=client_id)), None)

    def application(self, application_id: Id) -> ApplicationFacts | None:
        """See ``Facts``."""
        return next(loader.applications(Q(pk=_uuid(application_id))), None)

    def subscription(self, application_id: Id, api_version_id: Id) -> SubscriptionFacts | None:
        """See ``Facts``."""
        where = Q(application_id=_uuid(application_id), api_version_id=_uuid(api_version_id))
        return next(loader.subscriptions(where), None)

    def plan(self, plan_id: Id) -> PlanFacts | None:
        """See ``Facts``."""
        return next(loader.plans(Q(pk=_uuid(plan_id))), None)

    def is_revoked(self, digest: bytes) -> bool:
        """See ``Facts``."""
        return RevokedToken.objects.filter(pk=digest.hex()).exists()
