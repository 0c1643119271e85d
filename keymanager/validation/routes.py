"""Which API version a gateway path belongs to: the same table, by the same rules, as the gateway's own routes."""

import logging
from collections.abc import Iterable

from common.paths import PrefixTable
from keymanager.validation.facts import Route
from subscriptions.states import ROUTED

logger = logging.getLogger(__name__)


class RouteTable:
    """The API versions that the gateway routes. Others are not found, so a retired version is 404. Immutable."""

    __slots__ = ("_prefixes",)

    def __init__(self, routes: Iterable[Route]) -> None:
        by_prefix: dict[str, Route] = {}
        for route in routes:
            if route.state not in ROUTED:
                continue
            if by_prefix.setdefault(route.prefix, route) is not route or not route.context.startswith("/"):
                logger.error(
                    "API version %s cannot be served at %s: taken or malformed", route.api_version_id, route.prefix
                )
        self._prefixes = PrefixTable(by_prefix.items())

    def find(self, path: str) -> tuple[Route, str] | None:
        """The API version with the longest matching ``context/version``, and what follows it."""
        return self._prefixes.find(path)
