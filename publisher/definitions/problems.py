"""Saying where a definition is wrong: line, JSON pointer and reason."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import InputError

Part = str | int
Parts = tuple[Part, ...]

_LONGEST_REASON = 300


def pointer_of(parts: Iterable[Part]) -> str:
    """The JSON pointer (RFC 6901) of a path into a document; the root is the empty string."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a definition is refused; ``near`` is the part that exists in the text."""

    parts: Parts
    reason: str
    near: Parts | None = None


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A document read from text. ``line_of``: the line (from 1) of a path, or of its nearest ancestor in the text."""

    document: Mapping[str, Any]
    line_of: Callable[[Parts], int]


def short(reason: str) -> str:
    """One line of at most 300 characters."""
    line = " ".join(reason.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def refused(messages: Iterable[str]) -> InputError:
    """The error for a definition that is refused, with every message under ``definition``."""
    listed = list(dict.fromkeys(messages))
    more = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
    return InputError(f"definition: {listed[0]}{more}", fields={"definition": listed})


def refuse_problems(parsed: ParsedText, problems: Iterable[Problem]) -> None:
    """Raise ``InputError`` naming line, pointer and reason of each problem, in the order of the lines, if any."""
    placed = [(parsed.line_of(p.parts if p.near is None else p.near), p) for p in problems]
    if placed:
        placed.sort(key=lambda pair: pair[0])
        raise refused(f"line {line}, {pointer_of(p.parts) or '/'}: {short(p.reason)}" for line, p in placed)


def refuse_text(line: int, column: int, reason: str) -> InputError:
    """The error for text that is not a document: line and column (from 1) and the reason."""
    return refused([f"line {line}, column {column}: {short(reason)}"])


def position_of(text: str, index: int) -> tuple[int, int]:
    """Line and column (from 1) of an index into ``text``."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
