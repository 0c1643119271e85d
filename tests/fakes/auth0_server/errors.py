"""Auth0's errors: those of the Management API and those of the token endpoint; and a queued one."""

import json
from typing import Final

from tests.fakes.faults import Fault, Kind
from tests.fakes.messages import Answer, Refused

_NAMES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


def refuse(status: int, message: str, code: str = "") -> Refused:
    """A refusal of the Management API."""
    body = {"statusCode": status, "error": _NAMES[status], "message": message, **({"errorCode": code} if code else {})}
    return Refused(Answer.of(body, status=status))


def invalid_body(message: str) -> Refused:
    """400 for a body that the closed schema does not allow."""
    return refuse(400, f"Payload validation error: '{message}'.", "invalid_body")


def denied(status: int, error: str, description: str) -> Refused:
    """A refusal of the token endpoint."""
    return Refused(Answer.error(status, error, description))


def too_many(*, reset_at: int, times: int = 1) -> Fault:
    """429 as Auth0 sends it: no Retry-After, the epoch second in its own header."""
    headers = (("X-RateLimit-Limit", "10"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", str(reset_at)))
    body = json.dumps({"statusCode": 429, "error": _NAMES[429], "message": "Global limit has been reached"}).encode()
    return Fault(
        kind=Kind.ANSWER_INSTEAD, times=times, status=429, body=body, content_type="application/json", headers=headers
    )
