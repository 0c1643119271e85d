"""Users, teams, roles, API tokens."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, teams, roles, API tokens."""

    name = "accounts"
