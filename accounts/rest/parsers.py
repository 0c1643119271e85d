"""JSON bodies whose every text can be stored and shown again."""

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from common.errors import InputError

# UTF-8 itself cannot hold a lone surrogate (RFC 3629 section 3), only JSON's escapes can (RFC 8259 section 8.2).
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class StorableJsonParser(JSONParser):
    """``application/json``; lone surrogates and bodies nested too deeply to be read are refused."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body. Raises ``ParseError``, ``InputError`` naming the field with a lone surrogate."""
        try:
            value = super().parse(stream, media_type, dict(parser_context or {}))
        except RecursionError as exc:
            raise ParseError("The JSON is nested too deeply.") from exc
        for field, text in _texts(value):
            if _SURROGATE.search(text):
                raise InputError.of(field, "A surrogate that is not one of a pair is not a character.")
        return value


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text with the name of its field; names of members are texts, too. Not recursive: bodies may be deep."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        field, found = waiting.pop()
        if isinstance(found, str):
            yield field or "body", found
        elif isinstance(found, list):
            waiting += [(f"{field}[{position}]", item) for position, item in enumerate(found)]
        elif isinstance(found, dict):
            for name, item in found.items():
                yield field or "body", name
                waiting.append((f"{field}.{name}" if field else name, item))
