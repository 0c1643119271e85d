"""What the store's pages and REST read of a person's own: nobody else's row is ever in it."""

import uuid
from collections.abc import Collection

from django.db.models import QuerySet

from keymanager.models import Credential
from subscriptions.models import Application
from subscriptions.queries.owned import applications_of_teams


def applications_with_credentials(team_ids: Collection[uuid.UUID]) -> QuerySet[Application]:
    """Applications of these teams with their credentials."""
    return applications_of_teams(team_ids).prefetch_related(
        "credentials__key_manager", "credentials__registration__key_manager"
    )


def credentials_of_teams(team_ids: Collection[uuid.UUID]) -> QuerySet[Credential]:
    """Credentials of these teams, removed ones included so that their end can be seen."""
    return Credential.objects.filter(application__team__in=team_ids).select_related(
        "application__team", "key_manager", "registration__key_manager"
    )
