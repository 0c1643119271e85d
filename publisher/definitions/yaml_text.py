"""YAML text, read by the core schema of YAML 1.2, which OpenAPI prescribes: ``no`` and ``2024-01-01`` stay text."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from common.errors import InputError
from publisher.definitions.problems import ParsedText, Parts, Problem, position_of, refuse_problems, refuse_text
from publisher.definitions.tree import (
    MAX_DEPTH,
    MAX_WEIGHT,
    TOO_DEEP,
    TOO_MANY,
    fault_of,
    first_fault,
    weight_of,
)

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_NULL = re.compile(r"(~|null|Null|NULL)?")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER: Final = 400
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(text: str) -> ParsedText:
    """The document in YAML text. Raises ``InputError``; see ``publisher.definitions.text.read_text``."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise refuse_text(*at, ", ".join(part for part in (exc.context, exc.problem) if part)) from exc
    except yaml.YAMLError as exc:
        unreadable = _UNREADABLE.search(text)
        raise refuse_text(*position_of(text, unreadable.start() if unreadable else 0), str(exc)) from exc
    if not isinstance(builder.document, dict):
        raise refuse_text(1, 1, "the document is not a mapping of names to values")
    parsed = ParsedText(builder.document, builder.line_of)
    if fault := first_fault(builder.document):
        refuse_problems(parsed, [Problem(*fault)])
    return parsed


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value that an alias may repeat, what a repetition costs, and how many levels it has."""

    value: Any
    weight: int
    height: int


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not come yet. ``merging``: the key was ``<<``."""

    value: dict[str, Any] | list[Any]
    parts: Parts
    anchor: str | None
    weight_before: int
    height: int = 1
    key: str | None = None
    merging: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def here(self) -> Parts:
        return (*self.parts, len(self.value) if self.key is None else self.key)


class _Builder:
    """Builds values from events, so that no step depends on the depth that the text chooses."""

    def __init__(self) -> None:
        self.document: object = None
        self._begun = False
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._lines: dict[Parts, int] = {}
        self._weight = 0

    def line_of(self, parts: Parts) -> int:
        """The line (from 1) of a path, or of its nearest ancestor in the text."""
        while parts and parts not in self._lines:
            parts = parts[:-1]
        return self._lines.get(parts, 1)

    def take(self, event: yaml.Event) -> None:
        """Add one event. Raises ``InputError``."""
        if isinstance(event, yaml.DocumentStartEvent):
            if self._begun:
                raise _at(event, "there is more than one document")
            self._begun = True
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._open and self._open[-1].wants_key:
            self._key(self._open[-1], event)
            return
        value = _scalar_value(event)
        weight = weight_of(value)
        self._weigh(event, weight)
        self._put(event, _Anchored(value, weight, 0))

    def _key(self, frame: _Open, event: yaml.ScalarEvent) -> None:
        key = str(event.value)
        if reason := fault_of(key):
            raise _at(event, reason)
        self._weigh(event, len(key))
        frame.key = key
        frame.merging = key == "<<" and _is_plain(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(key, weight_of(key), 0)
        if frame.merging:
            return
        if key in frame.value:
            raise _at(event, f"the key '{key}' is there twice")
        self._lines[frame.here()] = _line(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor
        if any(frame.anchor == name for frame in self._open):
            raise _at(event, f"the alias '{name}' contains itself")
        if name not in self._anchors:
            raise _at(event, f"the alias '{name}' has no anchor before it")
        if self._open and self._open[-1].wants_key:
            raise _at(event, "an alias cannot be a key")
        anchored = self._anchors[name]
        if len(self._open) + anchored.height > MAX_DEPTH:
            raise _at(event, TOO_DEEP)
        self._weigh(event, anchored.weight)
        self._put(event, _Anchored(_copied(anchored.value), anchored.weight, anchored.height))

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag not in {None, "!", _STANDARD + "map", _STANDARD + "seq"}:
            raise _at(event, f"the tag '{event.tag}' is not allowed")
        if len(self._open) >= MAX_DEPTH:
            raise _at(event, TOO_DEEP)
        if self._open and self._open[-1].wants_key:
            raise _at(event, "a key must be text, not a mapping or a list")
        parts = self._open[-1].here() if self._open else ()
        self._lines.setdefault(parts, _line(event))
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(value, parts, event.anchor, self._weight))
        self._weigh(event, weight_of(value))

    def _end(self, event: yaml.Event) -> None:
        frame = self._open.pop()
        if isinstance(frame.value, dict):
            for merged in frame.merged:
                for key, value in merged.items():
                    frame.value.setdefault(key, value)
        done = _Anchored(frame.value, self._weight - frame.weight_before, frame.height)
        if frame.anchor:
            self._anchors[frame.anchor] = done
        self._put(event, done)

    def _put(self, event: yaml.Event, done: _Anchored) -> None:
        """Hand a whole value to whatever it stands in."""
        anchor = event.anchor if isinstance(event, yaml.ScalarEvent) else None
        if anchor:
            self._anchors[anchor] = done
        if not self._open:
            self.document = done.value
            return
        frame = self._open[-1]
        frame.height = max(frame.height, done.height + 1)
        if frame.merging:
            frame.merged.extend(_mappings_to_merge(event, done.value))
        elif isinstance(frame.value, list):
            self._lines.setdefault(frame.here(), _line(event))
            frame.value.append(done.value)
        elif frame.key is not None:
            frame.value[frame.key] = done.value
        frame.key, frame.merging = None, False

    def _weigh(self, event: yaml.Event, weight: int) -> None:
        self._weight += weight
        if self._weight > MAX_WEIGHT:
            raise _at(event, TOO_MANY)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _at(event: yaml.Event, reason: str) -> InputError:
    return refuse_text(_line(event), event.start_mark.column + 1 if event.start_mark else 1, reason)


def _is_plain(event: yaml.ScalarEvent) -> bool:
    return event.tag is None and bool(event.implicit[0])


def _scalar_value(event: yaml.ScalarEvent) -> str | int | float | bool | None:
    text, tag = str(event.value), event.tag
    if tag not in {None, "!"} and tag not in _TAGS:
        raise _at(event, f"the tag '{tag}' is not allowed")
    if tag in {"!", _STANDARD + "str"} or (tag is None and not event.implicit[0]):
        value: str | int | float | bool | None = text
    else:
        value = _plain_value(text)
    if reason := fault_of(value):
        raise _at(event, reason)
    return value


def _plain_value(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema (YAML 1.2, section 10.3.2)."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if len(text) <= _LONGEST_NUMBER:
        if _INT.fullmatch(text):
            return int(text, 0 if text.startswith(("0o", "0x")) else 10)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _mappings_to_merge(event: yaml.Event, value: object) -> list[dict[str, Any]]:
    given = value if isinstance(value, list) else [value]
    mappings = [item for item in given if isinstance(item, dict)]
    if len(mappings) != len(given):
        raise _at(event, "'<<' can only merge mappings")
    return mappings


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
