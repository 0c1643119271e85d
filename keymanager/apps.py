"""Key managers: adapters, registrations, tokens, validation."""

from django.apps import AppConfig
from django.core.checks import register


class KeyManagerConfig(AppConfig):
    """Key managers: adapters, registrations, tokens, validation."""

    name = "keymanager"

    def ready(self) -> None:
        """Let ``manage.py check`` see broken packages."""
        from keymanager.system_checks import check_adapter_packages

        register(check_adapter_packages)
