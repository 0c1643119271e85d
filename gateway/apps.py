"""Django application of ``gateway``."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """Django application of ``gateway``."""

    name = "gateway"
