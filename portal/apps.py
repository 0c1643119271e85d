"""Django application of ``portal``."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Django application of ``portal``."""

    name = "portal"
