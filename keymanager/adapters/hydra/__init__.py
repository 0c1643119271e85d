"""The adapter for Ory Hydra, by its administration port."""

from keymanager.adapters.hydra.adapter import HydraAdapter
from keymanager.adapters.hydra.config import HydraConfig

__all__ = ["HydraAdapter", "HydraConfig"]
