"""A fake of PingFederate: its runtime, its administrative API and its OAuth client management service on one port."""

from tests.fakes.pingfederate_server.server import PingFederateServer

__all__ = ["PingFederateServer"]
