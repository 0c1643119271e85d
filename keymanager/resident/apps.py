"""The embedded authorization server as a Django app."""

import logging

from django.apps import AppConfig


class ResidentConfig(AppConfig):
    """``label`` names the tables and the swapped models (``resident.Client``)."""

    name = "keymanager.resident"
    label = "resident"
    verbose_name = "Resident key manager"

    def ready(self) -> None:
        """Keep tokens out of the logs: at level DEBUG oauthlib writes the tokens that it issues."""
        logging.getLogger("oauthlib").setLevel(logging.INFO)
