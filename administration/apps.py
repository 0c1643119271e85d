"""Django application of ``administration``."""

from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    """Django application of ``administration``."""

    name = "administration"
