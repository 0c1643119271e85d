"""The adapter for any server that speaks the RFCs."""

from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.config import RfcConfig

__all__ = ["RfcAdapter", "RfcConfig"]
