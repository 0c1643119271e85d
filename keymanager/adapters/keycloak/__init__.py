"""The ``keycloak`` adapter: one realm of a Keycloak 26 or later."""

from keymanager.adapters.keycloak.adapter import KeycloakAdapter
from keymanager.adapters.keycloak.config import KeycloakConfig

__all__ = ["KeycloakAdapter", "KeycloakConfig"]
