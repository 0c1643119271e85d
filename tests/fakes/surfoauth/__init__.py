"""A fake SurfOAuth: answers as a recorded one did, defects included."""

from tests.fakes.surfoauth.server import SurfOAuthServer

__all__ = ["SurfOAuthServer"]
