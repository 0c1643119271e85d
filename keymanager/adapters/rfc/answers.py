"""Reading an answer that is not a success: one error for each (RFC 6749 5.2, RFC 7591 3.2.2)."""

from collections.abc import Mapping
from typing import Any

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpRequest, HttpResponse, address_only, failed_answer
from common.redact import redact_text

# What ``KeyManagerRejected.remote_code`` says when the identity provider used no code of its own.
CLIENT_GONE = "client_gone"
MANAGEMENT_TOKEN_LOST = "registration_access_token_lost"
INITIAL_TOKEN_REFUSED = "initial_access_token_refused"
OWN_CLIENT_REFUSED = "own_client_refused"

_DESCRIPTION_LIMIT = 500


def refusal(request: HttpRequest, response: HttpResponse, *, code: str = "", doing: str = "") -> ArchwayError:
    """The error of an answer that is not 2xx. ``code`` is used when the answer has none; ``doing`` is for people."""
    if response.status >= 500:
        return failed_answer(request, response)
    if response.status < 400:
        return KeyManagerProtocolError(f"{address_only(request.url)} answered HTTP {response.status} unexpectedly")
    body = response.json_object_or_empty()
    remote_code = text_of(body, "error") or code
    words = redact_text(text_of(body, "error_description"))[:_DESCRIPTION_LIMIT]
    reason = words or remote_code or "it gave no reason"
    return KeyManagerRejected(
        f"The key manager refused {doing or 'this'} (HTTP {response.status}): {reason}",
        remote_code=remote_code,
        remote_status=response.status,
        remote_description=words,
    )


def is_page(response: HttpResponse) -> bool:
    """Whether it is a page for people. Some servers give an empty answer the type of one."""
    return response.content_type == "text/html" and bool(response.body.strip())


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A member that is a text, or ""."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def whole_number(body: Mapping[str, Any], name: str) -> int | None:
    """A member that is a number (some servers send it as a text), or ``None``."""
    value = body.get(name)
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def texts_of(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A member that is a text or a list of texts, as a tuple."""
    value = body.get(name)
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list):
        return tuple(entry for entry in value if isinstance(entry, str))
    return ()


def required_text(body: Mapping[str, Any], name: str, response: HttpResponse) -> str:
    """A member that must be there. Raises ``KeyManagerProtocolError`` naming it."""
    value = text_of(body, name)
    if not value:
        raise KeyManagerProtocolError(f"{address_only(response.url)} answered {response.status} without {name}")
    return value
