"""The wire below an adapter whose vendor speaks no RFC 7591: the suite's requests, recognised in the vendor's words."""

from collections.abc import Mapping

import httpx2

from tests.conformance.world import Behaviour, Match, Wire


class VendorWire(Wire):
    """``dialect``: what takes the place of a match of the suite (``registering``, ``updating``, ...)."""

    def __init__(self, inner: httpx2.BaseTransport, dialect: Mapping[Match, Match]) -> None:
        super().__init__(inner)
        self._dialect = dialect

    def plan(self, match: Match, behaviour: Behaviour) -> None:
        """In the vendor's words."""
        super().plan(self._dialect.get(match, match), behaviour)

    def matching(self, match: Match) -> list[httpx2.Request]:
        """In the vendor's words."""
        return super().matching(self._dialect.get(match, match))
