"""Okta: custom authorization servers; clients by the Apps API or by dynamic registration."""

from keymanager.adapters.okta.adapter import OktaAdapter
from keymanager.adapters.okta.config import OktaConfig

__all__ = ["OktaAdapter", "OktaConfig"]
