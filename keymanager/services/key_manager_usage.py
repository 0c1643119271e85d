"""Who uses a key manager, and so who is hit when it goes. A fixed number of queries, whatever there is."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from keymanager.models import AcceptedKeyManagers, KeyManager
from keymanager.registrations.states import RegistrationKind, RegistrationState
from subscriptions.models import ApiVersion

# Of each kind the first so many are named; the counts are of all.
NAMED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UsingApplication:
    """An application's client there. ``state``: of its registration; ``mapped``: made elsewhere."""

    application: uuid.UUID
    name: str
    team: str
    environment: str
    client_id: str
    mapped: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingApi:
    """An API version that names the key manager. ``only``: it accepts no other."""

    api: uuid.UUID
    name: str
    version: str
    state: str
    only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """``applications`` and ``apis``: the first hundred of each; the counts are of all.

    ``apis_accepting_all``: API versions that accept every enabled key manager, and so this one. ``resources`` and
    ``scopes``: those of ours that are there. ``deletion_asked_at``: it is being deleted.
    """

    applications: tuple[UsingApplication, ...]
    apis: tuple[ListingApi, ...]
    credentials: int
    apis_listing: int
    apis_accepting_all: int
    resources: int
    scopes: int
    deletion_asked_at: datetime | None

    @property
    def sentences(self) -> list[str]:
        """Who stops a deletion, each a sentence."""
        named = [
            _("The application %(name)s has a %(environment)s client there.")
            % {"name": item.name, "environment": item.environment}
            for item in self.applications
        ]
        if more := self.credentials - len(named):
            named.append(
                ngettext("%(count)s more client is there.", "%(count)s more clients are there.", more) % {"count": more}
            )
        apis = [
            _("The API %(name)s %(version)s lists it as accepted.") % {"name": item.name, "version": item.version}
            for item in self.apis
        ]
        if more := self.apis_listing - len(apis):
            apis.append(
                ngettext("%(count)s more API lists it as accepted.", "%(count)s more APIs list it as accepted.", more)
                % {"count": more}
            )
        return named + apis


def usage_of(key_manager: KeyManager) -> Usage:
    """Who uses it now: seven queries."""
    clients = key_manager.credentials.filter(removed_at=None)
    listing = AcceptedKeyManagers.objects.filter(accepts_all=False, key_managers=key_manager)
    there = key_manager.registrations.exclude(state__in=[RegistrationState.REMOVED, RegistrationState.NOT_KEPT])
    counts = there.aggregate(
        resources=Count("pk", filter=Q(kind=RegistrationKind.RESOURCE)),
        scopes=Count("pk", filter=Q(kind=RegistrationKind.SCOPE)),
    )
    accepting_all = Q(accepted_key_managers=None) | Q(accepted_key_managers__accepts_all=True)
    rows = clients.select_related("application__team", "registration").order_by("created_at", "id")
    lists = listing.select_related("api_version__api")
    together = AcceptedKeyManagers.objects.filter(pk__in=listing.values("pk")).annotate(number=Count("key_managers"))
    numbers = dict(together.order_by("pk").values_list("pk", "number")[:NAMED])
    return Usage(
        applications=tuple(
            UsingApplication(
                application=row.application_id,
                name=row.application.name,
                team=row.application.team.name,
                environment=row.environment,
                client_id=row.client_id,
                mapped=row.mapped,
                state=row.registration.state,
            )
            for row in rows[:NAMED]
        ),
        apis=tuple(
            ListingApi(
                api=item.api_version_id,
                name=item.api_version.api.name,
                version=item.api_version.version,
                state=item.api_version.state,
                only=numbers.get(item.pk, 0) == 1,
            )
            for item in lists.order_by("pk")[:NAMED]
        ),
        credentials=clients.count(),
        apis_listing=listing.count(),
        apis_accepting_all=ApiVersion.objects.filter(accepting_all).count(),
        resources=counts["resources"],
        scopes=counts["scopes"],
        deletion_asked_at=key_manager.deletion_asked_at,
    )
