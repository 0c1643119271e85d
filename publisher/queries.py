"""What the publisher's pages read: own API versions with their subscribers, registrations and history."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Count, QuerySet

from keymanager.models import Registration
from keymanager.registrations.states import RegistrationKind, Wish
from keymanager.services.resources import registrations_of
from subscriptions.models import ApiVersion, AuditEvent, Scope
from subscriptions.queries.counts import subscriptions_counted
from subscriptions.queries.owned import versions_of_teams
from subscriptions.states import ApiState, LifecycleAction


def versions_with_subscribers(team_ids: Collection[uuid.UUID]) -> QuerySet[ApiVersion]:
    """API versions of these teams, each with its ``subscriber_count``."""
    return versions_of_teams(team_ids).annotate(subscriber_count=subscriptions_counted("api_version"))


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


def neighbours_of(version: ApiVersion) -> tuple[ApiVersion | None, ApiVersion | None]:
    """The version of the same API that was made before this one, and the newest published one made after it.

    Each has its ``subscriber_count``. One query.
    """
    rows = ApiVersion.objects.filter(api=version.api_id).exclude(pk=version.pk).select_related("api")
    rows = rows.defer("definition").annotate(subscriber_count=Count("subscriptions")).order_by("created_at")
    before, after = None, None
    for row in rows:
        if row.created_at < version.created_at:
            before = row if row.state != ApiState.RETIRED else before
        elif row.state == ApiState.PUBLISHED:
            after = row
    return before, after


def in_state_since(version: ApiVersion) -> datetime:
    """When the version came into its present state."""
    moves = [f"api.{action.value}" for action in LifecycleAction]
    last = AuditEvent.objects.filter(object_id=str(version.pk), action__in=moves).order_by("-id").first()
    return last.at if last else version.created_at
