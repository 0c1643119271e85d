"""The embedded authorization server as a Django app."""

from django.apps import AppConfig


class ResidentConfig(AppConfig):
    """``label`` names the tables and the swapped models (``resident.Client``)."""

    name = "keymanager.resident"
    label = "resident"
    verbose_name = "Resident key manager"
