"""Auth0: clients, client grants and resource servers by the Management API."""

from keymanager.adapters.auth0.adapter import Auth0Adapter
from keymanager.adapters.auth0.config import Auth0Config

__all__ = ["Auth0Adapter", "Auth0Config"]
