"""References inside an OpenAPI document (RFC 6901 pointers); nothing outside it is ever read."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

_LONGEST_CHAIN: Final = 20


def resolved(document: Mapping[str, Any], value: Any) -> tuple[Mapping[str, Any], str]:
    """The object behind ``value``, and the name of the last reference that led there ("" when there was none).

    What cannot be found, or is no object, is an empty one.
    """
    name = ""
    for _ in range(_LONGEST_CHAIN):
        if not isinstance(value, Mapping):
            return {}, name
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value, name
        name = unquote(reference.rsplit("/", 1)[-1]).replace("~1", "/").replace("~0", "~")
        target = _at(document, reference)
        beside = {key: item for key, item in value.items() if key != "$ref"}
        value = {**target, **beside} if isinstance(target, Mapping) and beside else target
    return {}, name


def _at(document: Mapping[str, Any], reference: str) -> Any:
    if not reference.startswith("#/"):
        return None
    here: Any = document
    for part in reference[2:].split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(here, Mapping):
            here = here.get(key)
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return None
    return here
