"""Okta's two styles of errors, and a queued one."""

import json
from typing import Final

from tests.fakes.faults import Fault, Kind
from tests.fakes.messages import Answer, Refused
from tests.fakes.vendor_server import random_id

SUMMARIES: Final = {
    "E0000003": "The request body was not well-formed.",
    "E0000006": "You do not have permission to perform the requested action",
    "E0000007": "Not found: Resource not found: {} ({})",
    "E0000011": "Invalid token provided",
    "E0000047": "API call exceeded rate limit due to too many requests.",
    "E0000056": "Delete application forbidden.",
}


def okta_error(status: int, code: str, summary: str = "", *causes: str) -> Answer:
    """Okta's own style."""
    body = {
        "errorCode": code,
        "errorSummary": summary or SUMMARIES[code],
        "errorLink": code,
        "errorId": f"oae{random_id(17)}",
        "errorCauses": [{"errorSummary": cause} for cause in causes],
    }
    return Answer.of(body, status=status)


def refuse(status: int, code: str, summary: str = "", *causes: str) -> Refused:
    """The same, to be raised."""
    return Refused(okta_error(status, code, summary, *causes))


def invalid(what: str, *causes: str) -> Refused:
    """400 for a value that cannot be."""
    return refuse(400, "E0000001", f"Api validation failed: {what}", *causes)


def missing(what: str, kind: str) -> Refused:
    """404."""
    return refuse(404, "E0000007", SUMMARIES["E0000007"].format(what, kind))


def invalid_metadata(description: str) -> Refused:
    """400 of dynamic registration, in the style of RFC 7591."""
    return Refused(Answer.error(400, "invalid_client_metadata", description))


def too_many(*, reset_at: int, times: int = 1) -> Fault:
    """429 as Okta sends it: no Retry-After, the epoch second in its own header."""
    headers = (("X-Rate-Limit-Limit", "50"), ("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", str(reset_at)))
    body = json.dumps({"errorCode": "E0000047", "errorSummary": SUMMARIES["E0000047"], "errorCauses": []}).encode()
    return Fault(
        kind=Kind.ANSWER_INSTEAD, times=times, status=429, body=body, content_type="application/json", headers=headers
    )
