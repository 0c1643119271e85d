"""The adapter for SurfOAuth (OpenConextApps/apis)."""

from keymanager.adapters.surfoauth.adapter import SurfOAuthAdapter
from keymanager.adapters.surfoauth.config import SurfOAuthConfig

__all__ = ["SurfOAuthAdapter", "SurfOAuthConfig"]
