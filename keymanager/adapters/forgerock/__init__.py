"""The adapter for ForgeRock AM, PingAM and OpenAM."""

from keymanager.adapters.forgerock.adapter import ForgeRockAdapter
from keymanager.adapters.forgerock.config import ForgeRockConfig

__all__ = ["ForgeRockAdapter", "ForgeRockConfig"]
