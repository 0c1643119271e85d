"""Fetching a definition once from a URL that a person typed."""

from collections.abc import Sequence

from common.http import AddressGuard, HttpClient


def fetch_definition(url: str, allowed_networks: Sequence[str]) -> str:
    """The text behind ``url``; private addresses are refused unless their network is allowed.

    Raises ``InputError`` naming ``definition_url``.
    """
    with HttpClient(guard=AddressGuard.of(*allowed_networks)) as http:
        return http.fetch_text(url, name="definition_url")
