"""The shared subscription database."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """The shared subscription database."""

    name = "subscriptions"
