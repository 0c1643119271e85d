"""JSON bodies whose every text can be stored and shown again."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils.json import strict_constant

from common.errors import InputError

# UTF-8 itself cannot hold a lone surrogate (RFC 3629 section 3), only JSON's escapes can (RFC 8259 section 8.2).
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class StorableJsonParser(JSONParser):
    """``application/json``; lone surrogates, members given twice and what is nested too deeply are refused."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body.

        Raises ``ParseError``, ``InputError`` naming the field with a lone surrogate or the member that is there twice.
        """
        try:
            # Always UTF-8, whatever the media type's charset says (RFC 8259 sections 8.1 and 11).
            text = str(stream.read(), "utf-8-sig")
            value = json.loads(text, parse_constant=strict_constant, object_pairs_hook=_members)
        except RecursionError as exc:
            raise ParseError("The JSON is nested too deeply.") from exc
        except ValueError as exc:
            raise ParseError(f"JSON parse error - {exc}") from exc
        for field, text in _texts(value):
            if _SURROGATE.search(text):
                raise InputError.of(field, "A surrogate that is not one of a pair is not a character.")
        return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8259 section 4 leaves open which of two members of one name counts, so neither does."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in members if names.count(name) > 1)
        raise InputError.of(twice or "body", "This member is there twice.")
    return members


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
