"""The embedded authorization server."""

from django.apps import AppConfig


class ResidentConfig(AppConfig):
    """The embedded authorization server."""

    name = "keymanager.resident"
    label = "resident"
