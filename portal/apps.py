"""Django application of ``portal``."""

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Django application of ``portal``."""

    name = "portal"

    def ready(self) -> None:
        """Refuse to start with settings of sign-in that cannot work."""
        import_module("portal.sign_in.start_up").check_settings()
