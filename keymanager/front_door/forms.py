"""Parameters of a request, read strictly (RFC 6749 section 3.2): each at most once, empty ones are absent."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from django.http import HttpRequest

from common.errors import InputError

FORM: Final = "application/x-www-form-urlencoded"
LONGEST_BODY: Final = 256 * 1024
_MOST_PARAMETERS: Final = 100
# RFC 8707 section 2 and RFC 8693 section 2.1 allow these several times.
_REPEATABLE: Final = frozenset({"resource", "audience"})
# What must never stand in an address, because addresses end up in logs and histories.
_BODY_ONLY: Final = frozenset(
    {"client_secret", "token", "password", "refresh_token", "code_verifier", "client_assertion", "access_token"}
    | {"subject_token", "actor_token"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Parameters in the order received, without empty ones."""

    pairs: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def get(self, name: str) -> str:
        """The value, or "" when it is absent."""
        return next((value for key, value in self.pairs if key == name), "")

    def require(self, name: str) -> str:
        """The value. Raises ``InputError`` naming the parameter when it is absent."""
        value = self.get(name)
        if not value:
            raise InputError.of(name, "This parameter is missing.")
        return value

    def without(self, *names: str) -> tuple[tuple[str, str], ...]:
        """All pairs but those with these names."""
        return tuple((key, value) for key, value in self.pairs if key not in names)


def read_form(request: HttpRequest) -> Parameters:
    """The form in the body. Raises ``InputError`` for any other content type, repeated or secret-in-URL parameters."""
    if request.content_type != FORM:
        raise InputError(f"Send the parameters as {FORM}.")
    if len(request.body) > LONGEST_BODY:
        raise InputError("The request body is too large.")
    read_query(request)
    try:
        return parse_parameters(request.body.decode("ascii"))
    except UnicodeDecodeError as exc:
        raise InputError("The body is not form-encoded.") from exc


def read_query(request: HttpRequest) -> Parameters:
    """The query. Raises ``InputError`` when it carries a secret or a token, or repeats a parameter."""
    query = parse_parameters(request.META.get("QUERY_STRING", ""))
    for name, _ in query.pairs:
        if name in _BODY_ONLY:
            raise InputError.of(name, "This must not be sent in the address.")
    return query


def parse_parameters(text: str) -> Parameters:
    """Form-encoded ``text``. Raises ``InputError`` naming a repeated parameter."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as exc:
        raise InputError("The parameters are not form-encoded UTF-8, or too many.") from exc
    if any("\x00" in key or "\x00" in value for key, value in pairs):
        raise InputError("A parameter contains a NUL character.")
    for name, count in Counter(key for key, _ in pairs).items():
        if count > 1 and name not in _REPEATABLE:
            # Not by field: a wrong ``scope`` would be invalid_scope, a repeated one is invalid_request.
            raise InputError(f"{name[:40]}: This parameter is there more than once.")
    return Parameters(pairs=tuple((key, value) for key, value in pairs if value))
