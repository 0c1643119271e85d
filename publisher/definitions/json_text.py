"""JSON text (RFC 8259) with duplicate keys refused and lines found when they are needed."""

import json
import re
from collections.abc import Iterator
from typing import Any

from common.errors import InputError
from publisher.definitions.problems import (
    ParsedText,
    Part,
    Parts,
    Problem,
    position_of,
    refuse_problems,
    refuse_text,
)
from publisher.definitions.tree import TOO_DEEP, first_fault

_BLANKS = re.compile(r"[ \t\n\r]*")
_VALUES = json.JSONDecoder()


class NotJson(Exception):
    """The text is not JSON; ``error`` says where. It decides between two readers and never leaves them."""

    def __init__(self, error: InputError) -> None:
        super().__init__(error.message)
        self.error = error


class _DuplicateKey(ValueError):
    """An object has a key twice."""


def read_json(text: str) -> ParsedText:
    """The document in JSON text.

    Raises ``NotJson`` for bad syntax, and ``InputError`` for what JSON allows and we do not.
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as exc:
        raise NotJson(refuse_text(exc.lineno, exc.colno, exc.msg)) from exc
    except _DuplicateKey as exc:
        raise _where_twice(text) from exc
    except RecursionError as exc:
        raise refuse_text(1, 1, TOO_DEEP) from exc
    except ValueError as exc:
        raise refuse_text(1, 1, "a number is no JSON number, or has too many digits") from exc

    def line_of(parts: Parts) -> int:
        return _line(text, _locate(text, parts))

    parsed = ParsedText(document, line_of)
    if fault := first_fault(document):
        refuse_problems(parsed, [Problem(*fault)])
    return parsed


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKey
    return members


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _skip(text: str, index: int) -> int:
    match = _BLANKS.match(text, index)
    return match.end() if match else index


def _members(text: str, start: int) -> Iterator[tuple[Part, int, int]]:
    """Key, index of the key and index of the value of each member of the valid container that begins at ``start``."""
    opener = text[start]
    if opener not in "{[":
        return
    index, position = _skip(text, start + 1), 0
    while text[index] not in "}]":
        key: Part = position
        key_at = index
        if opener == "{":
            key, index = _VALUES.raw_decode(text, index)
            index = _skip(text, _skip(text, index) + 1)
        yield key, key_at, index
        _, index = _VALUES.raw_decode(text, index)
        index, position = _skip(text, index), position + 1
        if text[index] == ",":
            index = _skip(text, index + 1)


def _locate(text: str, parts: Parts) -> int:
    """The index of the key (or list item) at ``parts``, or of its nearest ancestor in the text."""
    found, value_at = 0, _skip(text, 0)
    for part in parts:
        for key, key_at, member_at in _members(text, value_at):
            if key == part:
                found, value_at = key_at, member_at
                break
        else:
            break
    return found


def _where_twice(text: str) -> InputError:
    """The error for the first key that an object has twice."""
    todo = [_skip(text, 0)]
    while todo:
        seen: set[Part] = set()
        inner = []
        for key, key_at, value_at in _members(text, todo.pop()):
            if key in seen:
                return refuse_text(*position_of(text, key_at), f"the key '{key}' is there twice")
            seen.add(key)
            if text[value_at] in "{[":
                inner.append(value_at)
        todo.extend(reversed(inner))
    return refuse_text(1, 1, "a key is there twice")
