"""Better Auth (its plugin ``@better-auth/oauth-provider``) as a key manager of Archway."""

from archway_betterauth.adapter import BetterAuthAdapter, BetterAuthConfig

__all__ = ["BetterAuthAdapter", "BetterAuthConfig"]
