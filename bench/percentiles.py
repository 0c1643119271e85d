"""What a list of measured times says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds. ``p99`` is the nearest rank: below 100 values it is the greatest one."""

    count: int
    p50: float
    p95: float
    p99: float
    greatest: float


def times_of(seconds: Sequence[float]) -> Times:
    """The percentiles of measured seconds, in milliseconds; there must be at least one."""
    ordered = sorted(value * 1000 for value in seconds)
    return Times(
        count=len(ordered),
        p50=median(ordered),
        p95=_rank(ordered, 0.95),
        p99=_rank(ordered, 0.99),
        greatest=ordered[-1],
    )


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
