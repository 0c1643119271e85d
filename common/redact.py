"""Takes secrets out of what is recorded, logged or shown.

Names decide: a member, parameter or header whose name speaks of a secret loses its value. In free text, values are
found by name too, and tokens by their shape.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

MASK = "[redacted]"
_BODY_LIMIT = 4000

_SECRET_NAME = re.compile(
    r"""(?ix)
    ^(x-)?(proxy-)?authorization$ | ^authentication-info$ | ^(set-)?cookie2?$
    | ^(device_|user_|authorization_)?code$ | ^code_verifier$ | ^dpop$
    | token | secret | passw | passphrase | assertion
    | private[_-]?key | api[_-]?key | jwt | ^sid$ | session[_-]?(id|key)
    """
)
# Names that speak of secrets without being one (RFC 6749, 7591, 8414).
_PUBLIC_NAME = re.compile(
    r"""(?ix)
    ^token_(endpoint|type) | ^requested_token_type$ | ^(subject|actor|issued)_token_type$ | ^token_use$
    | _supported$ | _expires_(at|in)$ | _lifetime$ | _(endpoint|uri|alg|enc|ttl|format)$ | _auth_methods?$
    | _validation$
    """
)
# Callers choose how long a text is, so every pattern must cost no more than its length: a run of characters is
# entered at its beginning only (or looked at for a bounded length), and no two neighbours can share characters.
_PAIR = re.compile(r"""(?<![\w.-])(?P<name>[\w.-]+)=(?P<value>[^\s&"'<>,;)\]}]+)""")
_MEMBER = re.compile(
    r"""(?P<head>(?P<quote>["'])(?P<name>[A-Za-z][\w.-]*)(?P=quote)\s*:\s*)(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
)
_HEADER = re.compile(r"(?im)^(?P<head>(?P<name>[A-Za-z][\w-]*)\s*:\s*)(?P<value>\S.*)$")
_CREDENTIALS = re.compile(r"(?i)\b(?P<scheme>Bearer|Basic|DPoP)\s+(?!realm\b|error\b)[\w.~+/=-]{6,}")
_JWT = re.compile(r"(?:(?<![\w-])eyJ[\w-]{5,}|(?<=-)eyJ[\w-]{5,1000})\.[\w-]+\.[\w-]*")
_USER_INFO = re.compile(r"(?<![a-z0-9+.-])(?P<scheme>[a-z0-9+.-]+://)[^\s/@:]*:[^\s/@]+@", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """True when a member, parameter or header of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None and _PUBLIC_NAME.search(name) is None


def redact_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy in which the values of secret names are masked and texts are redacted."""
    return {name: MASK if is_secret_name(name) and value else _redact_value(value) for name, value in values.items()}


def _redact_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        # Keycloak: {"type": "secret", "value": "..."}
        kind = value.get("type")
        named = isinstance(kind, str) and is_secret_name(kind) and "value" in value
        return redact_mapping({**value, "value": MASK} if named else value)
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    if isinstance(value, str):
        return redact_text(value)
    return value


def redact_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers or form parameters with the secret values masked."""
    return tuple((name, MASK if is_secret_name(name) and value else redact_text(value)) for name, value in pairs)


def redact_text(text: str) -> str:
    """Free text (a log line, an error, a URL) without secrets."""
    clean = _USER_INFO.sub(lambda found: f"{found['scheme']}{MASK}@", text)
    clean = _CREDENTIALS.sub(lambda found: f"{found['scheme']} {MASK}", clean)
    clean = _JWT.sub(MASK, clean)
    clean = _PAIR.sub(_redact_pair, clean)
    clean = _MEMBER.sub(lambda found: f'{found["head"]}"{MASK}"' if is_secret_name(found["name"]) else found[0], clean)
    return _HEADER.sub(_redact_header, clean)


def _redact_pair(found: re.Match[str]) -> str:
    name = found["name"].lstrip("0123456789_.-")
    return f"{found['name']}={MASK}" if is_secret_name(name) else found[0]


def _redact_header(found: re.Match[str]) -> str:
    if not is_secret_name(found["name"]) or MASK in found["value"]:
        return found[0]
    return f"{found['head']}{MASK}"


def redact_body(body: bytes, content_type: str) -> str:
    """A recorded body for people: JSON and forms by name, other text by shape; at most 4,000 characters."""
    text = body.decode("utf-8", "replace")
    if content_type == "application/x-www-form-urlencoded":
        shown = urlencode(redact_pairs(parse_qsl(text, keep_blank_values=True)), safe="[]:/")
    else:
        shown = _redact_json(text) or redact_text(text)
    return shown if len(shown) <= _BODY_LIMIT else f"{shown[:_BODY_LIMIT]}… ({len(shown)} characters)"


def _redact_json(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return ""
    return json.dumps(_redact_value(value), ensure_ascii=False) if isinstance(value, dict | list) else ""


class RedactingFilter(logging.Filter):
    """Put it on every handler: messages, their arguments and tracebacks leave without secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; always lets it pass."""
        record.msg = redact_text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        return True
