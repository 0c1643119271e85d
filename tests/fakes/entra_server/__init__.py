"""A fake of Microsoft Entra ID: sign-in endpoints of one tenant, and the part of Graph that manages applications."""

from tests.fakes.entra_server.server import EntraServer

__all__ = ["EntraServer"]
