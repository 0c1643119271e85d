"""JSON schemas as rows for people: references followed, parts of ``allOf`` joined, loops and depths cut."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from store.reference.lookup import resolved
from store.reference.model import SchemaRow

_DEEPEST: Final = 4
# A body with more rows is cut: the definition itself has the rest.
_MOST_ROWS: Final = 300
_MOST_VALUES: Final = 30
_FACTS: Final = {
    "minimum": "at least {}", "maximum": "at most {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "minItems": "at least {} items", "maxItems": "at most {} items",
    "pattern": "matches {}", "default": "default {}", "multipleOf": "a multiple of {}",
}  # fmt: skip


class SchemaReader:
    """Reads the schemas of one body; ``document`` is the whole definition."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._left = _MOST_ROWS

    def row(self, name: str, schema: Any, *, required: bool = False, depth: int = 0) -> SchemaRow:
        """The schema as a row with the rows below it."""
        return self._row(name, schema, required=required, depth=depth, trail=())

    def _row(self, name: str, schema: Any, *, required: bool, depth: int, trail: tuple[str, ...]) -> SchemaRow:
        self._left -= 1
        here, reference = resolved(self._document, schema)
        here = self._joined(here)
        nested, choices = self._below(here)
        looped = bool(reference) and reference in trail
        cut = bool(nested) and (looped or depth >= _DEEPEST or self._left <= 0)
        rows: tuple[SchemaRow, ...] = ()
        if nested and not cut:
            further = (*trail, reference) if reference else trail
            rows = tuple(
                self._row(key, item, required=key in _required(here), depth=depth + 1, trail=further)
                for key, item in nested
                if self._left > 0
            )
        return SchemaRow(
            name=name,
            type=self.type_of(schema),
            required=required,
            description=str(here.get("description") or ""),
            values=_values(here),
            facts=tuple(_facts(here)),
            rows=rows,
            choices=choices,
            more=cut or (bool(nested) and len(rows) < len(nested)),
        )

    def _below(self, here: Mapping[str, Any]) -> tuple[list[tuple[str, Any]], str]:
        """Members, items or alternatives; the second is what alternatives are called."""
        for key, words in (("oneOf", "one of"), ("anyOf", "any of")):
            options = [option for option in _list(here.get(key)) if not _is_null(option)]
            if len(options) > 1:
                return [(self._name_of(option, number), option) for number, option in enumerate(options, 1)], words
        properties = here.get("properties")
        if isinstance(properties, Mapping) and properties:
            return list(properties.items()), ""
        items = here.get("items")
        if isinstance(items, Mapping):
            inner = self._joined(resolved(self._document, items)[0])
            return self._below(inner) if inner else ([], "")
        extra = here.get("additionalProperties")
        return ([("*", extra)], "") if isinstance(extra, Mapping) and extra else ([], "")

    def _name_of(self, option: Any, number: int) -> str:
        here, reference = resolved(self._document, option)
        return reference or str(here.get("title") or f"option {number}")

    def _joined(self, here: Mapping[str, Any]) -> Mapping[str, Any]:
        """``allOf`` as one schema; a single alternative beside "null" is the schema itself."""
        parts = _list(here.get("allOf"))
        for key in ("oneOf", "anyOf"):
            options = _list(here.get(key))
            real = [option for option in options if not _is_null(option)]
            if len(real) == 1 and len(options) <= 2:
                parts = [*parts, real[0]]
        if not parts:
            return here
        joined: dict[str, Any] = {}
        for part in (*parts, {key: value for key, value in here.items() if key not in {"allOf", "oneOf", "anyOf"}}):
            inner = resolved(self._document, part)[0]
            if inner is not here and "allOf" in inner:
                inner = self._joined(inner)
            for key, value in inner.items():
                if key == "properties" and isinstance(value, Mapping):
                    joined["properties"] = {**joined.get("properties", {}), **value}
                elif key == "required" and isinstance(value, list):
                    joined["required"] = [*joined.get("required", []), *value]
                else:
                    joined[key] = value
        return joined

    def type_of(self, schema: Any) -> str:
        """The type in words, as ``array of Order`` or ``string, date-time``."""
        written, reference = resolved(self._document, schema)
        here = self._joined(written)
        kind, nothing = _kind(here)
        nothing = nothing or _kind(written)[1]
        words = kind
        if kind == "array":
            words = f"array of {self.type_of(here.get('items') or {})}"
        elif kind == "object" and reference:
            words = reference
        elif here.get("format"):
            words = f"{kind}, {here['format']}"
        if "oneOf" in here or "anyOf" in here:
            words = reference or words
        return f"{words}, may be null" if nothing else words


def _kind(here: Mapping[str, Any]) -> tuple[str, bool]:
    """The type's name, and whether null is allowed (OpenAPI 3.0 ``nullable``, 3.1 a list of types)."""
    kind = here.get("type")
    nothing = bool(here.get("nullable")) or any(
        _is_null(option) for key in ("anyOf", "oneOf") for option in _list(here.get(key))
    )
    if isinstance(kind, list):
        named = [str(item) for item in kind if item != "null"]
        return " or ".join(named) or "null", nothing or "null" in kind
    if isinstance(kind, str):
        return kind, nothing
    if "properties" in here or "additionalProperties" in here:
        return "object", nothing
    return ("array" if "items" in here else "any"), nothing


def _is_null(option: Any) -> bool:
    return isinstance(option, Mapping) and option.get("type") == "null"


def _required(here: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(name) for name in _list(here.get("required")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(here: Mapping[str, Any]) -> tuple[str, ...]:
    values = [here["const"]] if "const" in here else _list(here.get("enum"))
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in values[:_MOST_VALUES])


def _facts(here: Mapping[str, Any]) -> Iterator[str]:
    for key, words in _FACTS.items():
        if here.get(key) is not None and not isinstance(here[key], Mapping | list):
            yield words.format(here[key])
    if here.get("readOnly"):
        yield "only in answers"
    if here.get("writeOnly"):
        yield "only in requests"
    if here.get("deprecated"):
        yield "deprecated"
