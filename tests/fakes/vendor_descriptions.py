"""Holds requests and answers between an adapter and a fake against a vendor's own OpenAPI description.

A description finds wrong names, types, enumerated values and statuses. It does not find a missing member of an answer:
vendors declare almost nothing as required there.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.fakes.messages import Answer, Received

SHARED: Final = Path(os.environ.get("ARCHWAY_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
DESCRIPTIONS: Final = SHARED / "data" / "vendor-openapi"
_URI: Final = "urn:description"
_BODY_TYPES: Final = ("application/json", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    pattern: re.Pattern[str]
    method: str
    pointer: str
    document: Mapping[str, Any] = field(repr=False)


class Description:
    """One vendor's description. ``prefix``: the path of its server (``/api/v2``)."""

    def __init__(self, name: str, *, prefix: str = "") -> None:
        self._document: dict[str, Any] = json.loads((DESCRIPTIONS / f"{name}.json").read_text())
        is_30 = str(self._document["openapi"]).startswith("3.0")
        self._validator: Any = OAS30Validator if is_30 else Draft202012Validator
        self._registry = Registry().with_resource(_URI, Resource.from_contents(self._document, DRAFT202012))
        self._operations = [
            _Operation(
                pattern=re.compile(re.escape(prefix) + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "$"),
                method=method.upper(),
                pointer=f"/paths/{_token(path)}/{method}",
                document=operation,
            )
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]

    def knows(self, request: Received) -> bool:
        """Whether the path is described at all."""
        return any(operation.pattern.match(request.path) for operation in self._operations)

    def faults(self, request: Received, answer: Answer) -> list[str]:
        """What the description does not allow, each a sentence; nothing for a path that it does not have."""
        for operation in self._operations:
            if operation.method == request.method and operation.pattern.match(request.path):
                where = f"{request.method} {request.path}"
                return [
                    *(f"{where}: request: {fault}" for fault in self._request_faults(operation, request)),
                    *(f"{where}: {answer.status}: {fault}" for fault in self._answer_faults(operation, answer)),
                ]
        return [f"{request.method} {request.path} is not described"] if self.knows(request) else []

    def _request_faults(self, operation: _Operation, request: Received) -> list[str]:
        undeclared = set(request.parameters) - self._query_names(operation)
        faults = [f"query parameter {name} is not described" for name in sorted(undeclared)]
        declared = operation.document.get("requestBody", {}).get("content", {})
        if not request.body:
            return (
                [*faults, "a body is required"] if operation.document.get("requestBody", {}).get("required") else faults
            )
        sent = request.headers.get("content-type", "").partition(";")[0]
        if sent not in declared:
            return [*faults, f"content type {sent} is not described"]
        value = request.json if sent == "application/json" else request.form
        return [*faults, *self._against(f"{operation.pointer}/requestBody/content/{_token(sent)}/schema", value)]

    def _answer_faults(self, operation: _Operation, answer: Answer) -> list[str]:
        responses = operation.document["responses"]
        if str(answer.status) not in responses:
            return ["the status is not described"]
        pointer, response = f"{operation.pointer}/responses/{answer.status}", responses[str(answer.status)]
        if "$ref" in response:
            pointer = str(response["$ref"]).removeprefix("#")
            response = self._at(pointer)
        content = response.get("content", {})
        if not answer.body or "application/json" not in content or answer.content_type != "application/json":
            return []
        return self._against(f"{pointer}/content/application~1json/schema", json.loads(answer.body))

    def _query_names(self, operation: _Operation) -> set[str]:
        entries = [
            self._at(entry["$ref"].removeprefix("#")) if "$ref" in entry else entry
            for entry in operation.document.get("parameters", [])
        ]
        return {str(entry["name"]) for entry in entries if entry["in"] == "query"}

    def _against(self, pointer: str, value: Any) -> list[str]:
        checker = self._validator({"$ref": f"{_URI}#{quote(pointer, safe='/~{}')}"}, registry=self._registry)
        # Vendors' alternatives overlap (a last page without a cursor is any kind of page): fitting several is no fault.
        faults = (error for error in checker.iter_errors(value) if "is valid under each of" not in error.message)
        return [f"{'/'.join(map(str, error.path))}: {error.message[:300]}" for error in faults]

    def _at(self, pointer: str) -> Any:
        value: Any = self._document
        for part in pointer.strip("/").split("/"):
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value


def _token(name: str) -> str:
    """One reference token of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


@cache
def described(name: str, prefix: str = "") -> Description | None:
    """The description of this name, or ``None`` where the shared data is not there."""
    return Description(name, prefix=prefix) if (DESCRIPTIONS / f"{name}.json").is_file() else None
