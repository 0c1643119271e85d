"""What the publisher's pages read: own API versions with their subscribers, registrations and history."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Count, QuerySet

from keymanager.models import Registration
from keymanager.registrations.states import RegistrationKind, Wish
from keymanager.services.resources import registrations_of
from subscriptions.models import ApiVersion, AuditEvent, Scope
from subscriptions.queries.owned import versions_of_teams


def versions_with_subscribers(team_ids: Collection[uuid.UUID]) -> QuerySet[ApiVersion]:
    """API versions of these teams, each with its ``subscriber_count``."""
    return versions_of_teams(team_ids).annotate(subscriber_count=Count("subscriptions", distinct=True))


def registrations_by_version(versions: Iterable[ApiVersion]) -> dict[uuid.UUID, list[Registration]]:
    """For each of ``versions`` the registrations of its resource, and of its scopes where the resource is wished for.

    Three queries, however many versions there are.
    """
    ids = [row.pk for row in versions]
    found: dict[uuid.UUID, list[Registration]] = defaultdict(list)
    places: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    resources = Registration.objects.filter(kind=RegistrationKind.RESOURCE, subject__in=[str(pk) for pk in ids])
    for row in resources.filter(wish=Wish.PRESENT).select_related("key_manager"):
        version_id = uuid.UUID(row.subject)
        found[version_id].append(row)
        places[version_id].add(row.key_manager_id)
    keys: dict[str, list[uuid.UUID]] = defaultdict(list)
    for version_id, key in Scope.objects.filter(api_version__in=ids).values_list("api_version_id", "key"):
        keys[key].append(version_id)
    scopes = Registration.objects.filter(kind=RegistrationKind.SCOPE, subject__in=list(keys), wish=Wish.PRESENT)
    for row in scopes.select_related("key_manager"):
        for version_id in keys[row.subject]:
            if row.key_manager_id in places[version_id]:
                found[version_id].append(row)
    return found


def history_of(version: ApiVersion) -> QuerySet[AuditEvent]:
    """What people did to the API version and to its registrations, newest first."""
    subjects = [str(version.pk), *(str(pk) for pk in registrations_of(version).values_list("pk", flat=True))]
    subjects += [str(pk) for pk in version.subscriptions.values_list("pk", flat=True)[:500]]
    return AuditEvent.objects.filter(object_id__in=subjects).order_by("-id")
