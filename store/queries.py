"""What the store's pages and REST read of a person's own: nobody else's row is ever in it."""

import uuid
from collections.abc import Collection

from django.db.models import QuerySet

from keymanager.models import Credential
from keymanager.registrations.states import RegistrationState
from keymanager.services.acceptance import accepted_key_managers
from subscriptions.models import ApiVersion, Application
from subscriptions.queries.owned import applications_of_teams
from subscriptions.states import ApplicationState


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


def credentials_that_can_call(version: ApiVersion, team_ids: Collection[uuid.UUID]) -> list[Credential]:
    """Ready clients of these teams whose application is subscribed to ``version``, and which we can get a token for.

    That needs a secret that the portal keeps and the grant client_credentials. By application, then newest first.
    """
    rows = credentials_of_teams(team_ids).filter(
        removed_at=None,
        registration__state=RegistrationState.ACTIVE,
        application__state=ApplicationState.ACTIVE,
        application__subscriptions__api_version=version,
        key_manager__in=accepted_key_managers(version),
    )
    ready = rows.exclude(client_id="").exclude(sealed_secret="").order_by("application__name", "-created_at")
    return [row for row in ready if "client_credentials" in row.grant_types]
