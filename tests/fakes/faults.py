"""Faults that a test queues at an operation of a fake server, and what they do to the next calls."""

import time
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import Enum, auto
from typing import Self


class Kind(Enum):
    """What happens to a call."""

    ANSWER_INSTEAD = auto()  # nothing is done
    DROP_BEFORE = auto()  # nothing is done, the connection is closed without an answer
    DROP_AFTER = auto()  # done, and the connection is closed without an answer
    ANSWER_AFTER = auto()  # done, and answered with something else
    ALTER_ANSWER = auto()  # done, the answer's body or content type is spoilt
    HANG_BEFORE = auto()  # nothing is done for some seconds, then everything as usual
    HANG_INSTEAD = auto()  # nothing is ever done, the connection is closed after some seconds
    HANG_AFTER = auto()  # done at once, answered after some seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, for the next ``times`` calls of the operation it is queued at. Made by the class methods."""

    kind: Kind
    times: int = 1
    status: int = 200
    body: bytes | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0

    @classmethod
    def refused(cls, status: int, *, error: str = "server_error", times: int = 1) -> Self:
        """An OAuth error instead of doing anything: 400, 401, 403, 404, 409, 500, 503 ..."""
        body = f'{{"error": "{error}", "error_description": "a queued fault"}}'.encode()
        return cls(kind=Kind.ANSWER_INSTEAD, times=times, status=status, body=body, content_type="application/json")

    @classmethod
    def empty(cls, status: int, *, times: int = 1) -> Self:
        """A bare status without a body instead of doing anything."""
        return cls(kind=Kind.ANSWER_INSTEAD, times=times, status=status, body=b"")

    @classmethod
    def not_there_yet(cls, *, times: int = 1) -> Self:
        """404 for some calls, as after a creation that its server has not spread yet."""
        return cls.refused(404, error="not_found", times=times)

    @classmethod
    def too_many(cls, *, retry_after: int, as_date: bool = False, now: float | None = None, times: int = 1) -> Self:
        """429 with Retry-After in seconds, or as the HTTP date that lies so many seconds after ``now``."""
        start = time.time() if now is None else now
        value = formatdate(start + retry_after, usegmt=True) if as_date else str(retry_after)
        fault = cls.refused(429, error="temporarily_unavailable", times=times)
        return replace(fault, headers=(("Retry-After", value),))

    @classmethod
    def redirect(cls, location: str, *, status: int = 302, times: int = 1) -> Self:
        """A redirect instead of doing anything."""
        return cls(kind=Kind.ANSWER_INSTEAD, times=times, status=status, body=b"", headers=(("Location", location),))

    @classmethod
    def disconnect(cls, *, times: int = 1) -> Self:
        """Nothing is done and the connection is closed."""
        return cls(kind=Kind.DROP_BEFORE, times=times)

    @classmethod
    def lost_answer(cls, *, times: int = 1) -> Self:
        """It is done, but the connection is closed instead of an answer."""
        return cls(kind=Kind.DROP_AFTER, times=times)

    @classmethod
    def done_but(cls, status: int = 500, *, body: bytes = b"", times: int = 1) -> Self:
        """It is done, but the answer is this status."""
        return cls(kind=Kind.ANSWER_AFTER, times=times, status=status, body=body)

    @classmethod
    def hang(cls, seconds: float, *, after: bool = False, times: int = 1) -> Self:
        """No answer for some seconds; it is done after them, or with ``after`` at once and only the answer is late."""
        return cls(kind=Kind.HANG_AFTER if after else Kind.HANG_BEFORE, times=times, seconds=seconds)

    @classmethod
    def hang_up(cls, seconds: float, *, times: int = 1) -> Self:
        """No answer for some seconds, then the connection is closed; nothing is ever done."""
        return cls(kind=Kind.HANG_INSTEAD, times=times, seconds=seconds)

    @classmethod
    def huge(cls, size: int, *, times: int = 1) -> Self:
        """It is done; the answer is JSON of at least ``size`` bytes."""
        body = b'{"padding": "' + b"x" * size + b'"}'
        return cls(kind=Kind.ALTER_ANSWER, times=times, body=body, content_type="application/json")

    @classmethod
    def html(cls, *, times: int = 1) -> Self:
        """It is done; the answer is a page of HTML with the usual (good) status."""
        body = b"<!doctype html><title>Sign in</title><form></form>"
        return cls(kind=Kind.ALTER_ANSWER, times=times, body=body, content_type="text/html")

    @classmethod
    def wrong_content_type(cls, content_type: str = "text/plain", *, times: int = 1) -> Self:
        """It is done; the right body comes with the wrong content type."""
        return cls(kind=Kind.ALTER_ANSWER, times=times, content_type=content_type)

    @classmethod
    def spoilt_json(cls, body: bytes = b'{"client_id": "abc', *, times: int = 1) -> Self:
        """It is done; the body is not JSON, or not the JSON that the RFC says."""
        return cls(kind=Kind.ALTER_ANSWER, times=times, body=body)


class FaultQueue:
    """Queued faults per operation; ``take`` uses up one call's worth of the oldest."""

    def __init__(self) -> None:
        self._queued: dict[str, list[Fault]] = {}

    def add(self, operation: str, fault: Fault) -> None:
        """Queues a fault behind those that wait at the operation."""
        self._queued.setdefault(operation, []).append(fault)

    def take(self, operation: str) -> Fault | None:
        """The fault of this call, or ``None``; faults of the operation go before those queued at ``*``."""
        for name in (operation, "*"):
            waiting = self._queued.get(name)
            if waiting:
                fault = waiting[0]
                if fault.times > 1:
                    waiting[0] = replace(fault, times=fault.times - 1)
                else:
                    waiting.pop(0)
                return fault
        return None

    def clear(self) -> None:
        """Forgets everything queued."""
        self._queued.clear()
