"""The ``pingfederate`` adapter: PingFederate by its administrative API, or by its OAuth client management service."""

from keymanager.adapters.pingfederate.adapter import PingFederateAdapter
from keymanager.adapters.pingfederate.config import PingFederateConfig

__all__ = ["PingFederateAdapter", "PingFederateConfig"]
