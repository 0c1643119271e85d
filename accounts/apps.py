"""Users, teams, roles, API tokens."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, teams, roles, API tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Register how authentication is described in the schema."""
        import_module("accounts.rest.schema")
