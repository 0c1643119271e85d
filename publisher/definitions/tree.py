"""What any document may be at most, whatever text it came from."""

import math
import re
from typing import Final

from publisher.definitions.problems import Part, Parts

MAX_DEPTH: Final = 100
# Every value counts its characters and an overhead, so that neither many small nor few large copies fit.
MAX_WEIGHT: Final = 12_000_000
VALUE_OVERHEAD: Final = 20
TOO_DEEP: Final = f"values are nested more than {MAX_DEPTH} deep"
TOO_MANY: Final = "the document has too many values, counting every use of an alias"

# PostgreSQL keeps neither in JSON.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def weight_of(value: object) -> int:
    """What one scalar, or the container itself, counts toward ``MAX_WEIGHT``."""
    return VALUE_OVERHEAD + (len(value) if isinstance(value, str) else 0)


def fault_of(value: object) -> str:
    """Why one scalar cannot be kept, or an empty string."""
    if isinstance(value, str) and _UNSTORABLE.search(value):
        return "the text has a NUL or half of a surrogate pair"
    if isinstance(value, float) and not math.isfinite(value):
        return "the number is too large"
    return ""


def first_fault(document: object) -> tuple[Parts, str] | None:
    """Where a document is too deep, too heavy or not storable, and why; ``None`` when it is none of these."""
    weight = 0
    todo: list[tuple[Parts, object]] = [((), document)]
    while todo:
        parts, value = todo.pop()
        weight += weight_of(value)
        if weight + VALUE_OVERHEAD * len(todo) > MAX_WEIGHT:
            return (), TOO_MANY
        if len(parts) > MAX_DEPTH:
            return parts[:3], TOO_DEEP
        if reason := fault_of(value):
            return parts, reason
        if isinstance(value, dict | list) and weight + VALUE_OVERHEAD * len(value) > MAX_WEIGHT:
            return (), TOO_MANY
        for part, child in _children(value):
            if reason := fault_of(part):
                return parts, reason
            todo.append(((*parts, part), child))
    return None


def _children(value: object) -> list[tuple[Part, object]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return list(enumerate(value))
    return []
