"""Local references (``#/...``): found, checked and followed. Nothing outside the document is ever read."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from publisher.definitions.problems import Parts, Problem, pointer_of

# Members whose own members are names that the author chose, not words of OpenAPI.
_NAME_MAPS: Final = frozenset(
    {
        "$defs",
        "callbacks",
        "content",
        "definitions",
        "dependentSchemas",
        "encoding",
        "examples",
        "headers",
        "links",
        "parameters",
        "pathItems",
        "paths",
        "patternProperties",
        "properties",
        "requestBodies",
        "responses",
        "schemas",
        "securityDefinitions",
        "securitySchemes",
        "webhooks",
    }
)
# Members that hold data of the API: a "$ref" in them is not a reference.
_DATA: Final = frozenset({"example", "examples", "default", "enum", "const", "value"})
# Those of them that have extensions beside the names.
_EXTENSIBLE: Final = frozenset({"paths", "responses"})
_REFERENCES: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


def mapping(value: object) -> Mapping[str, Any]:
    """``value`` when it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """``value`` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def parts_of(reference: str) -> Parts | None:
    """The path that ``#/...`` names (RFC 6901 section 6), or ``None`` for any other reference."""
    if not reference.startswith("#/"):
        return None
    return tuple(unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))


def value_at(document: object, parts: Parts) -> object:
    """The value at a path. Raises ``LookupError`` when there is none."""
    value = document
    for part in parts:
        if isinstance(value, dict):
            value = value[str(part)]
        elif isinstance(value, list) and str(part).isdecimal():
            value = value[int(part)]
        else:
            raise LookupError(part)
    return value


def follow(document: object, value: object, parts: Parts) -> tuple[Mapping[str, Any], Parts]:
    """The mapping that ``value`` at ``parts`` is or refers to, and where that is.

    The references must have been checked before, for this follows them without looking back.
    """
    found = mapping(value)
    while isinstance(reference := found.get("$ref"), str) and (target := parts_of(reference)) is not None:
        found, parts = mapping(value_at(document, target)), target
    return found, parts


def canonical(document: object, parts: Parts) -> Parts:
    """Where in the text a path that leads through references ends."""
    value: object = document
    here: Parts = ()
    for part in parts:
        if isinstance(value, dict) and part not in value:
            value, here = follow(document, value, here)
        try:
            value = value_at(value, (part,))
        except LookupError:
            break
        here = (*here, part)
    return here


def reference_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every reference that leaves the document, leads nowhere or leads round in a circle."""
    for parts, keyword, reference in _references(document):
        if keyword != "$ref":
            if not reference.startswith("#"):
                yield Problem((*parts, keyword), _external(reference))
            continue
        if reason := _fault(document, reference):
            yield Problem((*parts, keyword), reason)


def _external(reference: str) -> str:
    return f"the reference '{reference}' leaves the document; only references that begin with '#/' are followed"


def _fault(document: Mapping[str, Any], reference: str) -> str:
    seen = set()
    following: object = reference
    while isinstance(following, str):
        target = parts_of(following)
        if target is None:
            return _external(following)
        if target in seen:
            return f"the reference '{reference}' leads round in a circle"
        seen.add(target)
        try:
            following = mapping(value_at(document, target)).get("$ref")
        except LookupError:
            return f"the reference '{reference}' leads to nothing: there is no {pointer_of(target)}"
    return ""


def _references(document: Mapping[str, Any]) -> Iterator[tuple[Parts, str, str]]:
    todo: list[tuple[Parts, object, bool]] = [((), document, False)]
    while todo:
        parts, value, names = todo.pop()
        if isinstance(value, list):
            todo.extend(((*parts, index), child, False) for index, child in enumerate(value))
        elif isinstance(value, dict):
            for key, child in value.items():
                if names:
                    if not (key.startswith("x-") and parts[-1] in _EXTENSIBLE):
                        todo.append(((*parts, key), child, False))
                elif isinstance(child, str) and key in _REFERENCES:
                    yield parts, key, child
                elif not _is_data(key, child):
                    todo.append(((*parts, key), child, key in _NAME_MAPS))


def _is_data(key: str, child: object) -> bool:
    if key.startswith("x-"):
        return True
    return key in _DATA and not (key == "examples" and isinstance(child, dict))
