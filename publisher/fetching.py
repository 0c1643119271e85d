"""Fetching a definition once from a URL that a person typed."""

from collections.abc import Sequence

from common.address_guard import LOOKUPS_FOR_PEOPLE
from common.http import AddressGuard, HttpClient
from common.http_transport import PooledTransport


def fetch_definition(url: str, allowed_networks: Sequence[str]) -> str:
    """The text behind ``url``; private addresses are refused unless their network is allowed.

    Raises ``InputError`` naming ``definition_url``.
    """
    transport = PooledTransport(AddressGuard.of(*allowed_networks), lookups=LOOKUPS_FOR_PEOPLE)
    with HttpClient(transport=transport) as http:
        return http.fetch_text(url, name="definition_url")
