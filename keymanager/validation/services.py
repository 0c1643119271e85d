"""What steps share: the clock, the knowledge of tokens, the counters, the backend JWT."""

from dataclasses import dataclass

from keymanager.adapters.contract import Clock
from keymanager.validation.backend_jwt import BackendJwtSource
from keymanager.validation.limits import Limits
from keymanager.validation.token_sources import TokenSource


@dataclass(frozen=True, slots=True, kw_only=True)
class StepServices:
    """Given to every step when it is made; a step keeps what it needs."""

    clock: Clock
    tokens: TokenSource
    limits: Limits
    backend_jwts: BackendJwtSource
