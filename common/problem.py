"""How an error looks from outside: RFC 9457 problem documents, and RFC 6749 section 5.2 at the token endpoint."""

import math

from common.errors import (
    ArchwayError,
    DatabaseUnavailable,
    InputError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotAllowed,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RuleError,
)

CONTENT_TYPE = "application/problem+json"
# Pages of the portal: the first explains the codes of the REST API, the second those of the gateway.
ERRORS_PAGE = "/docs/reference/errors"
REFUSALS_PAGE = "/docs/reference/refusals"
_DEFAULT_WAIT = 5

# RFC 6749 5.2 and 4.1.2.1, RFC 7009 2.2.1, RFC 8628 3.5, RFC 8707 2: codes that pass through as they are.
_OAUTH_CODES = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope", "unsupported_token_type", "invalid_target", "access_denied", "authorization_pending",
        "slow_down", "expired_token",
    }
)  # fmt: skip


def problem_type(code: str, *, portal_url: str, page: str = ERRORS_PAGE) -> str:
    """The ``type`` of a problem (RFC 9457 section 3.1.1): where the portal explains the code.

    Absolute when the portal's address is given: a caller of the gateway would look for a relative one at the gateway.
    """
    return f"{portal_url}{page}#{code}"


def problem(error: ArchwayError, *, portal_url: str, instance: str = "", reference: str = "") -> dict[str, object]:
    """The members of a problem document (RFC 9457 section 3).

    ``portal_url``: the portal's address, as ``https://portal.example``. ``instance``: URI of this occurrence.
    ``reference``: what a person quotes when asking about it.
    """
    body: dict[str, object] = {
        "type": problem_type(error.code, portal_url=portal_url),
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if instance:
        body["instance"] = instance
    if reference:
        body["reference"] = reference
    if error.fields:
        body["errors"] = [
            {"field": name, "message": message} for name, messages in error.fields.items() for message in messages
        ]
    if isinstance(error, RuleError) and error.unmet:
        body["unmet"] = list(error.unmet)
    if isinstance(error, KeyManagerRejected):
        body["key_manager"] = {
            "code": error.remote_code,
            "status": error.remote_status,
            "description": error.remote_description,
        }
    return body


def retry_headers(error: ArchwayError) -> dict[str, str]:
    """``Retry-After`` in whole seconds, at least 1, where trying again later can help; else nothing."""
    if isinstance(error, DatabaseUnavailable):
        return {"Retry-After": str(_DEFAULT_WAIT)}
    if not isinstance(error, KeyManagerUnavailable):
        return {}
    wait = _DEFAULT_WAIT if error.retry_after is None else math.ceil(error.retry_after)
    return {"Retry-After": str(max(1, wait))}


def oauth_error(error: ArchwayError) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, JSON members and headers of an error at the token endpoint (RFC 6749 section 5.2)."""
    code, status = _oauth_code(error)
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", **retry_headers(error)}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="archway"'
    return status, {"error": code, "error_description": _description(error)}, headers


def _oauth_code(error: ArchwayError) -> tuple[str, int]:  # noqa: C901 - one line per class of the taxonomy
    match error:
        case InputError() if "scope" in error.fields:
            return "invalid_scope", 400
        case InputError():
            return "invalid_request", 400
        case NotFound():
            return "invalid_client", 401
        case NotAllowed() | RuleError():
            return "unauthorized_client", 400
        case NotSupported():
            return "unsupported_grant_type", 400
        case KeyManagerRejected() if error.remote_code == "invalid_client":
            return "invalid_client", 401
        case KeyManagerRejected() if error.remote_code in _OAUTH_CODES:
            return error.remote_code, 400
        case KeyManagerRejected():
            return "invalid_request", 400
        case KeyManagerUnavailable() | DatabaseUnavailable():
            return "temporarily_unavailable", 503
        case KeyManagerProtocolError() | OutcomeUnknown():
            return "server_error", error.status
        case _:
            return "server_error", error.status


def _description(error: ArchwayError) -> str:
    """RFC 6749 5.2 allows printable ASCII without the double quote and the backslash."""
    text = error.message.replace('"', "'").replace("\\", "/")
    return "".join(character if " " <= character <= "~" else "?" for character in text)
