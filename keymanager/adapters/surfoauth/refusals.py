"""Reading SurfOAuth's errors: JSON, text that is labelled JSON, a page of the container, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from common.errors import (
    ArchwayError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    OutcomeUnknown,
)
from common.http import HttpRequest, HttpResponse, address_only, failed_answer
from common.redact import redact_text
from keymanager.adapters.rfc.answers import text_of, texts_of

NOT_UNIQUE: Final = "not_unique"
SERVER_LOST: Final = "resource_server_lost"
NAME_TAKEN: Final = "client_id_taken"
ADMIN_PRINCIPAL: Final = "admin_principal"
_NOT_UNIQUE_TEXT = "Violating unique constraints"
_LIMIT = 500


def refusal(request: HttpRequest, response: HttpResponse, *, doing: str, code: str = "") -> ArchwayError:
    """The error of an answer that is not 2xx. ``doing`` is for people; ``code`` is used when the answer has none."""
    if response.status >= 500:
        return failed_answer(request, response)
    if response.status < 400:
        return KeyManagerProtocolError(f"{address_only(request.url)} answered HTTP {response.status} unexpectedly")
    remote_code, words = _said(response)
    words = redact_text(words)[:_LIMIT]
    reason = words or remote_code or "it gave no reason"
    return KeyManagerRejected(
        f"SurfOAuth refused {doing} (HTTP {response.status}): {reason}",
        remote_code=remote_code or code,
        remote_status=response.status,
        remote_description=words,
    )


def _said(response: HttpResponse) -> tuple[str, str]:
    """The error code and the words of an answer."""
    body = response.json_object_or_empty()
    violations = texts_of(body, "violations")
    if "violations" in body:
        # Neither the fields nor their order are told; an empty one is a redirect URI without a scheme.
        named = (text or "a redirect URI without a scheme" for text in violations)
        return "violations", "; ".join(sorted(named))
    if body:
        return text_of(body, "error"), text_of(body, "error_description")
    if not response.is_json:
        return "", ""
    text = response.text.strip()
    return (NOT_UNIQUE if text == _NOT_UNIQUE_TEXT else "", text)


@contextmanager
def halfway() -> Iterator[None]:
    """Around the later steps of a change: one that was not carried out leaves the whole unknown, not undone."""
    try:
        yield
    except KeyManagerUnavailable as exc:
        raise OutcomeUnknown(f"The change was begun and not finished: {exc.message}") from exc


def whole(body: dict[str, Any], name: str, where: str) -> int:
    """A member that must be a whole number. Raises ``KeyManagerProtocolError`` naming it."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise KeyManagerProtocolError(f"{address_only(where)} answered without {name}")
    return value
