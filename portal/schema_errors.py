"""What the REST schema says of errors: every call may answer with a problem document (RFC 9457)."""

from typing import Any, Final

from common.problem import CONTENT_TYPE

_TEXT: Final = {"type": "string"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable, `reference` finds it in the logs.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "reference": _TEXT,
        "instance": _TEXT,
        "errors": {
            "type": "array",
            "description": "The fields that are wrong.",
            "items": {
                "type": "object",
                "properties": {"field": _TEXT, "message": _TEXT},
                "required": ["field", "message"],
            },
        },
        "unmet": {"type": "array", "description": "The checks that are not met.", "items": _TEXT},
        "key_manager": {
            "type": "object",
            "description": "What the key manager itself said.",
            "properties": {"code": _TEXT, "status": {"type": "integer"}, "description": _TEXT},
        },
    },
    "required": ["type", "title", "status", "detail", "code", "reference"],
}


def with_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """The schema ``result`` with the problem document as the default answer of every operation."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    answer = {
        "description": "Refused or failed",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"]["default"] = answer
    return result
