"""How the validator answers the gateway: a status, headers, and a problem document (RFC 9457) for refusals."""

import base64
import json
import os

from common.gateway_contract import REFERENCE_HEADER, wire_status
from common.problem import CONTENT_TYPE, REFUSALS_PAGE, problem_type
from keymanager.validation.codes import FACTS
from keymanager.validation.http_messages import Headers
from keymanager.validation.step import VerdictEntry


def new_reference() -> str:
    """A fresh reference: 60 random bits, as people can read them out."""
    return "v-" + base64.b32encode(os.urandom(8))[:12].decode().lower()


def refusal(entry: VerdictEntry, reference: str, *, portal_url: str) -> tuple[int, Headers, str]:
    """Status (as the gateway's contract wants it on the wire), headers and body of a refusal.

    ``portal_url``: where the portal, which explains the codes, is served.
    What was found out about a token or inside of us stays behind the reference, where only the owning team reads it.
    """
    facts = FACTS.get(entry.code)
    status = entry.status or 403
    title = facts.title if facts is not None else "The call was refused"
    detail = title if status == 401 or status >= 500 else entry.message
    body = json.dumps(
        {
            "type": problem_type(entry.code, portal_url=portal_url, page=REFUSALS_PAGE),
            "title": title,
            "status": status,
            "detail": f"{detail.rstrip('.')}. Quote the reference {reference} to see what was checked.",
            "code": entry.code,
            "reference": reference,
        }
    )
    headers: Headers = [("content-type", CONTENT_TYPE), ("cache-control", "no-store"), (REFERENCE_HEADER, reference)]
    headers += entry.headers
    return wire_status(status), headers, body
