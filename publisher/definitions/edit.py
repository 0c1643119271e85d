"""Changing one operation of a stored document; the changed document is parsed again before it is stored."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from common.errors import InputError, RuleError
from common.scopes import check_scope
from publisher.definitions.model import METHODS
from publisher.definitions.paths import fault_of_given, parameters_of
from publisher.definitions.references import mapping

_SCHEME: Final = "oauth2"
# Relative to wherever the definition is served; the store puts the portal's own endpoint here.
_TOKEN_URL: Final = "/token"  # noqa: S105 -- a path


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationEdit:
    """What one operation shall be. ``scopes``: a token needs one of them; ``public``: no token is needed."""

    summary: str
    description: str
    public: bool = False
    scopes: Sequence[str] = ()


def with_operation(document: Mapping[str, Any], *, method: str, path: str, edit: OperationEdit) -> dict[str, Any]:
    """``document`` with this operation changed, or added when it has none there.

    Raises ``InputError`` naming ``path``, ``method`` or ``scopes``, ``RuleError`` when the path is a reference.
    """
    changed = deepcopy(dict(document))
    item = changed.setdefault("paths", {}).get(path)
    if mapping(item).get("$ref"):
        raise RuleError("This path is a reference inside the document; replace the definition to change it.")
    present = mapping(item).get(method.lower())
    operation = dict(present) if present else _new_operation(method, path)
    for name, value in (("summary", edit.summary), ("description", edit.description)):
        operation.pop(name, None)
        if value:
            operation[name] = value
    operation["security"] = _security(changed, edit)
    changed["paths"][path] = {**mapping(item), method.lower(): operation}
    return changed


def without_operation(document: Mapping[str, Any], *, method: str, path: str) -> dict[str, Any]:
    """``document`` without this operation. Raises ``RuleError`` when it is not written at the path itself."""
    changed = deepcopy(dict(document))
    item = mapping(mapping(changed.get("paths")).get(path))
    if method.lower() not in item:
        raise RuleError("This operation is behind a reference inside the document; replace the definition instead.")
    del changed["paths"][path][method.lower()]
    if not any(key.upper() in METHODS for key in changed["paths"][path]):
        del changed["paths"][path]
    return changed


def description_of(document: Mapping[str, Any], *, method: str, path: str) -> str:
    """The Markdown description of an operation, "" for none."""
    operation = mapping(mapping(mapping(document.get("paths")).get(path)).get(method.lower()))
    return str(operation.get("description") or "")


def tag_of(document: Mapping[str, Any], *, method: str, path: str) -> str:
    """The tag that the operation is listed under, "" for none."""
    tags = mapping(mapping(mapping(document.get("paths")).get(path)).get(method.lower())).get("tags")
    return str(tags[0]) if isinstance(tags, list) and tags else ""


def _new_operation(method: str, path: str) -> dict[str, Any]:
    if method.upper() not in METHODS:
        raise InputError.of("method", f"Use one of {', '.join(METHODS)}.")
    if reason := fault_of_given(path):
        raise InputError.of("path", reason)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in parameters_of(path)
    ]
    answers = {"responses": {"default": {"description": "The answer of the backend"}}}
    return {"parameters": parameters, **answers} if parameters else answers


def _security(document: dict[str, Any], edit: OperationEdit) -> list[dict[str, list[str]]]:
    if edit.public:
        return []
    for key in edit.scopes:
        check_scope(key, name="scopes")
    scheme = _declared_scheme(document, edit.scopes)
    # One requirement for each scope: a token needs one of them.
    return [{scheme: [key]} for key in edit.scopes] or [{scheme: []}]


def _declared_scheme(document: dict[str, Any], keys: Sequence[str]) -> str:
    """The name of the document's OAuth scheme, which declares ``keys`` from now on; one is added if there is none."""
    old = "swagger" in document
    holder = document if old else document.setdefault("components", {})
    schemes = holder.setdefault("securityDefinitions" if old else "securitySchemes", {})
    name = next((name for name, scheme in schemes.items() if mapping(scheme).get("type") == "oauth2"), "")
    if not name:
        name = _SCHEME
        schemes[name] = (
            {"type": "oauth2", "flow": "application", "tokenUrl": _TOKEN_URL, "scopes": {}}
            if old
            else {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": _TOKEN_URL, "scopes": {}}}}
        )
    flows = [schemes[name]] if old else list(schemes[name].get("flows", {}).values())
    for key in keys:
        if not any(key in mapping(flow.get("scopes")) for flow in flows):
            for flow in flows:
                flow.setdefault("scopes", {})[key] = ""
    return name
