"""Which clients a person can call an API with, from a page."""

import uuid
from collections.abc import Collection

from keymanager.models import Credential
from keymanager.registrations.states import RegistrationState
from keymanager.services.acceptance import accepted_key_managers
from subscriptions.models import ApiVersion
from subscriptions.states import ApplicationState


def credentials_that_can_call(version: ApiVersion, team_ids: Collection[uuid.UUID]) -> list[Credential]:
    """Ready clients of these teams whose application is subscribed to ``version``, and which we can get a token for.

    That needs a secret that the portal keeps and the grant client_credentials. By application, then newest first.
    """
    rows = Credential.objects.filter(
        application__team__in=team_ids,
        removed_at=None,
        registration__state=RegistrationState.ACTIVE,
        application__state=ApplicationState.ACTIVE,
        application__subscriptions__api_version=version,
        key_manager__in=accepted_key_managers(version),
    )
    ready = rows.exclude(client_id="").exclude(sealed_secret="").order_by("application__name", "-created_at")
    ready = ready.select_related("application__team", "key_manager", "registration__key_manager")
    return [row for row in ready if "client_credentials" in row.grant_types]
