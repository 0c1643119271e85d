"""What was said to a key manager and what it answered, without secrets, for whoever has to act on a failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpExchange:
    """One request and its answer, redacted. ``status`` is 0 and ``error`` says why when no whole answer came."""

    method: str
    url: str
    request_body: str = ""
    status: int = 0
    response_body: str = ""
    error: str = ""
    milliseconds: int = 0


_recorder: ContextVar[list[HttpExchange] | None] = ContextVar("archway_exchanges", default=None)


@contextmanager
def recorded_exchanges() -> Iterator[list[HttpExchange]]:
    """Collect every exchange of the ``HttpClient`` calls made inside the block, in this thread or task."""
    collected: list[HttpExchange] = []
    mark = _recorder.set(collected)
    try:
        yield collected
    finally:
        _recorder.reset(mark)


def recording() -> bool:
    """True inside ``recorded_exchanges``."""
    return _recorder.get() is not None


def note(exchange: HttpExchange) -> None:
    """Add one exchange to the present recording, if there is one."""
    collected = _recorder.get()
    if collected is not None:
        collected.append(exchange)
