"""The ``entra`` adapter: Microsoft Entra ID through Microsoft Graph."""

from keymanager.adapters.entra.adapter import EntraAdapter
from keymanager.adapters.entra.config import EntraConfig

__all__ = ["EntraAdapter", "EntraConfig"]
