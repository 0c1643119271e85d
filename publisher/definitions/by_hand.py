"""A definition from operations that are given by hand instead of a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from common.errors import InputError
from common.scopes import is_scope
from publisher.definitions.model import METHODS, Definition, OperationSpec, ScopeSpec
from publisher.definitions.paths import fault_of_given, parameters_of, path_shape

_OPENAPI: Final = "3.1.0"
_SCHEME: Final = "oauth2"
# Relative to wherever the definition is served; the store puts the portal's own endpoint here.
_TOKEN_URL: Final = "/token"  # noqa: S105 -- a path
_MOST: Final = 1000
_LONGEST_KEY: Final = 200
_LONGEST_SUMMARY: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOperation:
    """One operation as a person gives it.

    ``method``: in any case. ``path``: segments, ``{name}`` as a whole segment, ``/*`` at the end. ``scopes``: a token
    needs at least one of them. ``auth``: ``required`` or ``none``.
    """

    method: str
    path: str
    scopes: tuple[str, ...] = ()
    auth: str = "required"
    summary: str = ""


def operations_by_hand(given: Sequence[HandOperation], *, title: str, version: str) -> Definition:
    """A definition with a minimal OpenAPI 3.1 document.

    Raises ``InputError`` naming each field that is wrong (``operations[0].path``).
    """
    faults = dict(_faults(given, title=title, version=version))
    if faults:
        first, messages = next(iter(faults.items()))
        raise InputError(f"{first}: {messages[0]}", fields=faults)
    operations = tuple(_operation(item) for item in given)
    keys = sorted({key for operation in operations for key in operation.scopes})
    return Definition(
        version=_OPENAPI,
        title=title,
        api_version=version,
        document=_document(operations, keys, title=title, version=version),
        # In the order of the document, where a path comes once with all its methods.
        operations=tuple(sorted(operations, key=lambda one: [o.path for o in operations].index(one.path))),
        scopes=tuple(ScopeSpec(key=key) for key in keys),
    )


def _faults(given: Sequence[HandOperation], *, title: str, version: str) -> list[tuple[str, list[str]]]:
    faults = [
        (name, ["This must not be empty."]) for name, text in (("title", title), ("version", version)) if not text
    ]
    if not 0 < len(given) <= _MOST:
        faults.append(("operations", [f"1 to {_MOST} operations are needed."]))
        return faults
    taken: dict[tuple[str, str], int] = {}
    for index, item in enumerate(given):
        faults += [(f"operations[{index}].{name}", [reason]) for name, reason in _faults_of(item)]
        first = taken.setdefault((item.method.upper(), path_shape(item.path)), index)
        if first != index:
            faults.append((f"operations[{index}].path", [f"It fits the same requests as operations[{first}]."]))
    merged: dict[str, list[str]] = {}
    for name, messages in faults:
        merged.setdefault(name, []).extend(messages)
    return list(merged.items())


def _faults_of(item: HandOperation) -> list[tuple[str, str]]:
    faults = []
    if item.method.upper() not in METHODS:
        faults.append(("method", f"Use one of {', '.join(METHODS)}."))
    if reason := fault_of_given(item.path):
        faults.append(("path", reason))
    if len(item.summary) > _LONGEST_SUMMARY or not (item.summary == "" or item.summary.isprintable()):
        faults.append(("summary", f"At most {_LONGEST_SUMMARY} printable characters."))
    if item.auth not in {"required", "none"}:
        faults.append(("auth", "Use 'required' or 'none'."))
    elif item.auth == "none" and item.scopes:
        faults.append(("scopes", "An operation that needs no token has no scopes."))
    faults += [
        (f"scopes[{position}]", f"1 to {_LONGEST_KEY} ASCII characters, no spaces, quotes or backslashes.")
        for position, key in enumerate(item.scopes)
        if not is_scope(key) or len(key) > _LONGEST_KEY
    ]
    return faults


def _operation(item: HandOperation) -> OperationSpec:
    auth: Literal["required", "none"] = "none" if item.auth == "none" else "required"
    return OperationSpec(
        method=item.method.upper(),
        path=item.path,
        summary=item.summary,
        scopes=tuple(sorted(set(item.scopes))),
        auth=auth,
    )


def _document(
    operations: Sequence[OperationSpec], keys: Sequence[str], *, title: str, version: str
) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation_object(operation)
    flow = {"tokenUrl": _TOKEN_URL, "scopes": dict.fromkeys(keys, "")}
    return {
        "openapi": _OPENAPI,
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"securitySchemes": {_SCHEME: {"type": "oauth2", "flows": {"clientCredentials": flow}}}},
        "security": [{_SCHEME: []}],
    }


def _operation_object(operation: OperationSpec) -> dict[str, Any]:
    content: dict[str, Any] = {"summary": operation.summary} if operation.summary else {}
    if parameters := parameters_of(operation.path):
        content["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in parameters
        ]
    if operation.auth == "none":
        content["security"] = []
    elif operation.scopes:
        content["security"] = [{_SCHEME: [key]} for key in operation.scopes]
    return {**content, "responses": {"default": {"description": "The answer of the backend"}}}
