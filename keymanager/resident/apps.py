"""The embedded authorization server as a Django app."""

import logging

from django.apps import AppConfig
from django.conf import settings

from common.errors import ConfigurationError
from keymanager.resident.toolkit_settings import TOKEN_FORMATS


class ResidentConfig(AppConfig):
    """``label`` names the tables and the swapped models (``resident.Client``)."""

    name = "keymanager.resident"
    label = "resident"
    verbose_name = "Resident key manager"

    def ready(self) -> None:
        """Check the settings. Keep tokens out of the logs: at level DEBUG oauthlib writes the tokens that it issues."""
        chosen = getattr(settings, "ARCHWAY_RESIDENT_TOKEN_FORMAT", "jwt")
        if chosen not in TOKEN_FORMATS:
            raise ConfigurationError(f"ARCHWAY_RESIDENT_TOKEN_FORMAT must be one of {', '.join(TOKEN_FORMATS)}")
        logging.getLogger("oauthlib").setLevel(logging.INFO)
