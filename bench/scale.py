"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Numbers of rounds and samples; ``cell_seconds``: length of one cell of load."""

    rounds: int
    cell_seconds: float
    tokens: int
    cold_tokens: int
    changes: int
    registrations: int
    api_versions: int
    applications: int
    subscriptions: int
    rest_requests: int
    starts: int


FULL = Scale(
    rounds=5,
    cell_seconds=2,
    tokens=100,
    cold_tokens=300,
    changes=25,
    registrations=100,
    api_versions=1_000,
    applications=10_000,
    subscriptions=100_000,
    rest_requests=60,
    starts=3,
)
# For work on the measurements themselves: the same path, numbers without meaning.
QUICK = Scale(
    rounds=2,
    cell_seconds=1,
    tokens=10,
    cold_tokens=30,
    changes=3,
    registrations=8,
    api_versions=50,
    applications=300,
    subscriptions=2_000,
    rest_requests=10,
    starts=1,
)
