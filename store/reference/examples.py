"""Examples of bodies: the definition's own where it has one, else one made from the schema."""

import json
from collections.abc import Mapping
from typing import Any, Final

from store.reference.lookup import resolved

_DEEPEST: Final = 6
_LONGEST: Final = 20_000
_BY_FORMAT: Final = {
    "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "email": "ada@example.com", "uuid":
    "7f1a52e0-93c4-4c7c-9a43-0d3c54d8b7aa", "uri": "https://example.com", "hostname": "example.com",
}  # fmt: skip
_BY_TYPE: Final[dict[str, Any]] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def example_of(document: Mapping[str, Any], media: Mapping[str, Any]) -> str:
    """JSON text for a media type object (or an OpenAPI 2.0 schema holder); "" when nothing sensible can be made."""
    if "example" in media:
        return _text(media["example"])
    examples = media.get("examples")
    if isinstance(examples, Mapping):
        for item in examples.values():
            given = resolved(document, item)[0]
            if "value" in given:
                return _text(given["value"])
    return _text(made_from(document, media.get("schema") or {}))


def made_from(document: Mapping[str, Any], schema: Any, *, depth: int = 0) -> Any:
    """A value that the schema allows, as far as names and types go."""
    here, _ = resolved(document, schema)
    given = [here[key] for key in ("example", "default", "const") if key in here]
    given += [here[key][0] for key in ("examples", "enum") if isinstance(here.get(key), list) and here[key]]
    if given:
        return given[0]
    if depth >= _DEEPEST:
        return None
    for key in ("oneOf", "anyOf"):
        if isinstance(here.get(key), list) and here[key] and "properties" not in here:
            return made_from(document, here[key][0], depth=depth + 1)
    kind = here.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "array" or "items" in here:
        return [made_from(document, here.get("items") or {}, depth=depth + 1)]
    if kind in {"object", None}:
        return _object(document, here, depth)
    return _BY_FORMAT.get(str(here.get("format")), _BY_TYPE.get(str(kind)))


def _object(document: Mapping[str, Any], here: Mapping[str, Any], depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for part in here.get("allOf") or []:
        made = made_from(document, part, depth=depth + 1)
        value.update(made if isinstance(made, dict) else {})
    required = set(here.get("required") or [])
    properties = here.get("properties") if isinstance(here.get("properties"), Mapping) else {}
    for name, schema in (properties or {}).items():
        # Below the first level only what has to be there: an example is read, not studied.
        if depth == 0 or name in required or not required:
            value[name] = made_from(document, schema, depth=depth + 1)
    return value


def _text(value: Any) -> str:
    if value in (None, {}, []):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else ""
