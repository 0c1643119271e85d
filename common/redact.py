"""Keeping secrets out of logs, audit rows, recorded exchanges and errors."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "*****"

_SECRET_NAME = re.compile(
    r"(secret|password|passwd|assertion|authorization|cookie|api_?key|private_?key|credential_value"
    r"|^code$|^code_verifier$|^token$|_token$|token_hash)",
    re.IGNORECASE,
)
_NOT_SECRET: Final = frozenset(
    {
        "client_secret_expires_at",
        "token_endpoint_auth_method",
        "token_endpoint",
        "authorization_endpoint",
        "authorization_code",
        "keep_secrets",
        "rotate_secret",
        "secret_works",
        "secret_unseen",
    }
)
_IN_TEXT = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"(?i)([\"']?(?:client_secret|access_token|refresh_token|id_token|registration_access_token|password|assertion"
        r"|code|code_verifier|token)[\"']?\s*[=:]\s*[\"']?)([^\s\"'&,}]{4,})"
    ),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"),
    re.compile(r"\bawt_[A-Za-z0-9_-]{10,}"),
)


def is_secret_name(name: str) -> bool:
    """True when a value under this name must not be shown."""
    return name.lower() not in _NOT_SECRET and _SECRET_NAME.search(name) is not None


def redact_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which every value under a secret name is ``MASK``, at any depth."""
    return {key: MASK if is_secret_name(str(key)) and value else _redact_value(value) for key, value in values.items()}


def _redact_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return redact_mapping(value)
    if isinstance(value, (list, tuple)):
        return [_redact_value(item) for item in value]
    if isinstance(value, str):
        return redact_text(value)
    return value


def redact_text(text: str) -> str:
    """``text`` with everything that looks like a token or a secret replaced."""
    text = _IN_TEXT[0].sub(lambda match: f"{match.group(1)} {MASK}", text)
    text = _IN_TEXT[1].sub(lambda match: f"{match.group(1)}{MASK}", text)
    text = _IN_TEXT[2].sub(MASK, text)
    return _IN_TEXT[3].sub(MASK, text)


class RedactingFilter(logging.Filter):
    """Redacts the formatted message of every log record, its arguments included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; never drops one."""
        record.msg = redact_text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        return True
