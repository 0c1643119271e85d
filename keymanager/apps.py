"""Key managers: adapters, registrations, tokens, validation."""

from django.apps import AppConfig


class KeyManagerConfig(AppConfig):
    """Key managers: adapters, registrations, tokens, validation."""

    name = "keymanager"
