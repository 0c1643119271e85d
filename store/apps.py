"""Django application of ``store``."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Django application of ``store``."""

    name = "store"
