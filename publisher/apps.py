"""Django application of ``publisher``."""

from django.apps import AppConfig


class PublisherConfig(AppConfig):
    """Django application of ``publisher``."""

    name = "publisher"
