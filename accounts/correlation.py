"""The correlation id of the work at hand: request, job or command."""

import uuid
from contextvars import ContextVar

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")


def new_correlation_id() -> str:
    """A fresh id, 32 hexadecimal characters."""
    return uuid.uuid4().hex


def current_correlation_id() -> str:
    """The id of the work at hand; one is made where nobody set one."""
    value = correlation_id.get()
    if not value:
        value = new_correlation_id()
        correlation_id.set(value)
    return value
